"""Configuration variables that expressions name and nobody has defined (they become '')."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import msgspec

from trunkline.expr.errors import ExpressionError
from trunkline.expr.references import references
from trunkline.expr.template import Expression


def undefined_variables(part: msgspec.Struct, defined: Collection[str]) -> tuple[str, ...]:
    """Return the names of `vars` that a plan (or a job of one) reads and `defined` lacks.

    Names ignore case and are returned as written, each once. Names that are computed can't be told.
    """
    known = {name.lower() for name in defined}
    found: dict[str, str] = {}
    for expression in _expressions(part):
        for path in _paths(expression.source):
            if len(path) > 1 and path[0].lower() == "vars" and path[1].lower() not in known:
                found.setdefault(path[1].lower(), path[1])
    return tuple(found.values())


def _expressions(value: Any) -> Iterator[Expression]:
    if isinstance(value, Expression):
        yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _expressions(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _expressions(item)


def _paths(source: str) -> tuple[tuple[str, ...], ...]:
    try:
        return references(source)
    except ExpressionError:
        return ()
