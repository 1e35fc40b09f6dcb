"""Cancelling a run or a leg (reference sections 3.2 and 3.4).

A job whose `if` still holds when it is asked again, as of a cancelled run, goes on (`always()`);
unless it is forced, or its own time is up.
"""

from __future__ import annotations

from trunkline.plan.model import PlannedCall
from trunkline.run.events import (
    Annotated,
    CancelRequested,
    Conclusion,
    Event,
    JobCompleted,
    Leg,
)
from trunkline.run.facts import (
    FAIL_FAST,
    NOTHING,
    TIMEOUT,
    CancelAsked,
    CancelJob,
    Decision,
    together,
)
from trunkline.run.late import LateError, holds, job_contexts, status_functions
from trunkline.run.state import JobNode, LegNode, RunState
from trunkline.run.transitions import ENDED, JobStatus


def cancel_run(state: RunState, asked: CancelAsked, message: str = "") -> Decision:
    """Cancel every open leg whose `if` does not hold any more; `message` is told to each."""
    if state.cancelled_by and not (asked.force and not state.forced):
        return NOTHING
    requested = Decision((CancelRequested(by=asked.by, force=asked.force),))
    keep: dict[str, bool] = {}
    decisions = [requested]
    for key, leg in state.legs.items():
        if leg.status in ENDED or (leg.cancelled_by and not asked.force):
            continue
        if leg.job not in keep:
            keep[leg.job] = not asked.force and survives(state, state.jobs[leg.job])
        if keep[leg.job] or _is_running_call(state, leg):
            continue
        decisions.append(_stop(state, key, asked, message))
    return together(*decisions)


def cancel_leg(state: RunState, asked: CancelAsked, message: str = "") -> Decision:
    """Cancel one leg, with the jobs of the workflow it calls. NOTHING when it has ended."""
    leg = state.legs.get(asked.key)
    if leg is None or leg.status in ENDED or not _is_news(leg, asked):
        return NOTHING
    own_time_is_up = asked.by == TIMEOUT
    if not (own_time_is_up or asked.force) and survives(state, state.jobs[leg.job]):
        return NOTHING
    below = [
        cancel_leg(state, CancelAsked(asked.by, key, asked.force), message)
        for child in leg.children
        for key in state.jobs[child].legs
    ]
    return together(_stop(state, asked.key, asked, message), *below)


def fail_fast(state: RunState) -> Decision:
    """Cancel the other legs of jobs in which one has failed."""
    decisions: list[Decision] = []
    for key, failed in state.failing.items():
        message = f'The job was canceled because "{state.legs[failed].leg.name}" failed.'
        for sibling in state.jobs[key].legs:
            if not state.legs[sibling].cancelled_by:
                asked = CancelAsked(FAIL_FAST, sibling)
                decisions.append(cancel_leg(state, asked, message))
    return together(*decisions)


def stop_batch(state: RunState) -> Decision:
    """Cancel what is left of a run whose plan says `fail_fast`, once one of its jobs has failed."""
    if not state.failed_fast:
        return NOTHING
    message = f'The job was canceled because "{state.failed_fast}" failed.'
    return together(
        *(
            cancel_leg(state, CancelAsked(FAIL_FAST, key), message)
            for root in state.roots
            for key in state.jobs[root].legs
            if not state.legs[key].cancelled_by
        )
    )


def survives(state: RunState, node: JobNode) -> bool:
    """Tell whether a job's `if` holds although it is cancelled."""
    functions = status_functions(state, node, cancelled=True)
    try:
        return holds(node.job.condition, job_contexts(state, node), functions)
    except LateError:  # what can't be asked can't keep a job alive
        return False


def timeout_message(leg: Leg) -> str:
    """Return GitHub's sentence for a leg whose time is up."""
    seconds = round(leg.timeout_minutes * 60)
    hours, minutes = divmod(seconds // 60, 60)
    parts = [f"{hours}h"] if hours else []
    parts += [f"{minutes}m"] if hours or minutes else []
    return f"The job has exceeded the maximum execution time of {''.join(parts)}{seconds % 60}s"


def _is_news(leg: LegNode, asked: CancelAsked) -> bool:
    return not leg.cancelled_by or (asked.force and not leg.forced)


def _is_running_call(state: RunState, leg: LegNode) -> bool:
    return leg.status is JobStatus.RUNNING and isinstance(state.job_of(leg), PlannedCall)


def _stop(state: RunState, key: str, asked: CancelAsked, message: str) -> Decision:
    """Cancel one leg, whatever its `if` says."""
    leg = state.legs[key]
    events: list[Event] = [CancelRequested(by=asked.by, key=key, force=asked.force)]
    if leg.status is not JobStatus.RUNNING:
        cancelled = JobCompleted(key=key, conclusion=Conclusion.CANCELLED, message=message)
        return Decision((*events, cancelled))
    if isinstance(state.job_of(leg), PlannedCall):
        return Decision(tuple(events))
    if message and not leg.cancelled_by:
        events.append(Annotated(key=key, level="error", message=message))
    return Decision(tuple(events), (CancelJob(key, asked.by, asked.force),))
