"""What the user picks of a plan: jobs with all they need, and legs of a matrix."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from trunkline.expr.errors import ExpressionError
from trunkline.expr.evaluate import evaluate_token
from trunkline.expr.values import member, to_text
from trunkline.plan.matrix import expand
from trunkline.plan.model import Plan, PlannedCall, PlannedJob


def with_needed(plan: Plan, ids: Iterable[str]) -> frozenset[str]:
    """Return the jobs named by `ids` (ignoring case) and all that they need, transitively.

    Names that no job has are left out; `missing` tells them.
    """
    needs = {job.id.lower(): job for job in plan.jobs}
    found: set[str] = set()
    waiting = [name.lower() for name in ids]
    while waiting:
        job = needs.get(waiting.pop())
        if job is not None and job.id not in found:
            found.add(job.id)
            waiting += [need.lower() for need in job.needs]
    return frozenset(found)


def missing(plans: Iterable[Plan], ids: Iterable[str]) -> tuple[str, ...]:
    """Return the ids that no job of any plan has."""
    known = {job.id.lower() for plan in plans for job in plan.jobs}
    return tuple(name for name in ids if name.lower() not in known)


def matrix_values(plans: Iterable[Plan]) -> Mapping[str, list[str]] | None:
    """Return the values of all matrices, by key; None when one of them is known by the run alone."""
    values: dict[str, list[str]] = {}
    waiting: list[PlannedJob | PlannedCall] = [job for plan in plans for job in plan.jobs]
    while waiting:
        job = waiting.pop(0)
        waiting += job.jobs if isinstance(job, PlannedCall) else ()
        try:
            strategy = None if job.strategy is None else evaluate_token(job.strategy, {})
        except ExpressionError:
            return None
        expansion = expand(strategy, job.id, "")
        for leg in () if isinstance(expansion, tuple) else expansion.legs:
            for key, value in (leg.matrix or {}).items():
                known = values.setdefault(key.lower(), [])
                known += [text for text in [to_text(value)] if text not in known]
    return values


def picks_leg(matrix: Mapping[str, Any] | None, wanted: Iterable[tuple[str, str]]) -> bool:
    """Tell whether a leg is among those that `--matrix KEY:VALUE` asks for.

    Values of one key are alternatives, keys add up; a leg without the key is not asked. Names and
    values ignore case.
    """
    values: dict[str, set[str]] = {}
    for key, value in wanted:
        values.setdefault(key, set()).add(value.lower())
    for key, allowed in values.items():
        there, found = member(dict(matrix or {}), key)
        if there and to_text(found).lower() not in allowed:
            return False
    return True
