"""Image stores for tests, and small images to push to them."""

from __future__ import annotations

import io
import json
from pathlib import Path

from trunkline.adapters.blobs.files import FileBlobs
from trunkline.adapters.clock import FakeClock, FakeIds
from trunkline.adapters.registries.files import FileImageStore
from trunkline.adapters.registries.memory import MemoryImageStore
from trunkline.oci.digests import digest_of
from trunkline.oci.manifests import Manifest, read_manifest
from trunkline.oci.media_types import OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST
from trunkline.ports.image_store import ImageStore

REPO = "team/app"
KINDS = ("files", "memory")


def make_store(kind: str, root: Path, clock: FakeClock) -> FileImageStore | MemoryImageStore:
    """Make a store of a kind; the caller closes it."""
    if kind == "memory":
        return MemoryImageStore(clock, FakeIds())
    return FileImageStore(str(root), FileBlobs(str(root)), clock, FakeIds())


def push_blob(
    store: ImageStore, content: bytes, repository: str = REPO, way: str = "sha256"
) -> str:
    digest = digest_of(content, way)
    upload = store.uploads.start(repository, way).id
    store.uploads.append(repository, upload, io.BytesIO(content), None, len(content))
    assert store.uploads.finish(repository, upload, digest).size == len(content)
    return digest


def image(*layers: bytes, subject: str = "", note: str = "") -> tuple[Manifest, bytes]:
    def described(content: bytes, media_type: str) -> dict[str, object]:
        return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}

    record: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": described(b"{}", OCI_CONFIG),
        "layers": [described(layer, OCI_LAYER_GZIP) for layer in layers],
        "annotations": {"note": note},
    }
    if subject:
        record["subject"] = {"mediaType": OCI_MANIFEST, "digest": subject, "size": 1}
    body = json.dumps(record, indent=1).encode()
    return read_manifest(body, OCI_MANIFEST), body


def index(*manifests: Manifest) -> tuple[Manifest, bytes]:
    named = [
        {"mediaType": OCI_MANIFEST, "digest": one.digest, "size": one.size} for one in manifests
    ]
    body = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": named}).encode()
    return read_manifest(body, OCI_INDEX), body


def push_image(
    store: ImageStore, *tags: str, layers: tuple[bytes, ...] = (b"layer",), repository: str = REPO
) -> Manifest:
    for content in (b"{}", *layers):
        push_blob(store, content, repository)
    manifest, body = image(*layers)
    store.manifests.put(repository, manifest, body, tags)
    return manifest
