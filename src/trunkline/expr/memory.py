"""How much text an evaluation may hold at once: a workflow must not eat the machine."""

from __future__ import annotations

from typing import NoReturn

from trunkline.expr.characters import utf16_length
from trunkline.expr.errors import ExpressionError
from trunkline.expr.parse import MAX_DEPTH
from trunkline.expr.tree import Node, to_source
from trunkline.expr.values import Value

# GitHub evaluates an expression with the room of its whole template result.
MAX_BYTES = 10 * 1024 * 1024

_OBJECT = 24
_STRING = 26
_POINTER = 8


def text_size(text: str) -> int:
    """Return the bytes that GitHub counts for a text."""
    return _STRING + 2 * (len(text) if text.isascii() else utf16_length(text))


class Counter:
    """The size of one node's result while it is built; `limit` is in bytes."""

    def __init__(self, node: Node, limit: int) -> None:
        self._node = node
        self._limit = limit
        self.bytes = 0

    def add_text(self, text: str) -> None:
        """Count a text; raise `ExpressionError` when the result has become too large."""
        self._add(text_size(text))

    def add_items(self, count: int) -> None:
        """Count references to `count` values; raise `ExpressionError` when they are too many."""
        self._add(_POINTER * count)

    def _add(self, amount: int) -> None:
        self.bytes += amount
        if self.bytes > self._limit:
            exceeded(self._node)


class Memory:
    """The sizes of the results alive at each level of the tree; `limit` is in bytes."""

    def __init__(self, root: Node, limit: int) -> None:
        self._root = root
        self._limit = limit
        self._levels = [0] * MAX_DEPTH
        self._deepest = 0
        self._total = 0

    def add(self, level: int, value: Value) -> None:
        """Count the result of a node at `level` (the root's is 0); a primitive frees what is below.

        Raises `ExpressionError` when the evaluation holds too much.
        """
        size = text_size(value) if isinstance(value, str) else _OBJECT
        if level > self._deepest:
            self._deepest = level
        elif level < self._deepest and not isinstance(value, list | dict):
            self._free_below(level)
        self._levels[level] += size
        self._total += size
        if self._total > self._limit:
            exceeded(self._root)

    def add_bytes(self, level: int, size: int) -> None:
        """Count `size` bytes at `level`; raise `ExpressionError` when it is too much."""
        self._levels[level] += size
        self._deepest = max(self._deepest, level)
        self._total += size
        if self._total > self._limit:
            exceeded(self._root)

    def _free_below(self, level: int) -> None:
        below = self._levels[level + 1 : self._deepest + 1]
        self._total -= sum(below)
        self._levels[level + 1 : self._deepest + 1] = [0] * len(below)
        self._deepest = level


def exceeded(node: Node) -> NoReturn:
    """Raise the error that an evaluation of `node` takes too much memory."""
    raise ExpressionError(
        "The maximum allowed memory size was exceeded while evaluating the following expression: "
        + to_source(node)
    )
