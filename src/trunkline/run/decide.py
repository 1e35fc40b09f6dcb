"""What a run does next: `decide` for a fact, `settle` for what the state alone demands.

Both are pure: they read a state and answer with events and commands. `react` lets them alternate
with `fold.apply` until nothing follows any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from msgspec.structs import replace

from trunkline.plan.model import PlannedCall
from trunkline.plan.selection import with_needed
from trunkline.run.assignment import job_request
from trunkline.run.calls import call_conclusion, call_outputs
from trunkline.run.cancellation import (
    cancel_leg,
    cancel_run,
    fail_fast,
    stop_batch,
    timeout_message,
)
from trunkline.run.events import (
    Annotated,
    ArtifactStored,
    Conclusion,
    Event,
    ImagePushed,
    JobCompleted,
    JobSkipped,
    JobStarted,
    RepositoryWritten,
    RunCompleted,
    RunGranted,
    RunPending,
    RunStarted,
    SkipReason,
    StepCompleted,
    StepStarted,
    Summarized,
    Warned,
)
from trunkline.run.expansion import failure, open_job
from trunkline.run.facts import (
    CONCURRENCY,
    NOTHING,
    TIMEOUT,
    Begun,
    CancelAsked,
    Command,
    Decision,
    EnterGroup,
    Fact,
    FinishRun,
    GroupFailed,
    GroupGranted,
    GroupLost,
    LeaveGroups,
    Reported,
    StartJob,
    WorkerFailed,
    together,
)
from trunkline.run.fold import apply
from trunkline.run.groups import evaluated_group, group_granted, lost_message
from trunkline.run.job_outputs import OutputsTooLarge, check_run_outputs
from trunkline.run.late import Contexts, LateError, written_name
from trunkline.run.results import run_conclusion
from trunkline.run.state import LegNode, RunState
from trunkline.run.transitions import ENDED, JobStatus, RunStatus

# What a worker may tell of its job. JobStarted is the machine's own.
TOLD_BY_WORKERS = (
    StepStarted,
    StepCompleted,
    Annotated,
    Summarized,
    ArtifactStored,
    RepositoryWritten,
    ImagePushed,
    Warned,
    JobCompleted,
)


def react(state: RunState, fact: Fact) -> Decision:
    """Take a fact and all that follows from it into `state`; return the events and commands.

    The events are to be appended to the journal, in this order, before any command is performed.
    """
    events: list[Event] = []
    commands: list[Command] = []
    step = decide(state, fact)
    while step.events or step.commands:
        for event in step.events:
            apply(state, event)
            commands.extend(_leaving(state, event))
        events.extend(step.events)
        commands.extend(step.commands)
        step = settle(state)
    return Decision(tuple(events), tuple(commands))


def decide(state: RunState, fact: Fact) -> Decision:
    """Return what a fact leads to at once. Facts about what has ended lead to nothing."""
    decision = NOTHING
    match fact:
        case Begun(started):
            decision = _begin(started)
        case _ if state.status is RunStatus.COMPLETED:
            pass
        case Reported(event):
            decision = _report(state, event)
        case WorkerFailed(key, message) | GroupFailed(key, message):
            decision = _fail(state, key, message)
        case GroupGranted(key, group):
            decision = _grant(state, key, group)
        case GroupLost(key, group):
            decision = _lose(state, key, group)
        case CancelAsked():
            decision = _cancel(state, fact)
    return decision


def settle(state: RunState) -> Decision:
    """Return what must happen next, given the state alone; NOTHING when it has come to rest."""
    if state.status in {RunStatus.NEW, RunStatus.COMPLETED}:
        return NOTHING
    if not state.open_roots:
        return Decision((RunCompleted(conclusion=run_conclusion(state)),), (FinishRun(),))
    if state.status is RunStatus.PENDING:
        return _abandon(state) if state.cancelled_by else NOTHING
    if state.ready or state.finished or state.failing or state.failed_fast:
        decisions = [open_job(state, state.jobs[key]) for key in state.ready]
        decisions += [_close_call(state, key) for key in state.finished]
        found = together(*decisions, fail_fast(state), stop_batch(state))
        if found.events:
            return found
    return _start(state)


# --- facts ------------------------------------------------------------------------------


def _begin(started: RunStarted) -> Decision:
    plan = started.plan
    jobs = started.options.jobs
    ids = [job.id for job in plan.jobs]
    wanted = with_needed(plan, jobs) if jobs else frozenset(ids)
    skipped = [
        JobSkipped(key=job.id, name=written_name(job), reason=SkipReason.NOT_SELECTED)
        for job in plan.jobs
        if job.id not in wanted
    ]
    if plan.concurrency is None:
        return Decision((started, *skipped))
    contexts: Contexts = {
        "github": dict(started.github),
        "inputs": dict(started.inputs),
        "vars": dict(started.variables),
    }
    try:
        group = evaluated_group(plan.concurrency, contexts)
    except LateError as error:
        place = f"{plan.source.path} (Line: {error.span.line}, Col: {error.span.column})"
        message = f"Error when evaluating 'concurrency'. {place}: {error.message}"
        failed = [
            JobCompleted(key=key, conclusion=Conclusion.FAILURE, message=message)
            for key in ids
            if key in wanted
        ]
        return Decision((started, Warned(message=message), *skipped, *failed))
    pending = RunPending(group=group.name)
    return Decision((started, *skipped, pending), (EnterGroup("", group),))


def _report(state: RunState, event: Event) -> Decision:
    """Take a worker's event; late ones, of a leg that was given up, are dropped.

    A warning is told once, however many jobs have it.
    """
    if not isinstance(event, TOLD_BY_WORKERS):
        return NOTHING
    if isinstance(event, Warned) and event.message in state.warnings:
        return NOTHING
    leg = state.legs.get(event.key)
    if leg is None or leg.status is not JobStatus.RUNNING:
        return NOTHING
    if isinstance(event, JobCompleted):
        return _complete(state, event)
    return Decision((event,))


def _complete(state: RunState, event: JobCompleted) -> Decision:
    """End a job; it fails when the run's jobs have more to hand on than they may."""
    try:
        check_run_outputs(state.output_bytes, event.outputs)
    except OutputsTooLarge as error:
        message = str(error)
        failed = replace(event, conclusion=Conclusion.FAILURE, outputs={}, message=message)
        return Decision((Annotated(key=event.key, level="error", message=message), failed))
    return Decision((event,))


