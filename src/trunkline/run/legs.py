"""What is evaluated for each leg of a job: name, runner, groups, minutes, a call's inputs."""

from __future__ import annotations

import msgspec

from trunkline.expr.template import Literal
from trunkline.expr.values import to_text
from trunkline.plan.model import PlannedCall, PlannedJob
from trunkline.plan.runners import RunnerRequest, runner_request
from trunkline.run.assignment import place_of
from trunkline.run.calls import call_inputs
from trunkline.run.events import Group, JobSkipped, Leg, SkipReason
from trunkline.run.groups import evaluated_group
from trunkline.run.late import Contexts, LateError, boolean, number, text, value
from trunkline.run.state import JobNode, RunState

# Reference section 1.4.
JOB_MINUTES = 360.0
CANCEL_MINUTES = 5.0


def completed_leg(state: RunState, node: JobNode, leg: Leg, contexts: Contexts) -> Leg:
    """Return a leg with everything evaluated; `contexts` are the leg's. Raises LateError."""
    named = msgspec.structs.replace(leg, name=_display_name(state, node, leg, contexts))
    if isinstance(node.job, PlannedCall):
        return _call_leg(node.job, named, contexts)
    return _job_leg(node.job, named, contexts)


def _display_name(state: RunState, node: JobNode, leg: Leg, contexts: Contexts) -> str:
    """Return `caller / job`; a name that is an expression is used as it comes out."""
    name = leg.name
    if node.job.name is not None and not isinstance(node.job.name, Literal):
        name = text(node.job.name, "name", contexts) or name
    caller = state.call_of(node)
    return name if caller is None else f"{caller.leg.name} / {name}"


def _job_leg(job: PlannedJob, leg: Leg, contexts: Contexts) -> Leg:
    runner = _runner(job, contexts)
    environment = ""
    if job.environment is not None:
        environment = text(job.environment.name, "environment", contexts)
    groups = () if job.concurrency is None else (evaluated_group(job.concurrency, contexts),)
    return msgspec.structs.replace(
        leg,
        labels=runner.labels,
        runner_group=runner.group,
        environment=environment,
        groups=groups,
        continue_on_error=boolean(
            job.continue_on_error, "continue-on-error", contexts, default=False
        ),
        timeout_minutes=number(
            job.timeout_minutes, "timeout-minutes", contexts, default=JOB_MINUTES
        ),
        cancel_timeout_minutes=number(
            job.cancel_timeout_minutes, "cancel-timeout-minutes", contexts, default=CANCEL_MINUTES
        ),
    )


def _runner(job: PlannedJob, contexts: Contexts) -> RunnerRequest:
    found = value(job.runs_on, "runs-on", contexts)
    request = runner_request(found)
    if request is None:
        span = job.span if job.runs_on is None else job.runs_on.span
        raise LateError("runs-on", f"Unexpected value '{to_text(found)}'", span)
    return request


def _call_leg(call: PlannedCall, leg: Leg, contexts: Contexts) -> Leg:
    inputs = call_inputs(call, contexts)
    groups: list[Group] = []
    if call.concurrency is not None:
        groups.append(evaluated_group(call.concurrency, contexts))
    if call.called_concurrency is not None:
        called = {"github": contexts["github"], "vars": contexts["vars"], "inputs": inputs}
        groups.append(evaluated_group(call.called_concurrency, called))
    return msgspec.structs.replace(leg, inputs=inputs, groups=tuple(groups))


def without_runner(state: RunState, node: JobNode, leg: Leg) -> JobSkipped | None:
    """Return that a leg can't run because no place here has its labels; None when one has."""
    if isinstance(node.job, PlannedCall) or place_of(state, leg) is not None:
        return None
    asked = RunnerRequest(leg.labels, leg.runner_group).text()
    return JobSkipped(
        key=leg.key,
        name=leg.name,
        reason=SkipReason.NO_RUNNER,
        detail=f"no runner here for {asked}",
    )
