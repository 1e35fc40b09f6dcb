"""Tokens of a file to values: where expressions stand in sequences, mappings and keys."""

from __future__ import annotations

from collections.abc import Callable

from trunkline.base.spans import Span
from trunkline.expr.characters import fold
from trunkline.expr.errors import ExpressionError
from trunkline.expr.memory import MAX_BYTES, text_size
from trunkline.expr.template import Expression, Insert, Literal, Mapping, Sequence, Token
from trunkline.expr.values import Value, to_text

_MAX_DEPTH = 50
_TOKEN = 24

Evaluate = Callable[[str], Value]


def resolve(token: Token, evaluate: Evaluate) -> Value:
    """Return the value of a token, `evaluate` giving that of each expression; see `evaluate_token`."""
    match token:
        case Literal(value):
            return value
        case Expression():
            return _expression(token, evaluate)
        case Sequence():
            return _sequence(token, evaluate)
        case Mapping():
            entries: dict[str, Value] = {}
            _fill(token, entries, set(), evaluate)
            return entries
        case Insert(span):
            raise ExpressionError(
                "The expression directive 'insert' is not supported in this context", span=span
            )


def _expression(token: Expression, evaluate: Evaluate) -> Value:
    try:
        return evaluate(token.source)
    except ExpressionError as error:
        raise ExpressionError(error.message, error.kind, token.span) from error


def _sequence(token: Sequence, evaluate: Evaluate) -> list[Value]:
    items: list[Value] = []
    for item in token.items:
        value = resolve(item, evaluate)
        if isinstance(item, Expression) and isinstance(value, list):
            items.extend(value)
        else:
            items.append(value)
    return items


def _fill(token: Mapping, entries: dict[str, Value], taken: set[str], evaluate: Evaluate) -> None:
    for key, value in token.entries:
        if isinstance(key, Insert):
            _insert(value, entries, taken, evaluate)
        else:
            name = as_text(resolve(key, evaluate), key.span)
            _take(name, taken, key.span)
            entries[name] = resolve(value, evaluate)


def _insert(token: Token, entries: dict[str, Value], taken: set[str], evaluate: Evaluate) -> None:
    if isinstance(token, Mapping):
        _fill(token, entries, taken, evaluate)
        return
    value = _expression(token, evaluate) if isinstance(token, Expression) else None
    if not isinstance(value, dict):
        raise ExpressionError("Expected a mapping", span=token.span)
    for name, each in value.items():
        _take(name, taken, token.span)
        entries[name] = each


def _take(name: str, taken: set[str], span: Span) -> None:
    if fold(name) in taken:
        raise ExpressionError(f"'{name}' is already defined", span=span)
    taken.add(fold(name))


def as_text(value: Value, span: Span) -> str:
    """Return a primitive value as text; raise `ExpressionError` at `span` for a collection."""
    if isinstance(value, list):
        raise ExpressionError("A sequence was not expected", span=span)
    if isinstance(value, dict):
        raise ExpressionError("A mapping was not expected", span=span)
    return to_text(value)


def check_size(value: Value, span: Span) -> None:
    """Raise `ExpressionError` at `span` when a value is over 10 MiB or over 50 levels deep."""
    if not isinstance(value, list | dict):
        return
    waiting: list[tuple[Value, int]] = [(value, 1)]
    size = 0
    while waiting:
        each, depth = waiting.pop()
        size += _TOKEN
        if isinstance(each, str):
            size += text_size(each)
        elif isinstance(each, dict):
            size += sum(_TOKEN + text_size(name) for name in each)
            waiting.extend((below, depth + 1) for below in each.values())
        elif isinstance(each, list):
            waiting.extend((below, depth + 1) for below in each)
        if depth > _MAX_DEPTH:
            raise ExpressionError("Maximum object depth exceeded", span=span)
        if size > MAX_BYTES:
            raise ExpressionError("Maximum object size exceeded", span=span)
