"""Looking into tokens: literal strings, lists of them, and the entries of a mapping."""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.base.spans import Span
from trunkline.expr.template import Expression, Insert, Literal, Mapping, Sequence, Token
from trunkline.workflow.model import Text


def entries(token: Token | None) -> Iterator[tuple[str, Span, Token]]:
    """Yield the entries of a mapping that have a literal key: name, place of the key, value."""
    if isinstance(token, Mapping):
        for key, value in token.entries:
            if isinstance(key, Literal) and isinstance(key.value, str):
                yield key.value, key.span, value


def fields(token: Token | None) -> dict[str, Token]:
    """Return the literal keys of a mapping and their values; the first of equal keys counts."""
    found: dict[str, Token] = {}
    for name, _, value in entries(token):
        found.setdefault(name, value)
    return found


def items(token: Token | None) -> tuple[Token, ...]:
    """Return the items of a sequence, or nothing."""
    return token.items if isinstance(token, Sequence) else ()


def string(token: Token | None) -> str | None:
    """Return the value of a literal string, or None."""
    if isinstance(token, Literal) and isinstance(token.value, str):
        return token.value
    return None


def text(token: Token | None) -> Text | None:
    """Return a literal string with its place, or None."""
    value = string(token)
    return None if value is None or token is None else Text(value, token.span)


def texts(token: Token | None) -> tuple[Text, ...]:
    """Return a literal string, or a list of them, as a tuple."""
    one = text(token)
    if one is not None:
        return (one,)
    return tuple(found for item in items(token) if (found := text(item)) is not None)


def strings(token: Token | None) -> tuple[str, ...] | None:
    """Return a literal string, or a list of them, as a tuple; None when there is no value."""
    if token is None or (isinstance(token, Literal) and token.value is None):
        return None
    return tuple(found.value for found in texts(token))


def flag(token: Token | None) -> bool:
    """Return whether the value is the literal true."""
    return isinstance(token, Literal) and token.value is True


def has_expression(token: Token | None) -> bool:
    """Return whether anything in the value is an expression."""
    if isinstance(token, Mapping):
        return any(has_expression(key) or has_expression(value) for key, value in token.entries)
    if isinstance(token, Sequence):
        return any(has_expression(item) for item in token.items)
    return isinstance(token, Expression | Insert)
