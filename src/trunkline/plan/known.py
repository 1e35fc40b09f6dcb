"""What can be said of expressions before a run: values where all is known, else the text itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from trunkline.expr.errors import ExpressionError
from trunkline.expr.evaluate import Function, evaluate_token
from trunkline.expr.references import references
from trunkline.expr.template import Expression, Literal, Sequence, Token
from trunkline.expr.template import Mapping as MappingToken
from trunkline.expr.values import to_text

Path = tuple[str, ...]

_PART = re.compile(r"\{\{|\}\}|\{(\d{1,3})\}")


class Known(NamedTuple):
    """Contexts as far as they are known. `late` holds lower-case paths that are not known yet.

    A path that is `late` makes everything below it late, and everything above it too (`toJSON(needs)`
    needs all of `needs`).
    """

    contexts: Mapping[str, Any]
    late: frozenset[Path] = frozenset()
    functions: Mapping[str, Function] = {}

    def also(self, contexts: Mapping[str, Any], late: frozenset[Path] = frozenset()) -> Known:
        """Return this with more contexts."""
        return Known({**self.contexts, **contexts}, self.late | late, self.functions)

    def is_late(self, token: Token) -> bool:
        """Tell whether anything in a token is not known yet."""
        return any(
            path[: len(late)] == late or late[: len(path)] == path
            for source in _sources(token)
            for path in _paths(source)
            for late in self.late
        )

    def value(self, token: Token) -> Any:
        """Return a token's value. Raises ExpressionError; call it for what is not late only."""
        return evaluate_token(token, self.contexts, self.functions)

    def text(self, token: Token | None) -> str:
        """Return a token as text for people: its value, or its expression where that is late."""
        if token is None:
            return ""
        try:
            return written(token) if self.is_late(token) else to_text(self.value(token))
        except ExpressionError:
            return written(token)


def written(token: Token) -> str:
    """Return a token as it stood in the file, on one line."""
    match token:
        case Literal(value):
            return to_text(value)
        case Expression(source):
            return _as_text(source) or f"${{{{ {source} }}}}"
        case Sequence(items):
            return f"[{', '.join(written(item) for item in items)}]"
        case MappingToken(entries):
            inside = ", ".join(f"{written(key)}: {written(value)}" for key, value in entries)
            return f"{{{inside}}}"
        case _:
            return "${{ insert }}"


def _sources(token: Token) -> list[str]:
    """Return every expression in a token."""
    match token:
        case Expression(source):
            return [source]
        case Sequence(items):
            return [source for item in items for source in _sources(item)]
        case MappingToken(entries):
            return [source for pair in entries for each in pair for source in _sources(each)]
        case _:
            return []


def _paths(source: str) -> list[Path]:
    """Return the paths that an expression reads, in lower case."""
    try:
        return [tuple(name.lower() for name in path) for path in references(source)]
    except ExpressionError:
        return []


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

    return _PART.sub(part, pattern)


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
