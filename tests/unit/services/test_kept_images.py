"""What rehearsals pushed, as the next push or pull asks for it."""

from __future__ import annotations

import json

from tests.image_stores import push_image
from trunkline.adapters.clock import FakeClock, FakeIds
from trunkline.adapters.registries.memory import MemoryImageStore
from trunkline.oci.manifests import read_manifest
from trunkline.services.kept_images import LocalImages

INDEX = "application/vnd.oci.image.index.v1+json"


class Nowhere:
    """Services of this machine that are never asked for."""

    def ensure(self, kind: str, host: str = "") -> str:
        raise AssertionError(kind, host)

    def release(self, kind: str, host: str) -> None:
        raise AssertionError(kind, host)


def test_an_image_is_as_large_as_its_blobs_and_an_index_as_its_images():
    store = MemoryImageStore(FakeClock(), FakeIds())
    kept = LocalImages(Nowhere(), lambda: store)
    shared = b"s" * 100
    one = push_image(store, "amd64", layers=(shared, b"1" * 10), repository="ghcr.io/o/n").digest
    other = push_image(store, layers=(shared, b"2" * 20), repository="ghcr.io/o/n").digest
    named = [{"mediaType": "x/y", "digest": digest, "size": 1} for digest in (one, other)]
    body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": named}).encode()
    index = read_manifest(body, INDEX)
    store.manifests.put("ghcr.io/o/n", index, body, ["1"])
    assert kept.size("ghcr.io/o/n", one) == 112
    assert kept.size("ghcr.io/o/n", index.digest) == 132
    assert kept.size("ghcr.io/o/n", "1") == 0
    assert kept.size("ghcr.io/o/other", one) == 0
    assert kept.find("ghcr.io/o/n", "1") == index.digest
    assert kept.find("ghcr.io/o/n", "2") == ""
