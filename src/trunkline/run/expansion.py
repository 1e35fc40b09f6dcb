"""A job whose needs have ended becomes its legs, or does not run (reference sections 3.5, A14)."""

from __future__ import annotations

from trunkline.expr.values import Value
from trunkline.plan.matrix import Expansion, expand
from trunkline.plan.selection import picks_leg
from trunkline.run.events import (
    Annotated,
    Conclusion,
    Event,
    JobCompleted,
    JobExpanded,
    JobSkipped,
    Leg,
    SkipReason,
    Warned,
)
from trunkline.run.facts import Decision, together
from trunkline.run.groups import enter_group
from trunkline.run.late import (
    Contexts,
    LateError,
    display_name,
    holds,
    job_contexts,
    status_functions,
    value,
    written_name,
)
from trunkline.run.legs import completed_leg, without_runner
from trunkline.run.state import JobNode, RunState
from trunkline.run.undefined import undefined_in_condition, undefined_in_job, warning


def open_job(state: RunState, node: JobNode) -> Decision:
    """Decide a job whose needs have ended: skipped, failed, or expanded into legs."""
    if state.is_forced(node):
        return Decision((JobCompleted(key=node.key, conclusion=Conclusion.CANCELLED),))
    opened = _opened(state, node)
    defined = state.begun.variables
    names = undefined_in_condition(node.job, defined)
    if any(isinstance(event, JobExpanded) for event in opened.events):
        names += undefined_in_job(node.job, defined)
    messages = dict.fromkeys(warning(name) for name in names)
    warned = [Warned(message=text) for text in messages if text not in state.warnings]
    return together(Decision(tuple(warned)), opened)


def _opened(state: RunState, node: JobNode) -> Decision:
    job = node.job
    contexts = job_contexts(state, node)
    functions = status_functions(state, node, cancelled=state.is_cancelled(node))
    try:
        if not holds(job.condition, contexts, functions):
            return _skipped(state, node)
        strategy = value(job.strategy, "strategy", contexts)
    except LateError as error:
        return Decision(failure(node, node.key, error))
    expansion = expand(strategy, job.id, job.id)
    if not isinstance(expansion, Expansion):
        span = job.span if job.strategy is None else job.strategy.span
        errors = [LateError("strategy", message, span) for message in expansion]
        return Decision(failure(node, node.key, *errors))
    legs = _bare_legs(state, node, expansion, _default_names(node, strategy, expansion))
    return _expanded(state, node, expansion, legs, contexts)


def _skipped(state: RunState, node: JobNode) -> Decision:
    name = display_name(state, node)
    return Decision((JobSkipped(key=node.key, name=name, reason=SkipReason.CONDITION),))


def failure(node: JobNode, key: str, *errors: LateError) -> tuple[Event, ...]:
    """Return the events of a job or leg that fails before it starts, as GitHub words it."""
    path = node.job.source.path
    sentences = [
        f"Error when evaluating '{error.key}' for job '{node.job.id}'. "
        f"{path} (Line: {error.span.line}, Col: {error.span.column}): {error.message}"
        for error in errors
    ]
    annotations = [
        Annotated(
            key=key,
            level="error",
            message=sentence,
            file=path,
            line=error.span.line,
            column=error.span.column,
        )
        for error, sentence in zip(errors, sentences, strict=True)
    ]
    ended = JobCompleted(key=key, conclusion=Conclusion.FAILURE, message="\n".join(sentences))
    return (*annotations, ended)


# --- legs -------------------------------------------------------------------------------


def _default_names(node: JobNode, strategy: Value, keyed: Expansion) -> list[str]:
    """Return the names that legs have when `name` is no expression."""
    name = written_name(node.job)
    if name != node.job.id:
        named = expand(strategy, node.job.id, name)
        keyed = named if isinstance(named, Expansion) else keyed
    return [leg.name for leg in keyed.legs]


def _bare_legs(state: RunState, node: JobNode, expansion: Expansion, names: list[str]) -> list[Leg]:
    """Return the legs with what is known before anything of them is evaluated."""
    prefix = f"{node.parent}/" if node.parent else ""
    taken: set[str] = set()
    legs = []
    for combination, name in zip(expansion.legs, names, strict=True):
        key = _free(prefix + combination.name, taken, state)
        taken.add(key)
        legs.append(
            Leg(key=key, name=name, matrix=combination.matrix, strategy=combination.strategy)
        )
    return legs


def _free(key: str, taken: set[str], state: RunState) -> str:
    """Return a path that no leg has: values that look alike, or are cut, make the same one."""
    found, count = key, 1
    while found in taken or found in state.legs:
        count += 1
        found = f"{key} [{count}]"
    return found


def _expanded(
    state: RunState, node: JobNode, expansion: Expansion, bare: list[Leg], contexts: Contexts
) -> Decision:
    legs: list[Leg] = []
    decisions: list[Decision] = []
    for each in bare:
        leg, decision = _complete(state, node, each, contexts)
        legs.append(leg)
        decisions.append(decision)
    expanded = JobExpanded(
        job=node.key,
        legs=tuple(legs),
        fail_fast=expansion.fail_fast,
        max_parallel=expansion.max_parallel,
    )
    return together(Decision((expanded,)), *decisions)


def _complete(state: RunState, node: JobNode, leg: Leg, contexts: Contexts) -> tuple[Leg, Decision]:
    """Return a leg with all that is evaluated per leg, and what follows at once."""
    own: Contexts = {**contexts, **leg.contexts()}
    if not picks_leg(leg.matrix, state.begun.options.matrix):
        not_asked = JobSkipped(key=leg.key, name=leg.name, reason=SkipReason.NOT_SELECTED)
        return leg, Decision((not_asked,))
    try:
        leg = completed_leg(state, node, leg, own)
    except LateError as error:
        return leg, Decision(failure(node, leg.key, error))
    skipped = without_runner(state, node, leg)
    if skipped is not None:
        return leg, Decision((skipped,))
    return leg, enter_group(state, node, leg, 0)
