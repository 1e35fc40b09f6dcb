"""Byte ranges: of chunks that are sent (Content-Range) and of blobs that are asked for (Range)."""

from __future__ import annotations

import re

import msgspec

# Digits beyond any file's size are a mistake or an attack (CPython's int() of them is slow).
NUMBER = r"[0-9]{1,18}"
# The specification's form is `0-99`; older clients of Docker send `bytes 0-99/200`.
CONTENT_RANGE = re.compile(rf"(?:bytes[ =])?({NUMBER})-({NUMBER})(?:/(?:{NUMBER}|\*))?")
RANGE = re.compile(rf"bytes=[ \t]*({NUMBER})?-({NUMBER})?[ \t]*", re.IGNORECASE)


class Part(msgspec.Struct, frozen=True):
    """A part of some content: from `first` on, `length` bytes."""

    first: int
    length: int

    @property
    def last(self) -> int:
        """Return the offset of its last byte (`first` - 1 when it is empty)."""
        return self.first + self.length - 1


class NotSatisfiable(ValueError):
    """A range that lies outside of the content (416)."""


def parse_content_range(header: str) -> Part:
    """Read a chunk's Content-Range. Raises ValueError."""
    found = CONTENT_RANGE.fullmatch(header.strip())
    if found is None or int(found[2]) < int(found[1]):
        raise ValueError(f"'{header}' is not a chunk's range: <first>-<last>")
    first, last = int(found[1]), int(found[2])
    return Part(first, last - first + 1)


def parse_range(header: str, size: int) -> Part | None:
    """Return the part of `size` bytes that a Range header asks for; None: all of it.

    All of it also for several ranges or another unit (RFC 9110, 14.2: a server may ignore them).
    Raises NotSatisfiable for a range that begins behind the end, or ends before it begins.
    """
    found = RANGE.fullmatch(header.strip())
    if found is None or (found[1] is None and found[2] is None):
        return None
    if found[1] is None:
        wanted = min(int(found[2]), size)
        if wanted == 0:
            raise NotSatisfiable(header)
        return Part(size - wanted, wanted)
    first = int(found[1])
    last = min(int(found[2]), size - 1) if found[2] is not None else size - 1
    if last < first:
        raise NotSatisfiable(header)
    return Part(first, last - first + 1)


def received(size: int) -> str:
    """Return the Range header for an upload of `size` bytes: `0-<last>` (`0-0` when empty)."""
    return f"0-{max(size - 1, 0)}"
