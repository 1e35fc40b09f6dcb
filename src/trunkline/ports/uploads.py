"""Port: content that clients send in blocks, until it is whole and somebody keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from trunkline.ports.image_store import Stream

LATEST = "latest"
COMMITTED = "committed"
UNCOMMITTED = "uncommitted"


class Block(msgspec.Struct, frozen=True):
    """A block of a list: its id, and where it is looked for (Azure: Put Block List)."""

    id: str
    source: str = LATEST


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """Content that is whole: a file of this machine, its digest (`sha256:<hex>`), size and type.

    `content_type` is '' when the sender told none.
    """

    path: str
    digest: str
    size: int
    content_type: str = ""


class TooLarge(Exception):
    """The content is longer than its upload may be (`limit`, in bytes)."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


class UnknownBlock(Exception):
    """A list names a block that was never received."""


class Superseded(Exception):
    """The upload was finished or begun anew while this content came in."""


class Uploads(Protocol):
    """Uploads by id. Thread-safe. Content is streamed to the disk, whatever its size.

    They live as long as the process that began them. `length` is how many bytes come, None when
    that is not known. Every method raises NotFound for an upload that there is not, Unavailable
    (NoSpace) when the disk refuses; those that take content raise BrokenOff when its sender stops,
    TooLarge and Superseded; what came is forgotten then.
    """

    def start(self, limit: int) -> str:
        """Begin an upload of at most `limit` bytes; return its id: letters and digits."""
        ...

    def put_block(
        self,
        upload: str,
        block: str,
        content: Stream,
        length: int | None,
        expected: int | None = None,
    ) -> None:
        """Take a block, in any order and beside others; a later one of the same id replaces it.

        `expected` is where in the whole it will begin (bytes), when that is known: the list decides.
        """
        ...

    def put(self, upload: str, content: Stream, length: int | None, content_type: str) -> None:
        """Take all of the content at once. It is whole then."""
        ...

    def commit(self, upload: str, blocks: Sequence[Block], content_type: str) -> None:
        """Make the content of `blocks`, in this order; other blocks are forgotten.

        Raises UnknownBlock, and nothing changes then.
        """
        ...

    def find(self, upload: str) -> Finished | None:
        """Return the content when it is whole, else None."""
        ...

    def take(self, upload: str) -> Finished:
        """End a whole upload: its file is the caller's to move, and nobody else writes to it.

        Raises NotFound for one that is not whole.
        """
        ...

    def discard(self, upload: str) -> bool:
        """Forget an upload and what came of it; False when it is not there."""
        ...

    def sweep(self, before: float) -> int:
        """Remove uploads that got nothing since `before` (epoch seconds), dead processes' too."""
        ...
