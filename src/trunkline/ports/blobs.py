"""Port: bytes under the digest of their content."""

from __future__ import annotations

from typing import BinaryIO, Protocol


class BlobStore(Protocol):
    """Content-addressed: artifacts, caches, layers, reports and models are blobs.

    A digest is `sha256:<64 lower-case hex>`. Thread-safe and safe across processes; nothing is
    ever half-visible. Raises Unavailable when the disk refuses.
    """

    def put(self, content: BinaryIO) -> tuple[str, int]:
        """Store what `content` holds, streaming; return its digest and size in bytes."""
        ...

    def open(self, digest: str) -> BinaryIO:
        """Open a blob for reading. Raises NotFound."""
        ...

    def has(self, digest: str) -> bool:
        """Tell whether the blob is there, whole."""
        ...
