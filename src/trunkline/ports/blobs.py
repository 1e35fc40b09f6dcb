"""Port: bytes under the digest of their content."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Protocol


class BlobStore(Protocol):
    """Content-addressed: artifacts, caches, layers, reports and models are blobs.

    A digest is `sha256:<64 lower-case hex>` or `sha512:<128>`. Thread-safe and safe across
    processes; nothing is ever half-visible. Raises Unavailable when the disk refuses.
    """

    def put(self, content: BinaryIO) -> tuple[str, int]:
        """Store what `content` holds, streaming; return its sha256 digest and size in bytes."""
        ...

    def adopt(self, path: str, digest: str) -> None:
        """Make a finished file of this machine a blob, and the file disappear.

        The caller has computed `digest` from it and synced it. It is moved, not copied, when it
        lies on the store's disk.
        """
        ...

    def open(self, digest: str) -> BinaryIO:
        """Open a blob for reading. Raises NotFound."""
        ...

    def has(self, digest: str) -> bool:
        """Tell whether the blob is there, whole."""
        ...

    def size(self, digest: str) -> int:
        """Return a blob's size in bytes. Raises NotFound."""
        ...

    def remove(self, digest: str) -> bool:
        """Remove a blob; False when it is not there. Who has it open can still read it."""
        ...

    def digests(self) -> Iterator[str]:
        """Yield the digests of all blobs, in no order."""
        ...
