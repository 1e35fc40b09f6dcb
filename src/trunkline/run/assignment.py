"""What a worker is given for a leg: everything, so that it never asks back."""

from __future__ import annotations

from trunkline.plan.model import PlannedCall, PlannedJob
from trunkline.plan.runners import HOST, RunnerRequest, place
from trunkline.run.events import Leg
from trunkline.run.job_request import JobRequest, SecretsLink
from trunkline.run.late import needs_context
from trunkline.run.state import JobNode, LegNode, RunState


def job_request(state: RunState, key: str) -> JobRequest:
    """Return the request of a leg of a job with steps."""
    leg = state.legs[key]
    node = state.jobs[leg.job]
    begun = state.begun
    if not isinstance(node.job, PlannedJob):
        raise TypeError(f"{key} is a call: its own jobs are performed, not it")
    return JobRequest(
        run_id=begun.run_id,
        leg=leg.leg,
        job=node.job,
        where=place_of(state, leg.leg) or HOST,
        github=begun.github,
        repository=str(begun.github.get("repository", "")),
        number=begun.number,
        attempt=int(begun.github.get("run_attempt", 1)),
        job_number=leg.number,
        inputs=state.inputs_of(node),
        variables=begun.variables,
        needs=needs_context(state, node),
        secrets=secrets_chain(state, node),
    )


def place_of(state: RunState, leg: Leg) -> str | None:
    """Return `host`, `docker:IMAGE`, or None when no place has the leg's labels."""
    options = state.begun.options
    asked = RunnerRequest(leg.labels, leg.runner_group)
    return place(asked, options.platforms, options.architecture)


def secrets_chain(state: RunState, node: JobNode) -> tuple[SecretsLink, ...]:
    """Return the calls around a job, outermost first, each with what it passes on as written."""
    links = [_link(state, leg) for leg in state.callers(node)]
    return tuple(reversed([link for link in links if link is not None]))


def _link(state: RunState, leg: LegNode) -> SecretsLink | None:
    node = state.jobs[leg.job]
    call = node.job
    if not isinstance(call, PlannedCall):
        return None
    return SecretsLink(
        caller=leg.leg.key,
        inherit=call.inherit_secrets,
        secrets=call.secrets,
        declared=call.declared_secrets,
        contexts={
            "inputs": dict(state.inputs_of(node)),
            "needs": needs_context(state, node),
            **leg.leg.contexts(),
        },
    )
