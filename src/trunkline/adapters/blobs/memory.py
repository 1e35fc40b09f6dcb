"""Blobs in memory: the fake."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Iterator
from typing import BinaryIO

from trunkline.base.errors import NotFound


class MemoryBlobs:
    """Blobs of one object."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._blobs: dict[str, bytes] = {}

    def put(self, content: BinaryIO) -> tuple[str, int]:
        """Store a stream's bytes; return digest and size."""
        data = content.read()
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        with self._lock:
            self._blobs[digest] = data
        return digest, len(data)

    def adopt(self, path: str, digest: str) -> None:
        """Make a finished file a blob."""
        with open(path, "rb") as file, self._lock:
            self._blobs[digest] = file.read()
        os.unlink(path)

    def open(self, digest: str) -> BinaryIO:
        """Open a blob for reading. Raises NotFound."""
        return io.BytesIO(self._found(digest))

    def has(self, digest: str) -> bool:
        """Tell whether the blob is there."""
        with self._lock:
            return digest in self._blobs

    def size(self, digest: str) -> int:
        """Return a blob's size. Raises NotFound."""
        return len(self._found(digest))

    def remove(self, digest: str) -> bool:
        """Remove a blob; False when it is not there."""
        with self._lock:
            return self._blobs.pop(digest, None) is not None

    def digests(self) -> Iterator[str]:
        """Yield the digests of all blobs."""
        with self._lock:
            return iter(list(self._blobs))

    def _found(self, digest: str) -> bytes:
        with self._lock:
            if digest not in self._blobs:
                raise NotFound(f"The store has no {digest}.")
            return self._blobs[digest]
