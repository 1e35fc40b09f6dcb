"""Where the blocks of an upload lie in its file."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from bisect import bisect_left, bisect_right, insort

import msgspec

from trunkline.ports.uploads import TooLarge

# A list has at most 50,000 blocks; what stands before may end in digits too.
NUMBER = re.compile(rb"[0-9]{6}\Z")


class Piece(msgspec.Struct, frozen=True):
    """A place in the file, in bytes."""

    offset: int
    length: int


class Layout:
    """Gives out places: where content is expected to stay, else behind all others.

    No two overlap. Raises TooLarge when they add up to more than `limit` bytes. The first `kept`
    bytes are taken.
    """

    def __init__(self, limit: int, kept: int = 0) -> None:
        self._limit = limit
        self._used = kept
        self._places = [Piece(0, kept)] if kept else []  # by their offsets

    def reserve(self, length: int, expected: int | None = None) -> Piece:
        """Return a place for `length` bytes, at `expected` when nothing is there."""
        if self._used + length > self._limit:
            raise TooLarge(self._limit)
        end = self._places[-1].offset + self._places[-1].length if self._places else 0
        fits = expected is not None and self._is_free(expected, length)
        piece = Piece(expected if expected is not None and fits else end, length)
        if length:
            self._used += length
            insort(self._places, piece, key=_offset)
        return piece

    def free(self, piece: Piece) -> None:
        """Take a place back."""
        if piece.length:
            self._used -= piece.length
            del self._places[bisect_left(self._places, piece.offset, key=_offset)]

    def _is_free(self, offset: int, length: int) -> bool:
        if offset < 0 or offset + length > self._limit:
            return False
        index = bisect_right(self._places, offset, key=_offset)
        before, after = self._places[max(index - 1, 0) : index], self._places[index : index + 1]
        return all(piece.offset + piece.length <= offset for piece in before) and all(
            offset + length <= piece.offset for piece in after
        )


def _offset(piece: Piece) -> int:
    return piece.offset


class Numbering:
    """Where blocks belong whose ids end in a number, as those of @azure/storage-blob do.

    Its blocks are as long as the first that comes, but for the last, and sent several at a time:
    the order in which they come is not that of the list.
    """

    def __init__(self) -> None:
        self._unit = 0

    def expected(self, block: str, length: int) -> int | None:
        """Return where a block belongs, by its id (base64); None when its id does not tell."""
        try:
            found = NUMBER.search(b64decode(block, validate=True))
        except (binascii.Error, ValueError):
            return None
        if found is None:
            return None
        self._unit = self._unit or length
        return int(found[0]) * self._unit if length <= self._unit else None
