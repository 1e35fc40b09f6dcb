"""Where the blocks of an upload lie in its file."""

from __future__ import annotations

import msgspec

from trunkline.ports.uploads import TooLarge


class Piece(msgspec.Struct, frozen=True):
    """A place in the file, in bytes."""

    offset: int
    length: int


class Layout:
    """Gives out places, one behind the other; those that became free go to content as long.

    Raises TooLarge beyond `limit` bytes.
    """

    def __init__(self, limit: int, end: int = 0) -> None:
        self._limit = limit
        self._end = end
        self._free: dict[int, list[int]] = {}

    def reserve(self, length: int) -> Piece:
        """Return a place for `length` bytes."""
        if free := self._free.get(length):
            return Piece(free.pop(), length)
        if self._end + length > self._limit:
            raise TooLarge(self._limit)
        self._end += length
        return Piece(self._end - length, length)

    def free(self, piece: Piece) -> None:
        """Take a place back."""
        if piece.offset + piece.length == self._end:
            self._end = piece.offset
        else:
            self._free.setdefault(piece.length, []).append(piece.offset)
