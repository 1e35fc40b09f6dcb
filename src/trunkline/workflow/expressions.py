"""Expressions where they stand in a file: compiled, checked against the place, every mistake kept."""

from __future__ import annotations

import re
from functools import lru_cache

from trunkline.base.spans import Span
from trunkline.base.words import nearest
from trunkline.expr.arity import BUILTIN_ARITY
from trunkline.expr.characters import WHITESPACE
from trunkline.expr.check import check
from trunkline.expr.condition import condition
from trunkline.expr.errors import ExpressionError
from trunkline.expr.parse import MAX_LENGTH
from trunkline.expr.template import Expression, Insert, Literal
from trunkline.expr.text import OPEN, Names, compile_text, split

_FUNCTION = re.compile(r"(\w+)\((\d+),(\d+|MAX)\)")
_UNKNOWN = re.compile(r"Unrecognized (named-value|function): '([^']*)'")
_MOST = 2**31 - 1
# Each expression takes at least six characters of the `format` call that its text becomes.
_MOST_EXPRESSIONS = MAX_LENGTH // len("{0}, a")
_MOST_MISTAKES = 10


class Allowed:
    """The contexts and functions an expression may use at a place; none means no expression."""

    def __init__(self, names: frozenset[str] = frozenset()) -> None:
        self.names = names
        self.functions = {
            match[1]: (int(match[2]), _MOST if match[3] == "MAX" else int(match[3]))
            for name in names
            if (match := _FUNCTION.fullmatch(name))
        }
        self.contexts = frozenset(name for name in names if "(" not in name)
        self.compile_names = Names(self.contexts, self.functions)
        self._more: dict[tuple[str, ...], Allowed] = {}

    def plus(self, contexts: tuple[str, ...]) -> Allowed:
        """Return what is allowed with more names; equal sets are the same object."""
        if not contexts:
            return self
        found = self._more.get(contexts)
        if found is None:
            found = self._more[contexts] = _allowed(self.names | set(contexts))
        return found


@lru_cache(maxsize=256)
def _allowed(names: frozenset[str]) -> Allowed:
    return Allowed(names)


NONE_ALLOWED = _allowed(frozenset())


class Mistake(Exception):
    """One thing that is wrong with an expression, and what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ExpressionErrors(Exception):
    """Everything that is wrong with the expressions of one value."""

    def __init__(self, found: list[Mistake]) -> None:
        super().__init__(found)
        self.found = found


def read_text(text: str, span: Span, allowed: Allowed) -> Expression | Insert | Literal:
    """Return the token of a value or key with `${{ }}` in it.

    Raises:
        ExpressionErrors: with the mistakes of all its expressions.
    """
    if text.count(OPEN) > _MOST_EXPRESSIONS:
        raise ExpressionErrors([Mistake(f"Exceeded max expression length {MAX_LENGTH}")])
    try:
        return compile_text(text, allowed.compile_names, span)
    except ExpressionError as error:
        raise ExpressionErrors(_every_mistake(text, allowed, error)) from None


def read_condition(source: str, span: Span, allowed: Allowed, *, raw: bool) -> Expression:
    """Return the expression of an `if` without its `${{ }}`, rewritten unless it is `raw`.

    Raises:
        ExpressionErrors: with its first mistake.
    """
    source = source.strip(WHITESPACE)
    try:
        if source:
            check(source, allowed.contexts, allowed.functions)
        elif raw:
            raise ExpressionErrors([Mistake("An expression was expected")])
        return Expression(source if raw else condition(source), span)
    except ExpressionError as error:
        raise ExpressionErrors([_mistake(error, allowed)]) from None


def has_text_around(text: str) -> bool:
    """Return whether a readable text holds more than one expression and nothing else."""
    return sum(1 for _ in split(text)) > 1


def _every_mistake(text: str, allowed: Allowed, first: ExpressionError) -> list[Mistake]:
    """Return the mistakes of each expression in a text; the first one when they are none alone.

    Of many wrong expressions in one value only some are told.
    """
    found: list[Mistake] = []
    try:
        pieces = [piece.text for piece in split(text) if piece.is_expression]
    except ExpressionError:
        return [_mistake(first, allowed)]
    for piece in dict.fromkeys(pieces):
        if len(found) == _MOST_MISTAKES:
            break
        try:
            compile_text("${{" + piece + "}}", allowed.compile_names)
        except ExpressionError as error:
            found.append(_mistake(error, allowed))
    return found or [_mistake(first, allowed)]


def _mistake(error: ExpressionError, allowed: Allowed) -> Mistake:
    return Mistake(error.message, _hint(error.message, allowed))


def _hint(message: str, allowed: Allowed) -> str:
    unknown = _UNKNOWN.match(message)
    if unknown is not None:
        return _name_hint(unknown[1], unknown[2], allowed)
    if "Unexpected symbol: '\"" in message:
        return "Strings in expressions stand in single quotes."
    return ""


def _name_hint(kind: str, name: str, allowed: Allowed) -> str:
    if not allowed.contexts:
        return "No contexts are available here: write the value itself."
    known = allowed.contexts
    if kind == "function":
        known = frozenset(BUILTIN_ARITY) | frozenset(allowed.functions)
    close = nearest(name, sorted(known))
    if close is not None:
        return f"Did you mean '{close}'?"
    if kind == "function":
        return ""
    return f"Available here: {', '.join(sorted(allowed.contexts))}."
