"""The function `toJSON`: two spaces, one item a line, Newtonsoft's escapes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from trunkline.expr.numbers import format_number
from trunkline.expr.values import Value

_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}
_SPECIAL = r'["\\\x00-\x1f\x85\u2028\u2029]'


def write_json(value: Value, count: Callable[[str], object]) -> str:
    """Return a value as JSON text, as `toJSON` writes it; nesting of any depth is fine.

    `count` is called with each piece, and may raise to stop it.
    """
    pieces: list[str] = []
    for piece in _pieces(value):
        count(piece)
        pieces.append(piece)
    return "".join(pieces)


def _pieces(value: Value) -> Iterator[str]:
    """Yield the text, one item with its indentation at a time; a stack stands for recursion."""
    stack: list[tuple[Iterator[tuple[str, Value]], str]] = []
    prefix = ""
    while True:
        if isinstance(value, list | dict) and value:
            brackets = "{}" if isinstance(value, dict) else "[]"
            yield prefix + brackets[0]
            stack.append((_entries(value), brackets[1]))
            first = True
        else:
            yield prefix + _scalar(value)
            first = False
        entry = None
        while stack and (entry := next(stack[-1][0], None)) is None:
            _, bracket = stack.pop()
            yield "\n" + "  " * len(stack) + bracket
            first = False
        if entry is None:
            return
        label, value = entry
        prefix = ("\n" if first else ",\n") + "  " * len(stack) + label


def _entries(value: list[Value] | dict[str, Value]) -> Iterator[tuple[str, Value]]:
    """Yield each item of a collection, with its label: `"key": ` in an object."""
    if isinstance(value, dict):
        return ((f"{quoted(key)}: ", each) for key, each in value.items())
    return (("", each) for each in value)


def _scalar(value: Value) -> str:
    if isinstance(value, str):
        return quoted(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return format_number(value)
    return "[]" if isinstance(value, list) else "{}"


def quoted(text: str) -> str:
    """Return `text` as a JSON string: control characters are escaped, other letters stay."""
    return '"' + re.sub(_SPECIAL, _escape, text) + '"'


def _escape(found: re.Match[str]) -> str:
    char = found.group()
    return _ESCAPES.get(char) or f"\\u{ord(char):04x}"
