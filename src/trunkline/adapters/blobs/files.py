"""Blobs as files: `<root>/blobs/sha256/<first two digits>/<digest>`, written aside and renamed."""

from __future__ import annotations

import hashlib
import os
import re
from typing import BinaryIO

from trunkline.adapters.trees import make_private
from trunkline.base.errors import NotFound, Unavailable

DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
CHUNK = 1 << 20


class FileBlobs:
    """Blobs below one folder. A blob is read-only, and whole as soon as its name is there."""

    def __init__(self, root: str) -> None:
        self._folder = os.path.join(root, "blobs", "sha256")

    def put(self, content: BinaryIO) -> tuple[str, int]:
        """Store a stream's bytes; return digest and size."""
        aside = os.path.join(self._folder, f".{os.getpid()}-{os.urandom(8).hex()}")
        try:
            try:
                make_private(self._folder)
                digest, size = _write(aside, content)
                path = self._path(digest)
                make_private(os.path.dirname(path))
                os.replace(aside, path)
            except BaseException:
                _discard(aside)
                raise
        except OSError as error:
            raise Unavailable(
                f"The store can't be written: {error.strerror or error}: '{aside}'"
            ) from error
        return f"sha256:{digest}", size

    def open(self, digest: str) -> BinaryIO:
        """Open a blob for reading. Raises NotFound."""
        try:
            return open(self._path(_hexadecimal(digest)), "rb")
        except FileNotFoundError as error:
            raise NotFound(f"The store has no {digest}.") from error
        except OSError as error:
            raise Unavailable(f"{digest} can't be read: {error.strerror}") from error

    def has(self, digest: str) -> bool:
        """Tell whether the blob is there."""
        return bool(DIGEST.fullmatch(digest)) and os.path.exists(self._path(_hexadecimal(digest)))

    def _path(self, digest: str) -> str:
        return os.path.join(self._folder, digest[:2], digest)


def _write(path: str, content: BinaryIO) -> tuple[str, int]:
    """Write a new file, synced: a rename may outlive a power cut that its content did not."""
    hashed = hashlib.sha256()
    size = 0
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    try:
        while data := content.read(CHUNK):
            hashed.update(data)
            size += len(data)
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(file, rest) :]
        os.fsync(file)
    finally:
        os.close(file)
    return hashed.hexdigest(), size


def _discard(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def _hexadecimal(digest: str) -> str:
    found = DIGEST.fullmatch(digest)
    if found is None:
        raise NotFound(f"'{digest}' is not a digest: sha256:<64 hexadecimal digits>.")
    return found[1]
