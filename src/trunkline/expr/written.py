"""Tokens as they stood in the file, for people."""

from __future__ import annotations

import re

from trunkline.expr.template import Expression, Literal, Mapping, Sequence, Token
from trunkline.expr.values import to_text

_PART = r"\{\{|\}\}|\{(\d{1,3})\}"


def written(token: Token) -> str:
    """Return a token as it stood in the file, on one line."""
    match token:
        case Literal(value):
            return to_text(value)
        case Expression():
            return " ".join(written_script(token).split())
        case Sequence(items):
            return f"[{', '.join(written(item) for item in items)}]"
        case Mapping(entries):
            inside = ", ".join(f"{written(key)}: {written(value)}" for key, value in entries)
            return f"{{{inside}}}"
        case _:
            return "${{ insert }}"


def written_script(token: Token) -> str:
    """Return a token that holds a script as it stood in the file, with its lines."""
    if isinstance(token, Expression):
        return _as_text(token.source) or f"${{{{ {token.source} }}}}"
    return written(token)


def _as_text(source: str) -> str:
    """Undo `format('text {0}', expression)`; '' when the source is something else."""
    if not source.startswith("format('") or not source.endswith(")"):
        return ""
    end = _string_end(source, len("format("))
    pattern = source[len("format('") : end - 1].replace("''", "'")
    arguments = _arguments(source[end:-1])

    def part(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0][0]
        index = int(found[1])
        return f"${{{{ {arguments[index]} }}}}" if index < len(arguments) else found[0]

    return re.sub(_PART, part, pattern)


def _string_end(source: str, start: int) -> int:
    """Return where the string that opens at `start` has ended; `''` does not end it."""
    at = start + 1
    while at < len(source):
        if source.startswith("''", at):
            at += 2
        elif source[at] == "'":
            return at + 1
        else:
            at += 1
    return at


def _arguments(text: str) -> list[str]:
    """Split `, a, f(b, c)` at its outer commas."""
    found: list[str] = []
    depth, at, start = 0, 0, 0
    while at < len(text):
        char = text[at]
        if char == "'":
            at = _string_end(text, at)
            continue
        depth += (char in "([") - (char in ")]")
        if char == "," and depth == 0:
            found.append(text[start:at].strip())
            start = at + 1
        at += 1
    found.append(text[start:].strip())
    return found[1:]
