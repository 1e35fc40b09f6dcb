"""What the workflows that an event starts would do, before anything runs."""

from __future__ import annotations

from collections.abc import Mapping

from trunkline.plan.contexts import RunIdentity, default_run_name
from trunkline.plan.forecast import Choices, RunForecast, forecast
from trunkline.plan.model import Plan, PlannedCall, PlannedJob
from trunkline.run.undefined import undefined_in_condition, undefined_in_job
from trunkline.services.planning import Prospect, run_contexts


def forecasts(
    found: Prospect, choices: Choices, variables: Mapping[str, str]
) -> dict[str, RunForecast]:
    """Return what each started workflow would do, by file."""
    made = {}
    for outlook in found.outlooks:
        if outlook.plan is None or outlook.workflow is None or outlook.occurrence is None:
            continue
        contexts = run_contexts(found, outlook, RunIdentity(), variables)
        name = default_run_name(outlook.occurrence, outlook.workflow)
        made[outlook.file] = forecast(outlook.plan, contexts, choices, default_name=name)
    return made


def undefined_variables(plan: Plan, variables: Mapping[str, str]) -> tuple[str, ...]:
    """Return the configuration variables that a plan reads and nobody has defined, each once."""
    found: dict[str, str] = {}
    waiting: list[PlannedJob | PlannedCall] = list(plan.jobs)
    while waiting:
        job = waiting.pop(0)
        for name in (
            *undefined_in_condition(job, variables),
            *undefined_in_job(job, variables),
        ):
            found.setdefault(name.lower(), name)
        if isinstance(job, PlannedCall):
            waiting += job.jobs
    return tuple(found.values())
