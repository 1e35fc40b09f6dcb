"""What every blob store does: on disk, and the fake."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest

from trunkline.adapters.blobs.files import FileBlobs
from trunkline.adapters.blobs.memory import MemoryBlobs
from trunkline.base.errors import NotFound
from trunkline.ports.blobs import BlobStore

DATA = bytes(range(256)) * 10_000


@pytest.fixture(params=["files", "memory"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return FileBlobs(str(tmp_path)) if request.param == "files" else MemoryBlobs()


def test_a_blob_is_known_by_the_digest_of_its_content(blobs: BlobStore) -> None:
    digest, size = blobs.put(io.BytesIO(DATA))
    assert (digest, size) == ("sha256:" + hashlib.sha256(DATA).hexdigest(), len(DATA))
    assert blobs.has(digest)
    with blobs.open(digest) as stream:
        assert stream.read(10) == DATA[:10]
        assert stream.read() == DATA[10:]


def test_the_same_content_is_one_blob(blobs: BlobStore) -> None:
    assert blobs.put(io.BytesIO(b"")) == blobs.put(io.BytesIO(b""))


@pytest.mark.parametrize("digest", ["sha256:" + "0" * 64, "sha256:../../x", "", "md5:00"])
def test_what_is_not_there_is_not_found(blobs: BlobStore, digest: str) -> None:
    assert not blobs.has(digest)
    with pytest.raises(NotFound):
        blobs.open(digest)


def test_what_breaks_off_leaves_nothing(blobs: BlobStore) -> None:
    class Breaking(io.BytesIO):
        def read(self, _size: int | None = -1) -> bytes:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        blobs.put(Breaking())
    assert not blobs.has("sha256:" + hashlib.sha256(b"").hexdigest())


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_finished_file_becomes_a_blob(blobs: BlobStore, tmp_path: Path, algorithm: str) -> None:
    file = tmp_path / "finished"
    file.write_bytes(DATA)
    digest = f"{algorithm}:{hashlib.new(algorithm, DATA).hexdigest()}"
    blobs.adopt(str(file), digest)
    assert not file.exists()
    assert blobs.size(digest) == len(DATA)
    assert list(blobs.digests()) == [digest]
    with blobs.open(digest) as stream:
        assert stream.read() == DATA


def test_a_removed_blob_is_gone_but_still_readable_where_it_is_open(blobs: BlobStore) -> None:
    digest, _ = blobs.put(io.BytesIO(DATA))
    with blobs.open(digest) as stream:
        assert blobs.remove(digest)
        assert stream.read() == DATA
    assert not blobs.remove(digest)
    assert not blobs.has(digest)
    assert list(blobs.digests()) == []
    with pytest.raises(NotFound):
        blobs.size(digest)
