"""Images made from nothing, as OCI image layouts (OCI image specification, "Image Layout")."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


class Layout:
    """A layout in a folder; `skopeo` reads it as `oci:FOLDER:TAG`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "blobs" / "sha256").mkdir(parents=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        self._tags: list[dict[str, Any]] = []

    def image(self, layers: Sequence[Mapping[str, bytes]], architecture: str = "amd64") -> Any:
        """Add an image whose layers hold these files; return its descriptor."""
        tarballs = [_tarball(files) for files in layers]
        config = {
            "architecture": architecture,
            "os": "linux",
            "config": {"Cmd": ["/bin/true"]},
            "rootfs": {"type": "layers", "diff_ids": [_digest(tarball) for tarball in tarballs]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self._add(_json(config), CONFIG),
            "layers": [self._add(gzip.compress(each, 1, mtime=0), LAYER) for each in tarballs],
        }
        platform = {"architecture": architecture, "os": "linux"}
        return {**self._add(_json(manifest), MANIFEST), "platform": platform}

    def index(self, images: Sequence[Any]) -> Any:
        """Add an index of images; return its descriptor."""
        body = {"schemaVersion": 2, "mediaType": INDEX, "manifests": list(images)}
        return self._add(_json(body), INDEX)

    def tag(self, descriptor: Any, name: str) -> str:
        """Name an image or index; return its digest."""
        named = {"org.opencontainers.image.ref.name": name}
        self._tags.append({**descriptor, "annotations": named})
        body = {"schemaVersion": 2, "mediaType": INDEX, "manifests": self._tags}
        (self.folder / "index.json").write_bytes(_json(body))
        digest: str = descriptor["digest"]
        return digest

    def _add(self, data: bytes, media_type: str) -> dict[str, Any]:
        digest = _digest(data)
        (self.folder / "blobs" / "sha256" / digest.partition(":")[2]).write_bytes(data)
        return {"mediaType": media_type, "digest": digest, "size": len(data)}


def _tarball(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            entry.mode = 0o755
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()
