"""Reads what lies in a job's sandbox without taking more of it into memory than a limit."""

from __future__ import annotations

from typing import BinaryIO


class TooLarge(Exception):
    """A file is larger than it may be; `size` is in bytes."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{size} bytes")
        self.size = size


def read_whole(stream: BinaryIO, limit: int) -> bytes:
    """Return all that a file holds, at most `limit` bytes. Raises TooLarge, having read nothing."""
    size = stream.seek(0, 2)
    if size > limit:
        raise TooLarge(size)
    stream.seek(0)
    return stream.read(limit)
