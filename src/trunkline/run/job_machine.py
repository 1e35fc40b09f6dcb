"""One job as a machine: set up, containers, pre, steps, background, wait, cancel, post, complete.

Rule: whatever decides what a job does next lives in this file, as a table where it fits. The worker
beside the sandbox asks `decide` for a command, performs it, and gives the fact back to `apply`.
Order of phases: runner documentation and sources, reference section 3.3.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from trunkline.run.events import Conclusion
from trunkline.workflow.model import (
    CancelStep,
    ParallelStep,
    RunStep,
    SessionStep,
    Step,
    UsesStep,
    WaitStep,
)


class Phase(StrEnum):
    """Where a job stands."""

    SET_UP = "set up"
    CONTAINERS = "containers"
    PRE = "pre"
    MAIN = "main"
    WAIT = "wait"
    POST = "post"
    COMPLETE = "complete"
    DONE = "done"


class Stage(StrEnum):
    """Which part of a step a task is."""

    PRE = "pre"
    MAIN = "main"
    POST = "post"


class Kind(StrEnum):
    """What a task asks of the worker."""

    PERFORM = "perform"
    LAUNCH = "launch"
    AWAIT = "await"
    STOP = "stop"
    IMAGE = "image"
    BEGIN = "begin"
    END = "end"


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a job's list.

    `slot` finds the step in the worker's own table (IMAGE: the image in the job's list); `targets`
    are the background steps that AWAIT and STOP mean (empty AWAIT: all of them). IMAGE has the image
    of a Docker action made, BEGIN starts the job's containers, END removes them.
    """

    stage: Stage
    kind: Kind
    slot: int
    step_id: str = ""
    targets: tuple[str, ...] = ()


class Prepared(msgspec.Struct, frozen=True):
    """The sandbox stands and every remote action is here; `containers` as `container_tasks` says."""

    pre: tuple[Task, ...]
    main: tuple[Task, ...]
    containers: tuple[Task, ...] = ()


class PreparationFailed(msgspec.Struct, frozen=True):
    """The job can't start; nothing of it runs."""


class TaskEnded(msgspec.Struct, frozen=True):
    """A task in the foreground ended with this conclusion (after continue-on-error)."""

    task: Task
    conclusion: Conclusion


class Launched(msgspec.Struct, frozen=True):
    """A background step started."""

    task: Task


class BackgroundEnded(msgspec.Struct, frozen=True):
    """A background step ended; its effects wait for whoever covers it."""

    step_id: str
    conclusion: Conclusion


class PostRegistered(msgspec.Struct, frozen=True):
    """An action wants a post stage; posts run last in, first out."""

    task: Task


class CancelReceived(msgspec.Struct, frozen=True):
    """The job was cancelled."""


class CompletionFailed(msgspec.Struct, frozen=True):
    """An output could not be evaluated."""


class Completed(msgspec.Struct, frozen=True):
    """Outputs are evaluated and the sandbox is gone."""


Fact = (
    Prepared
    | PreparationFailed
    | TaskEnded
    | Launched
    | BackgroundEnded
    | PostRegistered
    | CancelReceived
    | CompletionFailed
    | Completed
)


class Prepare(msgspec.Struct, frozen=True):
    """Command: make the sandbox, fetch the actions."""


class Perform(msgspec.Struct, frozen=True):
    """Command: do a task; AWAIT and STOP tasks have their targets filled in."""

    task: Task


class Complete(msgspec.Struct, frozen=True):
    """Command: evaluate outputs, tear down."""


Command = Prepare | Perform | Complete

# What follows a phase whose list is empty.
NEXT: dict[Phase, Phase] = {
    Phase.SET_UP: Phase.CONTAINERS,
    Phase.CONTAINERS: Phase.PRE,
    Phase.PRE: Phase.MAIN,
    Phase.MAIN: Phase.WAIT,
    Phase.WAIT: Phase.POST,
    Phase.POST: Phase.COMPLETE,
    Phase.COMPLETE: Phase.DONE,
}

# Which tasks of the engine's own run only while nothing has failed; END always does.
NEEDS_SUCCESS = frozenset({Kind.IMAGE, Kind.BEGIN})

# What removes the containers. BEGIN, once it has run, leaves it: the first post there is, so that
# it is the last one performed (runner, ContainerOperationProvider).
END = Task(stage=Stage.POST, kind=Kind.END, slot=-1)

# Where a failed or cancelled result takes the job's status (worse wins; GitHub: TaskResult.Merge).
WORSE: dict[tuple[Conclusion, Conclusion], Conclusion] = {
    (Conclusion.SUCCESS, Conclusion.FAILURE): Conclusion.FAILURE,
    (Conclusion.SUCCESS, Conclusion.CANCELLED): Conclusion.CANCELLED,
    (Conclusion.FAILURE, Conclusion.CANCELLED): Conclusion.CANCELLED,
}


class Background(msgspec.Struct):
    """A background step: its conclusion once it ended, and whether a wait or cancel covered it."""

    conclusion: Conclusion | None = None
    covered: bool = False


class JobState(msgspec.Struct):
    """A job's whole state; only `apply` writes to it."""

    phase: Phase = Phase.SET_UP
    status: Conclusion = Conclusion.SUCCESS
    cancelled: bool = False
    containers: list[Task] = []
    pre: list[Task] = []
    main: list[Task] = []
    posts: list[Task] = []
    background: dict[str, Background] = {}


