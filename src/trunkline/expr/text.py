"""Scalar text with `${{ }}` in it, compiled to one token."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from trunkline.base.spans import NOWHERE, Span
from trunkline.expr.characters import SPACE, WHITESPACE
from trunkline.expr.check import check
from trunkline.expr.errors import ExpressionError
from trunkline.expr.template import Expression, Insert, Literal

OPEN = "${{"
_CLOSE = re.compile(r"(?:[^'}]|'[^']*'|\}(?!\}))*\}\}")
_QUOTED = re.compile(r"'(?:[^']|'')*'\Z")
_INSERT = "insert"


class Names(NamedTuple):
    """What expressions may name at a place of the file: contexts, and functions with their arity."""

    contexts: Collection[str]
    functions: Mapping[str, tuple[int, int]]


def compile_text(text: str, names: Names, span: Span = NOWHERE) -> Literal | Expression | Insert:
    """Return the token that a string value or key stands for, as GitHub compiles it.

    Text without `${{` is a literal. One whole expression keeps its source (so its value keeps its type),
    unless it is a mere string: then it is that literal. Text around expressions makes a `format(...)` call.
    `${{ insert }}` alone is an `Insert`: GitHub accepts it as a mapping's key only.
    Raises `ExpressionError` with GitHub's message for the first mistake: an expression that is empty, not
    closed, can't be parsed, or names what `names` does not have.
    """
    if OPEN not in text:
        return Literal(text, span)
    pieces = []
    for piece in split(text):
        if piece.is_expression:
            _check(piece.text, names)
        pieces.append(piece)
    if len(pieces) > 1:
        source = _as_format(pieces)
        check(source, *names)
        return Expression(source, span)
    source = pieces[0].text
    if _directive(source) == [_INSERT]:
        return Insert(span)
    if _QUOTED.match(source):
        return Literal(source[1:-1].replace("''", "'"), span)
    return Expression(source, span)


class Piece(NamedTuple):
    """A part of a text: literal text, or the trimmed source of an expression."""

    text: str
    is_expression: bool


def split(text: str) -> Iterator[Piece]:
    """Yield the literal parts and the expressions of a text in turn.

    An expression ends at the first `}}` outside single quotes. Raises `ExpressionError` at an expression
    that is not closed.
    """
    at = 0
    while True:
        start = text.find(OPEN, at)
        if start < 0:
            break
        if start > at:
            yield Piece(text[at:start], is_expression=False)
        found = _CLOSE.match(text, start + len(OPEN))
        if found is None:
            raise ExpressionError(
                "The expression is not closed. An unescaped ${{ sequence was found, "
                "but the closing }} sequence was not found.",
                "parsing",
            )
        at = found.end()
        source = text[start + len(OPEN) : at - 2].strip(WHITESPACE)
        yield Piece(source, is_expression=True)
    if at < len(text):
        yield Piece(text[at:], is_expression=False)


def _check(source: str, names: Names) -> None:
    if not source:
        raise ExpressionError("An expression was expected", "parsing")
    directive = _directive(source)
    if not directive:
        check(source, *names)
        return
    if len(directive) > 1:
        raise ExpressionError(
            f"Exactly 0 parameter(s) were expected following the directive '{_INSERT}'. "
            f"Actual parameter count: {len(directive) - 1}",
            "parsing",
        )


def _directive(source: str) -> list[str]:
    """Return `insert` and the words after it, or nothing for an expression."""
    if not source.startswith(_INSERT):
        return []
    words = re.split(f"{SPACE}+", source)
    return words if words[0] == _INSERT else []


def _as_format(pieces: list[Piece]) -> str:
    pattern: list[str] = []
    arguments: list[str] = []
    for piece in pieces:
        if not piece.is_expression:
            text = piece.text.replace("'", "''").replace("{", "{{").replace("}", "}}")
            pattern.append(text)
        elif _directive(piece.text):
            raise ExpressionError(
                f"The directive '{_INSERT}' is not allowed in this context. Directives are not supported "
                "for expressions that are embedded within a string. Directives are only supported when "
                "the entire value is an expression.",
                "parsing",
            )
        else:
            pattern.append("{" + str(len(arguments)) + "}")
            arguments.append(", " + piece.text)
    return f"format('{''.join(pattern)}'{''.join(arguments)})"
