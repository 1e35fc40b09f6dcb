"""The run loop with scripted workers, a journal in memory and a clock that jumps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from tests.scripted_runs import plan_of, run_of, told
from tests.yardstick import in_yardsticks
from trunkline.adapters.clock import FakeClock, SystemClock
from trunkline.adapters.gates.memory import MemoryGate
from trunkline.adapters.journals.memory import MemoryJournal
from trunkline.base.errors import TrunklineError, Unavailable
from trunkline.engine.run_loop import GRACE, RunLoop, RunPorts, Worker
from trunkline.ports.gate import Claim, Standing
from trunkline.run.events import (
    Conclusion,
    Event,
    JobCompleted,
    JobStarted,
    Record,
    RunStarted,
    StepCompleted,
)
from trunkline.run.fold import fold
from trunkline.run.job_request import JobRequest

JOB = "runs-on: ubuntu-latest, steps: [{run: x}]"
ONE = f"on: push\njobs: {{one: {{{JOB}}}}}\n"
Act = Callable[["ScriptedWorker"], None]
PATIENCE = 60.0


class ScriptedWorker:
    """A worker that does what its script says; without one it succeeds at once."""

    def __init__(self, request: JobRequest, report: Callable[[Event], None], act: Act) -> None:
        self.request = request
        self.report = report
        self.cancelled = threading.Event()
        self.killed = threading.Event()
        self._act = act

    def run(self) -> None:
        self.report(JobStarted(key=self.request.key))
        self._act(self)

    def cancel(self, by: str, *, force: bool = False) -> None:
        assert by in {"user", "timeout", "concurrency", "fail-fast"}
        (self.killed if force else self.cancelled).set()

    def end(self, conclusion: Conclusion = Conclusion.SUCCESS) -> None:
        self.report(JobCompleted(key=self.request.key, conclusion=conclusion))


def succeed(worker: ScriptedWorker) -> None:
    worker.end()


def obey(worker: ScriptedWorker) -> None:
    assert worker.cancelled.wait(PATIENCE)
    worker.end(Conclusion.CANCELLED)


def resist(worker: ScriptedWorker) -> None:
    assert worker.killed.wait(PATIENCE)
    worker.end(Conclusion.CANCELLED)


class Stage:
    """A loop with all that it needs; `acts` are by leg key."""

    def __init__(self, acts: dict[str, Act] | None = None, **ports: Any) -> None:
        self.acts = acts or {}
        self.clock = FakeClock()
        self.journal = MemoryJournal(self.clock)
        self.seen: list[Record] = []
        self.workers: dict[str, ScriptedWorker] = {}
        made = RunPorts(
            journal=self.journal,
            gate=MemoryGate(),
            clock=self.clock,
            make_worker=self.make_worker,
            observe=self.observe,
        )
        self.loop = RunLoop(replace(made, **ports))
        self.clock.watch(self.loop.wake)
        self.marks: dict[str, threading.Event] = {}
        self._lock = threading.Lock()

    def make_worker(self, request: JobRequest, report: Callable[[Event], None]) -> Worker:
        worker = ScriptedWorker(request, report, self.acts.get(request.key, succeed))
        self.workers[request.key] = worker
        return worker

    def observe(self, record: Record) -> None:
        self.seen.append(record)
        self.mark(told(record.event)).set()

    def mark(self, line: str) -> threading.Event:
        with self._lock:
            return self.marks.setdefault(line, threading.Event())

    def run(self, text: str, **given: Any) -> list[str]:
        """Run a workflow to its end; return its events after RunStarted."""
        self.loop.run(run_of(plan_of(text), **given))
        return self.lines()

    def begin(self, text: str, **given: Any) -> threading.Thread:
        thread = threading.Thread(target=self.run, args=(text,), kwargs=given, daemon=True)
        thread.start()
        return thread

    def wait(self, line: str) -> None:
        assert self.mark(line).wait(PATIENCE), (line, self.lines())

    def lines(self) -> list[str]:
        return [told(record.event) for record in self.journal.read()][1:]


def finish(thread: threading.Thread) -> None:
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_a_run_goes_through_its_graph():
    stage = Stage()
    lines = stage.run(f"on: push\njobs: {{b: {{needs: a, {JOB}}}, a: {{{JOB}}}}}\n")
    assert lines == [
        "JobExpanded a: a",
        "JobStarted a",
        "JobCompleted a: success",
        "JobExpanded b: b",
        "JobStarted b",
        "JobCompleted b: success",
        "RunCompleted: success",
    ]


def test_the_state_is_what_the_journal_says():
    stage = Stage()
    stage.run(ONE)
    assert fold(record.event for record in stage.journal.read()) == stage.loop.state


def test_observers_see_every_record_once_with_its_number():
    stage = Stage()
    stage.run(ONE)
    assert stage.seen == stage.journal.read()


def test_events_are_in_the_journal_before_their_commands_are_performed():
    stage = Stage()
    seen: list[str] = []

    def look(worker: ScriptedWorker) -> None:
        seen.extend(stage.lines())
        worker.end()

    stage.acts["one"] = look
    stage.run(ONE)
    assert seen[:2] == ["JobExpanded one: one", "JobStarted one"]


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (Unavailable("The disk is full."), "The disk is full."),
        (
            ZeroDivisionError("by zero"),
            "Trunkline itself failed in this job: ZeroDivisionError: by zero",
        ),
    ],
)
def test_a_worker_that_breaks_fails_its_job_only(failure, message):
    def break_down(_: ScriptedWorker) -> None:
        raise failure

    stage = Stage({"a": break_down})
    lines = stage.run(
        f"on: push\njobs: {{a: {{{JOB}}}, b: {{{JOB}}}, c: {{needs: a, if: always(), {JOB}}}}}\n"
    )
    assert f"Annotated a: error: {message}" in lines
    assert f"JobCompleted a: failure ({message})" in lines
    assert "JobCompleted b: success" in lines
    assert "JobCompleted c: success" in lines
    assert lines[-1] == "RunCompleted: failure"


def test_a_worker_that_can_not_be_made_fails_its_job():
    def refuse(_request: JobRequest, _report: Callable[[Event], None]) -> Worker:
        raise TrunklineError("no place")

    assert "JobCompleted one: failure (no place)" in Stage(make_worker=refuse).run(ONE)


def test_a_worker_that_forgets_its_result_fails_its_job():
    lines = Stage({"one": lambda _: None}).run(ONE)
    assert "JobCompleted one: failure (The worker ended without a result.)" in lines


def test_cancelling_reaches_the_worker():
    stage = Stage({"one": obey})
    thread = stage.begin(ONE)
    stage.wait("JobStarted one")
    stage.loop.cancel()
    finish(thread)
    assert stage.lines()[2:] == [
        "CancelRequested run: user",
        "CancelRequested one: user",
        "JobCompleted one: cancelled",
        "RunCompleted: cancelled",
    ]


def test_a_second_wish_kills():
    stage = Stage({"one": resist})
    thread = stage.begin(ONE)
    stage.wait("JobStarted one")
    stage.loop.cancel()
    stage.loop.cancel(force=True)
    finish(thread)
    assert "CancelRequested one: user by force" in stage.lines()


def test_a_jobs_time_is_up_to_the_fraction_of_a_minute():
    stage = Stage({"one": obey})
    thread = stage.begin(f"on: push\njobs: {{one: {{timeout-minutes: 0.5, {JOB}}}}}\n")
    stage.wait("JobStarted one")
    stage.clock.advance(29)
    stage.clock.advance(2)
    finish(thread)
    assert "Annotated one: error: The job has exceeded the maximum execution time of 30s" in (
        stage.lines()
    )
    assert "CancelRequested one: timeout" in stage.lines()


def test_a_cancelled_job_is_killed_when_its_patience_is_over():
    stage = Stage({"one": resist})
    thread = stage.begin(f"on: push\njobs: {{one: {{cancel-timeout-minutes: 1, {JOB}}}}}\n")
    stage.wait("JobStarted one")
    stage.loop.cancel()
    stage.wait("CancelRequested one: user")
    assert stage.workers["one"].cancelled.wait(PATIENCE)
    stage.clock.advance(61)
    finish(thread)
    assert "CancelRequested one: user by force" in stage.lines()


def test_a_killed_job_that_says_nothing_is_given_up():
    never = threading.Event()

    def sleep(_: ScriptedWorker) -> None:
        never.wait(PATIENCE)

    stage = Stage({"one": sleep})
    thread = stage.begin(ONE)
    stage.wait("JobStarted one")
    stage.loop.cancel(force=True)
    assert stage.workers["one"].killed.wait(PATIENCE)
    stage.clock.advance(GRACE + 1)
    finish(thread)
    never.set()
    message = f"The job did not end {GRACE:.0f} seconds after it was killed."
    assert f"JobCompleted one: cancelled ({message})" in stage.lines()


# --- groups -----------------------------------------------------------------------------

GROUPED = f"on: push\nconcurrency: g\njobs: {{one: {{{JOB}}}}}\n"
NEWEST = GROUPED.replace("concurrency: g", "concurrency: {group: g, cancel-in-progress: true}")


def test_runs_of_one_group_follow_each_other():
    gate = MemoryGate()
    first, second = Stage({"one": obey}, gate=gate), Stage(gate=gate)
    running = first.begin(GROUPED)
    first.wait("JobStarted one")
    waiting = threading.Thread(target=second.loop.run, args=(other_run(GROUPED),), daemon=True)
    waiting.start()
    second.wait("RunPending: g")
    assert "JobStarted one" not in second.lines()
    first.workers["one"].cancelled.set()
    finish(running)
    finish(waiting)
    assert second.lines()[-1] == "RunCompleted: success"


def test_a_newer_run_cancels_the_one_in_progress():
    gate = MemoryGate()
    first, second = Stage({"one": obey}, gate=gate), Stage(gate=gate)
    running = first.begin(GROUPED)
    first.wait("JobStarted one")
    waiting = threading.Thread(target=second.loop.run, args=(other_run(NEWEST),), daemon=True)
    waiting.start()
    finish(running)
    finish(waiting)
    assert "Warned: Canceling since a higher priority waiting request for 'g' exists" in (
        first.lines()
    )
    assert first.lines()[-1] == "RunCompleted: cancelled"
    assert second.lines()[-1] == "RunCompleted: success"


def other_run(text: str) -> RunStarted:
    started = run_of(plan_of(text))
    return RunStarted(
        run_id="8",
        number=2,
        plan=started.plan,
        github=started.github,
        options=started.options,
    )


def test_legs_of_one_group_do_not_run_together():
    lines = Stage().run(
        "on: push\njobs: {d: {concurrency: {group: g, queue: max}, "
        f"strategy: {{matrix: {{v: [1, 2, 3]}}}}, {JOB}}}}}\n"
    )
    shown = [line for line in lines if line.startswith(("JobStarted", "JobCompleted"))]
    assert sorted(line.split()[0] for line in shown[::2]) == ["JobStarted"] * 3
    assert lines[-1] == "RunCompleted: success"


class BrokenGate:
    """A gate whose disk is full."""

    def acquire(self, claim: Claim, changed: Callable[[Standing], None]) -> Standing:
        del changed
        raise Unavailable(f"No room for {claim.group}.")

    def release(self, claim: Claim) -> None:
        raise AssertionError(claim)


def test_a_gate_out_of_order_fails_a_job_but_ends_a_run():
    grouped_job = f"on: push\njobs: {{one: {{concurrency: g, {JOB}}}}}\n"
    lines = Stage(gate=BrokenGate()).run(grouped_job)
    assert lines[-2:] == ["JobCompleted one: failure (No room for g.)", "RunCompleted: failure"]
    with pytest.raises(Unavailable, match="No room for g"):
        Stage(gate=BrokenGate()).run(GROUPED)


# --- the journal breaks -------------------------------------------------------------------


class FullJournal(MemoryJournal):
    """A journal whose disk is full when a job ends."""

    def append(self, events: Sequence[Event], expected: int) -> int:
        if any(isinstance(event, JobCompleted) for event in events):
            raise Unavailable("No space left on device")
        return super().append(events, expected)


def test_a_full_disk_ends_the_run_and_kills_its_jobs():
    gate = MemoryGate()
    stage = Stage({"b": resist}, gate=gate)
    stage.journal = FullJournal(stage.clock)
    stage.loop = RunLoop(
        RunPorts(stage.journal, gate, stage.clock, stage.make_worker, stage.observe)
    )
    text = f"on: push\nconcurrency: g\njobs: {{b: {{{JOB}}}, a: {{{JOB}}}}}\n"
    with pytest.raises(Unavailable, match="No space left"):
        stage.run(text)
    assert stage.workers["b"].killed.is_set()
    claim = Claim(group="g", holder="next")
    assert gate.acquire(claim, lambda _: None) is Standing.GRANTED


# --- speed ------------------------------------------------------------------------------


def test_a_leg_costs_the_loop_little():
    def report(worker: ScriptedWorker) -> None:
        for number in range(1, 6):
            worker.report(
                StepCompleted(
                    key=worker.request.key,
                    number=number,
                    name="x",
                    outcome=Conclusion.SUCCESS,
                    conclusion=Conclusion.SUCCESS,
                )
            )
        worker.end()

    legs = 250
    values = ", ".join(str(number) for number in range(legs))
    started = run_of(
        plan_of(f"on: push\njobs: {{m: {{strategy: {{matrix: {{v: [{values}]}}}}, {JOB}}}}}\n"),
        options={"max_parallel": 4},
    )
    stage = Stage(dict.fromkeys((f"m ({n})" for n in range(legs)), report))
    stage.loop = RunLoop(
        RunPorts(stage.journal, MemoryGate(), SystemClock(), stage.make_worker, lambda _: None)
    )
    assert in_yardsticks(lambda: stage.loop.run(started)) / legs < 0.04
    assert stage.lines()[-1] == "RunCompleted: success"
