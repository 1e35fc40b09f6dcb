"""Where a value stands in a file."""

from __future__ import annotations

from typing import NamedTuple


class Span(NamedTuple):
    """A place in a source file: line and column, both counted from 1.

    GitHub reports the first character of a value, so a span is its start;
    `file` is the index of the file in its workflow's file table (0: the workflow itself).
    """

    line: int
    column: int


NOWHERE = Span(0, 0)
