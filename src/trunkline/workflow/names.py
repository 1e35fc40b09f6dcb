"""Names in expressions that can't have a value: warnings, as GitHub's editor gives them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Mapped
from types import MappingProxyType
from typing import NamedTuple

from trunkline.base.diagnostics import Diagnostic
from trunkline.base.spans import Span
from trunkline.base.words import nearest
from trunkline.document.limits import ALL_ERRORS
from trunkline.document.problems import Problems
from trunkline.expr.characters import fold
from trunkline.expr.references import references
from trunkline.expr.template import Expression, Insert, Literal, Mapping, Sequence, Token
from trunkline.workflow.model import (
    Action,
    CallJob,
    CompositeRuns,
    Job,
    ParallelStep,
    RunStep,
    Step,
    UsesStep,
    Workflow,
)
from trunkline.workflow.tokens import entries, fields, items

_MATRIX_FILTERS = {"include", "exclude"}


class _Known(NamedTuple):
    """The names that exist under a context; `outputs` of those whose outputs are known too."""

    names: tuple[str, ...]
    missing: str
    outputs: Mapped[str, tuple[str, ...]] = MappingProxyType({})


def unknown_names(workflow: Workflow) -> tuple[Diagnostic, ...]:
    """Return a warning for each needs, steps, matrix, inputs or jobs name that does not exist."""
    problems = Problems(workflow.file, ALL_ERRORS)
    inputs = _Known(
        tuple(one.id for trigger in workflow.triggers for one in trigger.inputs),
        "No event of this workflow declares this input.",
    )
    jobs = {fold(job.id): job for job in workflow.jobs}
    for job in workflow.jobs:
        known = {"inputs": inputs, "needs": _needs(job, jobs), **_matrix(job.strategy)}
        if isinstance(job, Job):
            known["steps"] = _Known(tuple(_step_ids(job.steps)), "No step of this job has this id.")
        _check(_job_tokens(job), known, problems)
    called = _Known(tuple(job.id for job in workflow.jobs), "There is no such job.")
    outputs = (one.value for trigger in workflow.triggers for one in trigger.outputs)
    _check(outputs, {"inputs": inputs, "jobs": called}, problems)
    return problems.found()


def unknown_names_of_action(action: Action) -> tuple[Diagnostic, ...]:
    """Return a warning for each inputs or steps name of a composite action that does not exist."""
    problems = Problems(action.file, ALL_ERRORS)
    declared = tuple(one.id for one in action.inputs)
    known = {"inputs": _Known(declared, "The action does not declare this input.")}
    if isinstance(action.runs, CompositeRuns):
        steps = action.runs.steps
        known["steps"] = _Known(tuple(_step_ids(steps)), "No step of this action has this id.")
        _check((token for step in steps for token in _step_tokens(step)), known, problems)
        _check((one.value for one in action.outputs), known, problems)
    return problems.found()


# --- what exists ----------------------------------------------------------------------------


def _needs(job: Job | CallJob, jobs: dict[str, Job | CallJob]) -> _Known:
    outputs: dict[str, tuple[str, ...]] = {}
    for need in job.needs:
        needed = jobs.get(fold(need.value))
        if isinstance(needed, Job) and not isinstance(needed.outputs, Expression):
            outputs[fold(need.value)] = tuple(name for name, _, _ in entries(needed.outputs))
    missing = f"The job '{job.id}' does not need such a job."
    return _Known(tuple(need.value for need in job.needs), missing, outputs)


def _matrix(strategy: Token | None) -> dict[str, _Known]:
    """Return the keys of a matrix that is written out; nothing when a part is computed."""
    if isinstance(strategy, Expression):
        return {}
    matrix = fields(strategy).get("matrix")
    if matrix is None:
        return {"matrix": _Known((), "This job has no matrix.")}
    if not isinstance(matrix, Mapping) or not _is_written_out(matrix):
        return {}
    names = [name for name, _, _ in entries(matrix) if name not in _MATRIX_FILTERS]
    for include in items(fields(matrix).get("include")):
        names += [name for name, _, _ in entries(include)]
    return {"matrix": _Known(tuple(names), "The matrix has no such key.")}


def _is_written_out(matrix: Mapping) -> bool:
    include = fields(matrix).get("include", Sequence(()))
    mappings = [matrix, *items(include)]
    return isinstance(include, Sequence) and all(
        isinstance(one, Mapping) and all(isinstance(key, Literal) for key, _ in one.entries)
        for one in mappings
    )


def _step_ids(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        yield step.id
        if isinstance(step, ParallelStep):
            yield from _step_ids(step.steps)


# --- where names are used -------------------------------------------------------------------


def _job_tokens(job: Job | CallJob) -> Iterator[Token | None]:
    yield from (job.condition, job.name)
    if job.concurrency is not None:
        yield from (job.concurrency.group, job.concurrency.cancel_in_progress)
    if isinstance(job, CallJob):
        yield from (job.with_, job.secrets)
        return
    yield from (job.runs_on, job.env, job.container, job.services, job.outputs)
    yield from (job.timeout_minutes, job.cancel_timeout_minutes, job.continue_on_error)
    yield from (job.defaults.shell, job.defaults.working_directory)
    if job.environment is not None:
        yield from (job.environment.name, job.environment.url)
    for step in job.steps:
        yield from _step_tokens(step)


def _step_tokens(step: Step) -> Iterator[Token | None]:
    if isinstance(step, ParallelStep):
        for one in step.steps:
            yield from _step_tokens(one)
        return
    yield from (step.name, step.continue_on_error)
    if isinstance(step, RunStep | UsesStep):
        yield from (step.condition, step.env, step.timeout_minutes)
    if isinstance(step, RunStep):
        yield from (step.run, step.working_directory)
    if isinstance(step, UsesStep):
        yield step.with_


def _expressions(token: Token | None) -> Iterator[Expression]:
    match token:
        case Expression():
            yield token
        case Sequence(nested):
            for item in nested:
                yield from _expressions(item)
        case Mapping(pairs):
            for key, value in pairs:
                yield from _expressions(key)
                yield from _expressions(value)
        case Literal() | Insert() | None:
            return


def _check(tokens: Iterable[Token | None], known: dict[str, _Known], problems: Problems) -> None:
    for token in tokens:
        for expression in _expressions(token):
            for path in dict.fromkeys(references(expression.source)):
                context = known.get(path[0].lower())
                if context is not None and len(path) > 1:
                    _check_path(path, context, expression.span, problems)


def _check_path(path: tuple[str, ...], known: _Known, span: Span, problems: Problems) -> None:
    name = fold(path[1])
    if name not in {fold(one) for one in known.names}:
        _tell(path[:2], known.names, known.missing, span, problems)
    elif len(path) > 3 and fold(path[2]) == "OUTPUTS" and name in known.outputs:
        outputs = known.outputs[name]
        if fold(path[3]) not in {fold(one) for one in outputs}:
            missing = f"The job '{path[1]}' has no such output."
            _tell(path[:4], outputs, missing, span, problems)


def _tell(
    path: tuple[str, ...], names: tuple[str, ...], missing: str, span: Span, problems: Problems
) -> None:
    close = nearest(path[-1], names)
    hint = f"{missing} Did you mean '{close}'?" if close else missing
    message = f"Context access might be invalid: {'.'.join(path)}"
    problems.warning(span, message, "unknown-name", hint)
