"""Blobs in memory: the fake."""

from __future__ import annotations

import hashlib
import io
import threading
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

    def open(self, digest: str) -> BinaryIO:
        """Open a blob for reading. Raises NotFound."""
        with self._lock:
            if digest not in self._blobs:
                raise NotFound(f"The store has no {digest}.")
            return io.BytesIO(self._blobs[digest])

    def has(self, digest: str) -> bool:
        """Tell whether the blob is there."""
        with self._lock:
            return digest in self._blobs