def tasks_of(steps: tuple[Step, ...]) -> tuple[Task, ...]:
    """Return the job's list of main tasks; `slot` counts steps with parallel groups laid out flat.

    A parallel group launches its steps and then waits for them; the wait has the group's slot.
    """
    tasks: list[Task] = []
    for slot, step in enumerate(laid_out(steps)):
        targets: tuple[str, ...] = ()
        kind = Kind.PERFORM
        match step:
            case WaitStep():
                kind = Kind.AWAIT
                targets = tuple(text.value for text in step.targets or ())
            case CancelStep():
                kind = Kind.STOP
                targets = (step.target.value,)
            case ParallelStep():
                kind = Kind.AWAIT
                targets = tuple(inner.id for inner in step.steps)
            case RunStep() | UsesStep() | SessionStep():
                kind = Kind.LAUNCH if step.background else Kind.PERFORM
        tasks.append(Task(stage=Stage.MAIN, kind=kind, slot=slot, step_id=step.id, targets=targets))
    return tuple(tasks)


def container_tasks(images: int, *, containers: bool) -> tuple[Task, ...]:
    """Return the tasks before the first step: so many images, then the job's containers, if any."""
    tasks = [Task(stage=Stage.PRE, kind=Kind.IMAGE, slot=slot) for slot in range(images)]
    if containers:
        tasks.append(Task(stage=Stage.PRE, kind=Kind.BEGIN, slot=-1))
    return tuple(tasks)


def may_run(state: JobState, task: Task) -> bool:
    """Tell whether a task of the engine's own runs, or is passed over because the job has failed."""
    return task.kind not in NEEDS_SUCCESS or state.status is Conclusion.SUCCESS


def laid_out(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return the steps with every parallel group's own steps, in the background, before it."""
    flat: list[Step] = []
    for step in steps:
        if isinstance(step, ParallelStep):
            flat.extend(msgspec.structs.replace(inner, background=True) for inner in step.steps)
        flat.append(step)
    return tuple(flat)


def decide(state: JobState) -> Command:
    """Return what the job does next. Pure: asking twice gives the same answer."""
    match state.phase:
        case Phase.SET_UP:
            return Prepare()
        case Phase.COMPLETE | Phase.DONE:
            return Complete()
        case phase:
            return Perform(_next_task(state, phase))


def _next_task(state: JobState, phase: Phase) -> Task:
    match phase:
        case Phase.CONTAINERS:
            return state.containers[0]
        case Phase.PRE:
            return state.pre[0]
        case Phase.MAIN:
            return _with_targets(state, state.main[0])
        case Phase.POST:
            return state.posts[-1]
        case _:
            targets = _uncovered(state)
            return Task(stage=Stage.MAIN, kind=Kind.AWAIT, slot=-1, targets=targets)


def apply(state: JobState, fact: Fact) -> None:
    """Take a fact into the state, then move on to the first phase that has something to do."""
    match fact:
        case Prepared(pre, main, containers):
            state.containers, state.pre, state.main = list(containers), list(pre), list(main)
            state.phase = Phase.CONTAINERS
        case PreparationFailed():
            state.status = worst(state.status, Conclusion.FAILURE)
            state.phase = Phase.COMPLETE
        case TaskEnded(task, conclusion):
            _end_task(state, task, conclusion)
        case Launched(task):
            state.background[task.step_id] = Background()
            _drop(state, task)
        case BackgroundEnded(step_id, conclusion):
            state.background[step_id].conclusion = conclusion
        case PostRegistered(task):
            state.posts.append(task)
        case CancelReceived():
            state.cancelled = True
            state.status = Conclusion.CANCELLED
        case CompletionFailed():
            state.status = worst(state.status, Conclusion.FAILURE)
        case Completed():
            state.phase = Phase.DONE
    _advance(state)


def worst(status: Conclusion, result: Conclusion) -> Conclusion:
    """Merge a final result into a status; a skipped or successful result changes nothing."""
    return WORSE.get((status, result), status)


def merged(conclusions: Iterable[Conclusion]) -> Conclusion:
    """Return what several background steps came to together."""
    status = Conclusion.SUCCESS
    for conclusion in conclusions:
        status = worst(status, conclusion)
    return status


def _end_task(state: JobState, task: Task, conclusion: Conclusion) -> None:
    # A wait or a cancel covers its targets; an explicitly cancelled step never counts.
    for target in task.targets:
        if target in state.background:
            state.background[target].covered = True
    state.status = worst(state.status, conclusion)
    if task.kind is Kind.BEGIN and conclusion is not Conclusion.SKIPPED:
        state.posts.append(END)
    _drop(state, task)


def _drop(state: JobState, task: Task) -> None:
    match state.phase:
        case Phase.CONTAINERS:
            state.containers.pop(0)
        case Phase.PRE:
            state.pre.pop(0)
        case Phase.MAIN:
            state.main.pop(0)
        case Phase.POST:
            state.posts.remove(task)
        case _:
            pass


def _advance(state: JobState) -> None:
    while _is_exhausted(state):
        state.phase = NEXT[state.phase]


def _is_exhausted(state: JobState) -> bool:
    match state.phase:
        case Phase.CONTAINERS:
            return not state.containers
        case Phase.PRE:
            return not state.pre
        case Phase.MAIN:
            return not state.main
        case Phase.WAIT:
            return not _uncovered(state)
        case Phase.POST:
            return not state.posts
        case _:
            return False


def _with_targets(state: JobState, task: Task) -> Task:
    if task.kind is Kind.AWAIT and not task.targets:
        return msgspec.structs.replace(task, targets=_uncovered(state))
    return task


def _uncovered(state: JobState) -> tuple[str, ...]:
    return tuple(name for name, found in state.background.items() if not found.covered)
