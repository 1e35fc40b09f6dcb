"""The job machine alone: order of phases, background steps, status."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from trunkline.base.spans import NOWHERE
from trunkline.expr.template import Expression, Literal
from trunkline.run import job_machine as machine
from trunkline.run.events import Conclusion
from trunkline.run.job_machine import JobState, Kind, Phase, Stage, Task
from trunkline.workflow.model import CancelStep, ParallelStep, RunStep, Step, Text, WaitStep

ALWAYS = Expression("success()", NOWHERE)


def run_step(step_id: str, *, background: bool = False) -> RunStep:
    return RunStep(id=step_id, run=Literal("true"), condition=ALWAYS, background=background)


def drive(
    steps: tuple[Step, ...],
    conclude: Callable[[Task], Conclusion] = lambda _: Conclusion.SUCCESS,
    pre: tuple[Task, ...] = (),
    posts_of: tuple[str, ...] = (),
) -> tuple[list[str], JobState]:
    """Run the machine with a worker that ends everything at once; return what it was told to do."""
    state = JobState()
    told: list[str] = []
    while True:
        command = machine.decide(state)
        match command:
            case machine.Prepare():
                machine.apply(state, machine.Prepared(pre, machine.tasks_of(steps)))
            case machine.Complete():
                told.append("complete")
                machine.apply(state, machine.Completed())
                return told, state
            case machine.Perform(task):
                told.append(f"{task.stage} {task.kind} {task.step_id}{list(task.targets) or ''}")
                perform(state, task, conclude, posts_of)


def perform(
    state: JobState,
    task: Task,
    conclude: Callable[[Task], Conclusion],
    posts_of: tuple[str, ...],
) -> None:
    if task.kind is Kind.LAUNCH:
        machine.apply(state, machine.Launched(task))
        return
    if task.kind is Kind.PERFORM:
        if task.stage is Stage.MAIN and task.step_id in posts_of:
            post = Task(stage=Stage.POST, kind=Kind.PERFORM, slot=task.slot, step_id=task.step_id)
            machine.apply(state, machine.PostRegistered(post))
        machine.apply(state, machine.TaskEnded(task, conclude(task)))
        return
    results = []
    for target in task.targets:
        ended = conclude(Task(stage=Stage.MAIN, kind=Kind.LAUNCH, slot=0, step_id=target))
        machine.apply(state, machine.BackgroundEnded(target, ended))
        results.append(ended)
    conclusion = Conclusion.SUCCESS if task.kind is Kind.STOP else machine.merged(results)
    machine.apply(state, machine.TaskEnded(task, conclusion))


def test_phases_come_in_githubs_order_and_posts_last_in_first_out():
    pre = (Task(stage=Stage.PRE, kind=Kind.PERFORM, slot=0, step_id="a"),)
    told, state = drive((run_step("a"), run_step("b")), pre=pre, posts_of=("a", "b"))
    assert told == [
        "pre perform a",
        "main perform a",
        "main perform b",
        "post perform b",
        "post perform a",
        "complete",
    ]
    assert state.phase is Phase.DONE
    assert state.status is Conclusion.SUCCESS


def test_a_failed_set_up_runs_nothing():
    state = JobState()
    machine.apply(state, machine.PreparationFailed())
    assert machine.decide(state) == machine.Complete()
    assert state.status is Conclusion.FAILURE


def test_background_steps_nobody_waited_for_are_waited_for_before_posts():
    told, _ = drive((run_step("a", background=True), run_step("b")), posts_of=("b",))
    assert told == [
        "main launch a",
        "main perform b",
        "main await ['a']",
        "post perform b",
        "complete",
    ]


def test_a_failed_background_step_fails_the_job_through_its_wait():
    wait = WaitStep(id="__wait", targets=(Text("a"),))

    def conclude(task: Task) -> Conclusion:
        return Conclusion.FAILURE if task.step_id == "a" else Conclusion.SUCCESS

    told, state = drive((run_step("a", background=True), wait), conclude)
    assert told == ["main launch a", "main await __wait['a']", "complete"]
    assert state.status is Conclusion.FAILURE


def test_a_cancelled_background_step_does_not_count():
    cancel = CancelStep(id="__cancel", target=Text("a"))
    _, state = drive(
        (run_step("a", background=True), cancel),
        lambda task: Conclusion.CANCELLED if task.step_id == "a" else Conclusion.SUCCESS,
    )
    assert state.status is Conclusion.SUCCESS


def test_a_parallel_group_launches_its_steps_and_waits_for_them():
    group = ParallelStep(id="__parallel", steps=(run_step("a"), run_step("b")))
    told, _ = drive((group, run_step("c")))
    assert told == [
        "main launch a",
        "main launch b",
        "main await __parallel['a', 'b']",
        "main perform c",
        "complete",
    ]


def test_wait_all_waits_for_what_is_not_covered_yet():
    steps: tuple[Step, ...] = (
        run_step("a", background=True),
        run_step("b", background=True),
        WaitStep(id="w1", targets=(Text("a"),)),
        WaitStep(id="w2", targets=None),
    )
    told, _ = drive(steps)
    assert told[2:] == ["main await w1['a']", "main await w2['b']", "complete"]


def test_cancellation_wins_over_failure_and_success():
    state = JobState()
    machine.apply(state, machine.Prepared((), machine.tasks_of((run_step("a"),))))
    machine.apply(state, machine.CancelReceived())
    command = machine.decide(state)
    assert isinstance(command, machine.Perform)
    machine.apply(state, machine.TaskEnded(command.task, Conclusion.FAILURE))
    assert state.status is Conclusion.CANCELLED


@given(
    st.lists(
        st.tuples(st.booleans(), st.sampled_from([Conclusion.SUCCESS, Conclusion.FAILURE])),
        max_size=8,
    )
)
def test_every_job_ends_and_every_step_is_told_once(
    drawn: list[tuple[bool, Conclusion]],
) -> None:
    results = {f"s{number}": result for number, (_, result) in enumerate(drawn)}
    steps = tuple(
        run_step(f"s{number}", background=background)
        for number, (background, _) in enumerate(drawn)
    )
    told, state = drive(steps, lambda task: results.get(task.step_id, Conclusion.SUCCESS))
    started = [line for line in told if "perform" in line or "launch" in line]
    assert len(started) == len(steps)
    failed = Conclusion.FAILURE in results.values()
    assert state.status is (Conclusion.FAILURE if failed else Conclusion.SUCCESS)


def drive_containers(
    images: int, *, containers: bool, failing: tuple[Kind, ...] = ()
) -> tuple[list[str], JobState]:
    """Run a job of one step with containers; tasks that may not run are skipped, as the worker does."""
    state = JobState()
    tasks = machine.container_tasks(images, containers=containers)
    machine.apply(state, machine.Prepared((), machine.tasks_of((run_step("a"),)), tasks))
    told: list[str] = []
    while isinstance(command := machine.decide(state), machine.Perform):
        task = command.task
        conclusion = Conclusion.FAILURE if task.kind in failing else Conclusion.SUCCESS
        if not machine.may_run(state, task):
            conclusion = Conclusion.SKIPPED
        told.append(f"{task.kind} {conclusion}")
        machine.apply(state, machine.TaskEnded(task, conclusion))
    return told, state


def test_images_come_first_then_the_containers_which_go_last():
    told, state = drive_containers(2, containers=True)
    assert told == [
        "image success",
        "image success",
        "begin success",
        "perform success",
        "end success",
    ]
    assert state.status is Conclusion.SUCCESS


def test_containers_that_were_never_begun_are_not_removed():
    told, state = drive_containers(2, containers=True, failing=(Kind.IMAGE,))
    assert told == ["image failure", "image skipped", "begin skipped", "perform success"]
    assert state.status is Conclusion.FAILURE


def test_containers_that_failed_to_begin_are_removed():
    told, state = drive_containers(0, containers=True, failing=(Kind.BEGIN,))
    assert told == ["begin failure", "perform success", "end success"]
    assert state.status is Conclusion.FAILURE


def test_a_job_without_containers_has_no_tasks_for_them():
    assert drive_containers(0, containers=False)[0] == ["perform success"]


def test_the_containers_go_after_every_other_post():
    state = JobState()
    tasks = machine.container_tasks(0, containers=True)
    machine.apply(state, machine.Prepared((), machine.tasks_of((run_step("a"),)), tasks))
    machine.apply(state, machine.TaskEnded(tasks[0], Conclusion.SUCCESS))
    post = Task(stage=Stage.POST, kind=Kind.PERFORM, slot=0, step_id="a")
    machine.apply(state, machine.PostRegistered(post))
    main = machine.decide(state)
    assert isinstance(main, machine.Perform)
    machine.apply(state, machine.TaskEnded(main.task, Conclusion.SUCCESS))
    assert machine.decide(state) == machine.Perform(post)
    machine.apply(state, machine.TaskEnded(post, Conclusion.SUCCESS))
    assert machine.decide(state) == machine.Perform(machine.END)
