"""Late expressions of a job: their contexts, and their values with GitHub's messages when they fail."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from trunkline.base.spans import NOWHERE, Span
from trunkline.expr.errors import ExpressionError
from trunkline.expr.evaluate import Function, evaluate, evaluate_token
from trunkline.expr.numbers import parse_number
from trunkline.expr.template import Expression, Literal, Token
from trunkline.expr.values import Value, is_truthy, to_text
from trunkline.plan.model import PlannedCall, PlannedJob
from trunkline.run.events import Conclusion
from trunkline.run.state import JobNode, RunState

Contexts = dict[str, Value]


class LateError(Exception):
    """A late expression of a job failed; `key` is the workflow's key that it stands under."""

    def __init__(self, key: str, message: str, span: Span = NOWHERE) -> None:
        super().__init__(message)
        self.key = key
        self.message = message
        self.span = span


def value(token: Token | None, key: str, contexts: Contexts) -> Value:
    """Return a token's value, null for none. Raises LateError."""
    if token is None:
        return None
    if isinstance(token, Literal):
        return token.value
    try:
        return evaluate_token(token, contexts)
    except ExpressionError as error:
        place = token.span if error.span == NOWHERE else error.span
        raise LateError(key, error.message, place) from error


def text(token: Token | None, key: str, contexts: Contexts) -> str:
    """Return a token's value as text. Raises LateError, also for a collection."""
    return as_text(value(token, key, contexts), token, key)


def boolean(token: Token | None, key: str, contexts: Contexts, *, default: bool) -> bool:
    """Return a token's value as a boolean; expressions may give its text. Raises LateError."""
    return default if token is None else as_boolean(value(token, key, contexts), token, key)


def number(token: Token | None, key: str, contexts: Contexts, *, default: float) -> float:
    """Return a token's value as a number; expressions may give its text. Raises LateError."""
    return default if token is None else as_number(value(token, key, contexts), token, key)


def as_text(found: Value, token: Token | None, key: str) -> str:
    """Return a scalar as text. Raises LateError for a collection."""
    if isinstance(found, list | dict):
        raise _unexpected(token, key, found)
    return to_text(found)


def as_boolean(found: Value, token: Token | None, key: str) -> bool:
    """Return a boolean, or the text of one, as a boolean. Raises LateError."""
    if isinstance(found, bool):
        return found
    if found in ("true", "false"):
        return found == "true"
    raise _unexpected(token, key, found)


def as_number(found: Value, token: Token | None, key: str) -> float:
    """Return a number, or the text of one, as a number. Raises LateError."""
    read = parse_number(found) if isinstance(found, str) and found.strip() else found
    if isinstance(read, bool) or not isinstance(read, int | float) or not math.isfinite(read):
        raise _unexpected(token, key, found)
    return float(read)


def _unexpected(token: Token | None, key: str, found: Value) -> LateError:
    span = NOWHERE if token is None else token.span
    if isinstance(found, list):
        return LateError(key, "A sequence was not expected", span)
    if isinstance(found, dict):
        return LateError(key, "A mapping was not expected", span)
    return LateError(key, f"Unexpected value '{to_text(found)}'", span)


def holds(condition: Expression, contexts: Contexts, functions: Mapping[str, Function]) -> bool:
    """Tell whether a job's `if` holds. Raises LateError."""
    try:
        return is_truthy(evaluate(condition.source, contexts, functions))
    except ExpressionError as error:
        raise LateError("if", error.message, condition.span) from error


# --- contexts ---------------------------------------------------------------------------


def run_contexts(state: RunState) -> Contexts:
    """Return what a whole run knows: github, inputs, vars."""
    begun = state.begun
    return {
        "github": dict(begun.github),
        "inputs": dict(begun.inputs),
        "vars": dict(begun.variables),
    }


def job_contexts(state: RunState, node: JobNode) -> Contexts:
    """Return what a job knows before it has legs: github, inputs, vars, needs."""
    contexts = run_contexts(state)
    contexts["inputs"] = dict(state.inputs_of(node))
    contexts["needs"] = needs_context(state, node)
    return contexts


def needs_context(state: RunState, node: JobNode) -> dict[str, Any]:
    """Return the `needs` context: the job's direct needs, without those that did not count."""
    return {
        need.job.id: {"result": need.result.value, "outputs": dict(need.outputs)}
        for need in (state.jobs[key] for key in node.needs)
        if need.result is not None
    }


def status_functions(
    state: RunState, node: JobNode, *, cancelled: bool
) -> dict[str, Callable[[list[Value]], Value]]:
    """Return the functions that ask about all jobs that this one needs, directly or through others.

    Reference section 3.2: `success('a', 'b')` and `failure('a')` ask about these ancestors only.
    Nothing succeeds once the run is cancelled: that is why jobs without an `if` stop then.
    """

    def results(names: list[Value]) -> list[Conclusion | None]:
        found = {each.job.id.lower(): each for each in state.ancestors(node)}
        if names:
            asked = [found.get(to_text(name).lower()) for name in names]
            return [Conclusion.SKIPPED if each is None else each.result for each in asked]
        return [each.result for each in found.values()]

    def success(names: list[Value]) -> Value:
        return not cancelled and all(
            result in {Conclusion.SUCCESS, None} for result in results(names)
        )

    def failure(names: list[Value]) -> Value:
        return any(result is Conclusion.FAILURE for result in results(names))

    return {
        "always": lambda _: True,
        "cancelled": lambda _: cancelled,
        "success": success,
        "failure": failure,
    }


def written_name(job: PlannedJob | PlannedCall) -> str:
    """Return a job's literal name, its id without one."""
    return (to_text(job.name.value) if isinstance(job.name, Literal) else "") or job.id


def display_name(state: RunState, node: JobNode) -> str:
    """Return the name of a job without legs: its `name` as far as that can be known, else its id."""
    job = node.job
    name = written_name(job)
    if job.name is not None and not isinstance(job.name, Literal):
        try:
            name = text(job.name, "name", job_contexts(state, node)) or name
        except LateError:  # it asks for its matrix: there is none
            name = job.id
    caller = state.call_of(node)
    return name if caller is None else f"{caller.leg.name} / {name}"
