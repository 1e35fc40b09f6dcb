"""What can be told about a matrix before anything runs (GitHub checks it again later)."""

from __future__ import annotations

from trunkline.document.problems import Problems
from trunkline.expr.characters import fold
from trunkline.expr.template import Literal, Mapping, Sequence, Token
from trunkline.workflow.tokens import entries, fields, has_expression, items

_FILTERS = {"include", "exclude"}


def check_strategy(strategy: Token | None, problems: Problems) -> None:
    """Tell vectors without values, a matrix without vectors, and filters that match nothing."""
    matrix = fields(strategy).get("matrix")
    if not isinstance(matrix, Mapping):
        return
    has_vector = any(not isinstance(key, Literal) for key, _ in matrix.entries)
    has_include = False
    for name, _, value in entries(matrix):
        if name == "include":
            has_include = has_expression(value) or bool(items(value))
        elif name not in _FILTERS:
            has_vector = True
            if isinstance(value, Sequence) and not value.items:
                message = f"Matrix vector '{name}' does not contain any values"
                problems.error(value.span, message, "matrix")
    if not has_vector and not has_include:
        problems.error(matrix.span, "Matrix must define at least one vector", "matrix")
    elif not has_expression(matrix):
        _check_filters(matrix, problems)


def _check_filters(matrix: Mapping, problems: Problems) -> None:
    filters = fields(matrix)
    vectors = {fold(name) for name, _, _ in entries(matrix) if name not in _FILTERS}
    for item in items(filters.get("include")):
        if isinstance(item, Mapping) and not item.entries:
            message = "Matrix include mapping does not contain any values"
            problems.error(item.span, message, "matrix")
    for item in items(filters.get("exclude")):
        if isinstance(item, Mapping) and not item.entries:
            message = "Matrix exclude filter must not be empty"
            problems.error(item.span, message, "matrix")
        for name, span, _ in entries(item):
            if fold(name) not in vectors:
                message = f"Matrix exclude key '{name}' does not match any key within the matrix"
                problems.error(span, message, "matrix")