def _fail(state: RunState, key: str, message: str) -> Decision:
    leg = state.legs.get(key)
    if leg is None or leg.status in ENDED:
        return NOTHING
    conclusion = Conclusion.CANCELLED if leg.cancelled_by else Conclusion.FAILURE
    return Decision(
        (
            Annotated(key=key, level="error", message=message),
            JobCompleted(key=key, conclusion=conclusion, message=message),
        )
    )


def _grant(state: RunState, key: str, group: str) -> Decision:
    if not key:
        pending = state.status is RunStatus.PENDING
        return Decision((RunGranted(group=group),)) if pending else NOTHING
    leg = state.legs.get(key)
    if leg is None or leg.status is not JobStatus.PENDING:
        return NOTHING
    return group_granted(state, key, group)


def _lose(state: RunState, key: str, group: str) -> Decision:
    message = lost_message(group)
    asked = CancelAsked(CONCURRENCY, key)
    if key:
        return cancel_leg(state, asked, message)
    if state.cancelled_by:
        return NOTHING
    return together(Decision((Warned(message=message),)), cancel_run(state, asked))


def _cancel(state: RunState, asked: CancelAsked) -> Decision:
    if not asked.key:
        return cancel_run(state, asked)
    leg = state.legs.get(asked.key)
    message = timeout_message(leg.leg) if leg is not None and asked.by == TIMEOUT else ""
    return cancel_leg(state, asked, message)


# --- what the state demands -------------------------------------------------------------


def _abandon(state: RunState) -> Decision:
    """End a run that was cancelled while it waited for its group: nothing of it has begun."""
    waiting = (key for key in state.roots if state.jobs[key].status is JobStatus.WAITING)
    return Decision(
        tuple(JobCompleted(key=key, conclusion=Conclusion.CANCELLED) for key in waiting)
    )


def _close_call(state: RunState, key: str) -> Decision:
    """End the leg of a call whose jobs have all ended."""
    leg = state.legs[key]
    result = call_conclusion(state, leg)
    if result is None:
        skipped = JobSkipped(
            key=key,
            name=leg.leg.name,
            reason=SkipReason.NO_RUNNER,
            detail="no runner here for any of its jobs",
        )
        return Decision((skipped,))
    if leg.cancelled_by and result is Conclusion.SKIPPED:
        result = Conclusion.CANCELLED
    try:
        outputs = call_outputs(state, leg)
    except LateError as error:
        return Decision(failure(state.jobs[leg.job], key, error))
    return Decision((JobCompleted(key=key, conclusion=result, outputs=outputs),))


def _start(state: RunState) -> Decision:
    """Start queued legs, in order, as far as the run's and their job's limits allow."""
    limit = state.begun.options.max_parallel
    places = limit - state.running if limit else len(state.legs)
    events: list[Event] = []
    commands: list[Command] = []
    for job, waiting in state.queued.items():
        node = state.jobs[job]
        room = node.max_parallel - node.running_legs if node.max_parallel else len(waiting)
        if isinstance(node.job, PlannedCall):  # its own jobs take places, it takes none
            events += [JobStarted(key=key) for key in islice(waiting, room)]
            continue
        for key in islice(waiting, min(room, places)):
            places -= 1
            events.append(JobStarted(key=key))
            commands.append(StartJob(job_request(state, key)))
    return Decision(tuple(events), tuple(commands))


def _leaving(state: RunState, event: Event) -> Iterator[Command]:
    """Yield the commands that let go of the concurrency groups of what has ended."""
    match event:
        case RunCompleted() if state.group:
            yield LeaveGroups("")
        case JobCompleted(key=key) | JobSkipped(key=key):
            leg: LegNode | None = state.legs.get(key)
            if leg is not None and leg.leg.groups:
                yield LeaveGroups(key)
        case _:
            return
