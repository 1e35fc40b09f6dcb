"""The function `format`: `{0}` stands for an argument, `{{` and `}}` for braces."""

from __future__ import annotations

import re
from collections.abc import Callable

from trunkline.expr.errors import ExpressionError
from trunkline.expr.memory import Counter
from trunkline.expr.values import Value, kind, to_text

_LAST_ARGUMENT = 255
_BRACE = r"\{\{|\}\}|\{(?P<place>[0-9]+)(?P<specifiers>:(?:[^}]|\}\})*(?=\}(?!\})))?\}|[{}]"


def format_text(
    pattern: str, count: int, argument: Callable[[int], Value], counter: Counter
) -> str:
    """Return `pattern` with its placeholders replaced by `count` arguments.

    `argument(n)` evaluates argument n; each is evaluated once, at its first placeholder, after the
    whole pattern has been read. Sizes go to `counter`. Raises `ExpressionError` with GitHub's message.
    """
    pieces = _split(pattern, count)
    known: dict[int, Value] = {}
    for piece in pieces:
        if isinstance(piece, str):
            counter.add_text(piece)
    texts = []
    for piece in pieces:
        if isinstance(piece, str):
            texts.append(piece)
            continue
        place, specifiers = piece
        if place not in known:
            known[place] = argument(place)
        if specifiers:
            raise ExpressionError(
                f"The format specifiers '{specifiers}' are not valid for objects of type "
                f"'{kind(known[place])}'"
            )
        text = to_text(known[place])
        if text:
            counter.add_text(text)
        texts.append(text)
    return "".join(texts)


def _split(pattern: str, count: int) -> list[str | tuple[int, str]]:
    """Return the pattern as text and (argument, format specifiers) in turn."""
    pieces: list[str | tuple[int, str]] = []
    at = 0
    for found in re.finditer(_BRACE, pattern):
        text = pattern[at : found.start()]
        at = found.end()
        brace = found.group()
        if brace in {"{{", "}}"}:
            pieces.append(text + brace[0])
            continue
        place = found["place"]
        if place is None or len(place.lstrip("0")) > 3 or int(place) > _LAST_ARGUMENT:
            raise ExpressionError(f"The following format string is invalid: {pattern}")
        if int(place) >= count:
            raise ExpressionError(
                f"The following format string references more arguments than were supplied: {pattern}"
            )
        if text:
            pieces.append(text)
        pieces.append((int(place), (found["specifiers"] or "")[1:].replace("}}", "}")))
    if at < len(pattern):
        pieces.append(pattern[at:])
    return pieces
