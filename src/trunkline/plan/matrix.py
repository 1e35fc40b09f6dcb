"""A job's legs: the cross product of its matrix, `exclude` and `include`, and how legs are named.

The rules are those of GitHub's matrix builder; messages are its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import msgspec

from trunkline.expr.numbers import parse_number
from trunkline.expr.values import loosely_equal, member, to_text

MAX_LEGS = 256
MAX_NAME = 100
# A product beyond this is refused without being counted out.
_MAX_PRODUCT = 50_000

Matrix = dict[str, Any]


class Combination(msgspec.Struct, frozen=True, kw_only=True):
    """One leg: its `matrix` (None without one), its default name and its `strategy` context."""

    matrix: Mapping[str, Any] | None
    name: str
    strategy: Mapping[str, Any]


class Expansion(msgspec.Struct, frozen=True, kw_only=True):
    """All legs of a job, in order. `max_parallel` is 0 when there is no limit."""

    legs: tuple[Combination, ...]
    fail_fast: bool = True
    max_parallel: int = 0


class _Refused(Exception):
    """The strategy is wrong; the text is GitHub's message."""


def expand(strategy: Any, job_id: str, name: str) -> Expansion | tuple[str, ...]:
    """Return the legs of an evaluated `strategy` (None: the job itself), or what is wrong with it.

    `name` is the job's literal name, its id when it has none or when its name is an expression;
    a leg's name adds the values of its vectors, cut to 97 characters and `...`.
    """
    try:
        return _expand(strategy, job_id, name)
    except _Refused as refused:
        return tuple(str(message) for message in refused.args)


def _expand(strategy: Any, job_id: str, name: str) -> Expansion:
    settings = _mapping(strategy) if strategy is not None else {}
    for key in settings:
        if key not in {"fail-fast", "max-parallel", "matrix"}:
            raise _Refused(f"Unexpected value '{key}'")
    fail_fast = _boolean(settings.get("fail-fast", True))
    limit = _whole_number(settings.get("max-parallel", 0))
    matrix = settings.get("matrix")
    combinations = [] if matrix is None else _combinations(_mapping(matrix), job_id, name)
    if not combinations:
        combinations = [(None, leg_name(name, []))]
    total = len(combinations)
    at_once = limit or (total if matrix is not None else 1)
    legs = tuple(
        Combination(
            matrix=values,
            name=shown,
            strategy={
                "fail-fast": fail_fast,
                "job-index": index,
                "job-total": total,
                "max-parallel": at_once,
            },
        )
        for index, (values, shown) in enumerate(combinations)
    )
    return Expansion(legs=legs, fail_fast=fail_fast, max_parallel=limit)


def leg_name(name: str, values: list[Any]) -> str:
    """Return `name (v1, v2)` from the scalars in `values`, nested ones included, empty ones not."""
    texts = [to_text(leaf) for value in values for _, leaf in _leaves(value)]
    parts = [text for text in texts if text]
    full = f"{name} ({', '.join(parts)})" if parts else name
    return full if len(full) <= MAX_NAME else full[: MAX_NAME - 3] + "..."


def _combinations(matrix: Matrix, job_id: str, name: str) -> list[tuple[Matrix | None, str]]:
    """Return the (values, name) of every leg of a matrix."""
    vectors = {key: value for key, value in matrix.items() if key not in {"include", "exclude"}}
    includes = [_mapping(entry) for entry in _sequence(matrix.get("include") or [])]
    excludes = [_mapping(entry) for entry in _sequence(matrix.get("exclude") or [])]
    _check(vectors, includes, excludes)
    size = math.prod(len(vector) for vector in vectors.values()) if vectors else 0
    if size > _MAX_PRODUCT:
        raise _Refused(_too_many(job_id, size))
    legs: list[tuple[Matrix | None, str]] = []
    used = set()
    for values in product(*vectors.values()) if vectors else ():
        combination = dict(zip(vectors, values, strict=True))
        if any(_covers(entry, combination) for entry in excludes):
            continue
        extras: Matrix = {}
        for index, entry in enumerate(includes):
            own = {key: value for key, value in entry.items() if member(vectors, key)[0]}
            if _covers(own, combination):
                used.add(index)
                extras |= {key: value for key, value in entry.items() if key not in own}
        legs.append(({**combination, **extras}, leg_name(name, list(values))))
    rest = [entry for index, entry in enumerate(includes) if index not in used]
    legs += [(entry, leg_name(name, list(entry.values()))) for entry in rest]
    if len(legs) > MAX_LEGS:
        raise _Refused(_too_many(job_id, len(legs)))
    return legs


def _too_many(job_id: str, count: int) -> str:
    return (
        f"Strategy for job '{job_id}' produced {count} configurations"
        f" which exceeds the maximum of {MAX_LEGS} configurations"
    )


def _check(vectors: Matrix, includes: list[Matrix], excludes: list[Matrix]) -> None:
    """Refuse a matrix that makes no sense; all its mistakes at once."""
    problems = [
        f"Matrix vector '{key}' does not contain any values"
        for key, vector in vectors.items()
        if not _sequence(vector)
    ]
    if not vectors and not includes:
        problems.append("Matrix must define at least one vector")
    if not all(includes):
        problems.append("Matrix include mapping does not contain any values")
    if not all(excludes):
        problems.append("Matrix exclude filter must not be empty")
    problems += [
        f"Matrix exclude key '{key}' does not match any key within the matrix"
        for entry in excludes
        for key in entry
        if not member(vectors, key)[0]
    ]
    if problems:
        raise _Refused(*problems)


def _covers(entry: Matrix, combination: Matrix) -> bool:
    """Tell whether every scalar in `entry` equals (`==`) what the combination has in its place."""
    return all(loosely_equal(_at(combination, path), leaf) for path, leaf in _leaves(entry))


def _leaves(
    value: Any, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield the scalars in a value with their paths, in the order written."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))
    else:
        yield path, value


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    """Return what stands at `path`, None where nothing does."""
    for step in path:
        if isinstance(step, str) and isinstance(value, dict):
            value = member(value, step)[1]
        elif isinstance(step, int) and isinstance(value, list) and step < len(value):
            value = value[step]
        else:
            return None
    return value


# --- shapes of evaluated values ---------------------------------------------------------


def _mapping(value: Any) -> Matrix:
    if not isinstance(value, dict):
        raise _Refused(f"Unexpected type of value '{to_text(value)}', expected type: Mapping.")
    return value


def _sequence(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _Refused(f"Unexpected type of value '{to_text(value)}', expected type: Sequence.")
    return value


def _boolean(value: Any) -> bool:
    """Read a boolean, or the text of one from an expression."""
    if isinstance(value, bool):
        return value
    if value in {"true", "false"}:
        return bool(value == "true")
    raise _Refused(f"Unexpected value '{to_text(value)}'")


def _whole_number(value: Any) -> int:
    """Read a number, or the text of one from an expression; below 1 it means no limit."""
    number = parse_number(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise _Refused(f"Unexpected value '{to_text(value)}'")
    return max(0, int(number))
