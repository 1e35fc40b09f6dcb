"""Events to state: the only writer of a `RunState`. Every event costs the same, however big the run."""

from __future__ import annotations

from collections.abc import Iterable

from trunkline.base.errors import Corrupt
from trunkline.plan.model import PlannedCall, PlannedJob
from trunkline.run.events import (
    CancelRequested,
    Conclusion,
    Event,
    JobCompleted,
    JobExpanded,
    JobSkipped,
    JobStarted,
    RunCompleted,
    RunGranted,
    RunPending,
    RunStarted,
    SkipReason,
    Warned,
)
from trunkline.run.job_outputs import outputs_size
from trunkline.run.results import merged, seen_result
from trunkline.run.state import JobNode, LegNode, RunState
from trunkline.run.transitions import (
    BORN,
    ENDED,
    JobStatus,
    RunStatus,
    next_job_status,
    next_run_status,
)


def fold(events: Iterable[Event]) -> RunState:
    """Return the state after `events`, from nothing. Raises Corrupt for an order that can't be."""
    state = RunState()
    for event in events:
        apply(state, event)
    return state


def apply(state: RunState, event: Event) -> None:
    """Take one event into the state. Raises Corrupt when it can't happen there."""
    match event:
        case RunStarted():
            _advance_run(state, event)
            state.started = event
            _add_jobs(state, event.plan.jobs, "", state.roots)
            state.open_roots = len(state.roots)
        case RunPending(group=group) | RunGranted(group=group):
            _advance_run(state, event)
            state.group = group
        case RunCompleted(conclusion=conclusion):
            _advance_run(state, event)
            state.conclusion = conclusion
        case CancelRequested(key="", by=by, force=force):
            _advance_run(state, event)
            state.cancelled_by = state.cancelled_by or by
            state.forced = state.forced or force
        case Warned(key="", message=message):
            _advance_run(state, event)
            state.warnings.add(message)
        case JobExpanded():
            _expand(state, event)
        case _:
            _take_job_event(state, event)


def _advance_run(state: RunState, event: Event) -> None:
    state.status = next_run_status(state.status, type(event))


def _add_jobs(
    state: RunState, jobs: Iterable[PlannedJob | PlannedCall], parent: str, keys: list[str]
) -> None:
    prefix = f"{parent}/" if parent else ""
    for job in jobs:
        key = prefix + job.id
        needs = tuple(prefix + need for need in job.needs)
        node = JobNode(key=key, job=job, parent=parent, needs=needs, open_needs=len(needs))
        state.jobs[key] = node
        keys.append(key)
        if not needs:
            state.ready[key] = None
    for key in keys:
        for need in state.jobs[key].needs:
            state.jobs[need].dependents.append(key)


def _expand(state: RunState, event: JobExpanded) -> None:
    node = _job(state, event.job)
    node.status = next_job_status(node.status, JobExpanded)
    del state.ready[node.key]
    node.fail_fast, node.max_parallel = event.fail_fast, event.max_parallel
    node.open_legs = len(event.legs)
    for leg in event.legs:
        node.legs.append(leg.key)
        number = len(state.legs) + 1
        state.legs[leg.key] = LegNode(leg=leg, job=node.key, number=number, status=BORN)
    state.queued[node.key] = dict.fromkeys(node.legs)


def _job(state: RunState, key: str) -> JobNode:
    if state.status is not RunStatus.RUNNING and state.status is not RunStatus.PENDING:
        raise Corrupt(f"A run that is {state.status} has no job {key}.")
    if key not in state.jobs:
        raise Corrupt(f"The run has no job {key}.")
    return state.jobs[key]


def _take_job_event(state: RunState, event: Event) -> None:
    key = getattr(event, "key", "")
    leg = state.legs.get(key)
    if leg is None:
        _take_event_of_waiting_job(state, _job(state, key), event)
        return
    before = leg.status
    leg.status = next_job_status(before, type(event))
    if leg.status is not before:
        _count_places(state, leg, before)
    match event:
        case Warned(message=message):
            state.warnings.add(message)
        case CancelRequested(by=by, force=force):
            leg.cancelled_by = leg.cancelled_by or by
            leg.forced = leg.forced or force
        case JobStarted():
            _instantiate(state, leg)
        case JobCompleted(conclusion=conclusion, outputs=outputs):
            leg.conclusion = conclusion
            node = state.jobs[leg.job]
            node.outputs.update((name, value) for name, value in outputs.items() if value)
            if isinstance(node.job, PlannedJob):
                state.output_bytes += outputs_size(outputs)
            _end_leg(state, leg, event)
        case JobSkipped(reason=reason):
            leg.conclusion = Conclusion.SKIPPED
            leg.counts = reason is SkipReason.CONDITION
            _end_leg(state, leg, event)
        case _:
            pass


def _take_event_of_waiting_job(state: RunState, node: JobNode, event: Event) -> None:
    node.status = next_job_status(node.status, type(event))
    match event:
        case Warned(message=message):
            state.warnings.add(message)
        case JobSkipped(reason=reason):
            node.result = Conclusion.SKIPPED if reason is SkipReason.CONDITION else None
        case JobCompleted(conclusion=conclusion):
            node.result = conclusion
        case _:
            pass
    if node.status in ENDED:
        _end_job(state, node)


def _count_places(state: RunState, leg: LegNode, before: JobStatus) -> None:
    """Keep the queue and the numbers of running legs; a called workflow's leg takes no place."""
    node = state.jobs[leg.job]
    if before is JobStatus.QUEUED:
        waiting = state.queued[leg.job]
        del waiting[leg.leg.key]
        if not waiting:
            del state.queued[leg.job]
    if leg.status is JobStatus.QUEUED:
        state.queued.setdefault(leg.job, {})[leg.leg.key] = None
    change = (leg.status is JobStatus.RUNNING) - (before is JobStatus.RUNNING)
    node.running_legs += change
    if isinstance(node.job, PlannedJob):
        state.running += change


def _instantiate(state: RunState, leg: LegNode) -> None:
    """Make the jobs of a called workflow, from its template in the plan."""
    call = state.jobs[leg.job].job
    if isinstance(call, PlannedCall):
        _add_jobs(state, call.jobs, leg.leg.key, leg.children)
        leg.open_children = len(leg.children)
        if not leg.children:
            state.finished[leg.leg.key] = None


def _end_leg(state: RunState, leg: LegNode, event: JobCompleted | JobSkipped) -> None:
    node = state.jobs[leg.job]
    state.finished.pop(leg.leg.key, None)
    node.open_legs -= 1
    if node.open_legs:
        if node.fail_fast and seen_result(leg) is Conclusion.FAILURE:
            state.failing.setdefault(node.key, leg.leg.key)
        return
    node.status = next_job_status(node.status, type(event))
    node.result = merged(seen_result(state.legs[key]) for key in node.legs)
    _end_job(state, node)


def _end_job(state: RunState, node: JobNode) -> None:
    state.ready.pop(node.key, None)
    state.failing.pop(node.key, None)
    for key in node.dependents:
        dependent = state.jobs[key]
        dependent.open_needs -= 1
        if not dependent.open_needs and dependent.status is JobStatus.WAITING:
            state.ready[key] = None
    caller = state.call_of(node)
    if caller is None:
        state.open_roots -= 1
        if state.begun.plan.fail_fast and node.result is Conclusion.FAILURE:
            state.failed_fast = state.failed_fast or node.key
        return
    caller.open_children -= 1
    if not caller.open_children:
        state.finished[caller.leg.key] = None
