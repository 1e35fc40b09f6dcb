"""Port: the registry of this machine, where a rehearsal keeps what is pushed."""

from __future__ import annotations

from typing import Protocol


class KeptImages(Protocol):
    """What rehearsals pushed. Thread-safe. Repositories are `oci.references.local_repository`'s.

    Raises Unavailable when the disk refuses or the registry can't be started.
    """

    def address(self) -> str:
        """Return where the registry listens on loopback (`127.0.0.1:5000`), started when needed."""
        ...

    def find(self, repository: str, reference: str) -> str:
        """Return the digest that a tag or digest of a repository stands for, '' if it is not kept.

        The registry need not listen for it.
        """
        ...

    def size(self, repository: str, digest: str) -> int:
        """Return the bytes of the blobs that a kept manifest names, 0 if it is not kept."""
        ...
