"""One run's loop: facts in, events to the journal, then commands to workers and gates.

Everything that happens to a run passes through one queue and one thread. Workers have threads of
their own and tell the loop what they see; they share nothing else with it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Protocol

import msgspec

from trunkline.base.errors import TrunklineError, Unavailable
from trunkline.engine.deadlines import Alarm, Deadlines, Due
from trunkline.ports.clock import Clock
from trunkline.ports.gate import Claim, Gate, Standing
from trunkline.ports.journal import Journal
from trunkline.run.decide import react
from trunkline.run.events import Event, Group, Record, RunStarted
from trunkline.run.facts import (
    TIMEOUT,
    USER,
    Begun,
    CancelAsked,
    CancelJob,
    Command,
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
)
from trunkline.run.job_request import JobRequest
from trunkline.run.state import RunState

# How long a killed job may take to say so before the run goes on without it (seconds).
GRACE = 15.0
# How long the loop sleeps at most without a look at the clock (seconds).
LONGEST_SLEEP = 3600.0


class Worker(Protocol):
    """Performs one job on the thread that calls `run`."""

    def run(self) -> None:
        """Perform the job to its end; its last report is JobCompleted."""
        ...

    def cancel(self, by: str, *, force: bool = False) -> None:
        """Ask the job to stop. Called from another thread; more than once, at last with force."""
        ...


MakeWorker = Callable[[JobRequest, Callable[[Event], None]], Worker]


class RunPorts(msgspec.Struct, frozen=True):
    """What a run loop works with. `observe` gets every record after it is in the journal."""

    journal: Journal
    gate: Gate
    clock: Clock
    make_worker: MakeWorker
    observe: Callable[[Record], None]


class Hand(msgspec.Struct, frozen=True):
    """A worker and the thread it works on."""

    worker: Worker
    thread: threading.Thread


class RunLoop:
    """Drives one run; `run` is called once, `cancel` and `wake` from any thread or signal handler."""

    def __init__(self, ports: RunPorts) -> None:
        self._ports = ports
        self._inbox: SimpleQueue[Fact | None] = SimpleQueue()
        self._deadlines = Deadlines()
        self._hands: dict[str, Hand] = {}
        self._claims: dict[str, list[Claim]] = {}
        self._written = 0
        self._finished = False
        self.state = RunState()

    def cancel(self, by: str = USER, *, key: str = "", force: bool = False) -> None:
        """Ask the run, or one leg, to stop; with `force` without grace."""
        self._inbox.put(CancelAsked(by, key, force))

    def wake(self) -> None:
        """Look at the clock now: for clocks that jump."""
        self._inbox.put(None)

    def run(self, started: RunStarted) -> RunState:
        """Perform the run to its end and return its last state.

        Raises Unavailable when the journal or the run's own concurrency group can't be had; its
        jobs are killed then.
        """
        try:
            self._take([Begun(started)])
            while not self._finished:
                self._take(self._next_facts())
        finally:
            if not self._finished:
                self._kill_all()
            for key in tuple(self._claims):
                self._leave_groups(key)
        return self.state

    # --- facts --------------------------------------------------------------------------

    def _next_facts(self) -> list[Fact]:
        """Wait until something happens or is due; return all of it."""
        found = self._wait()
        facts = [] if found is None else [found]
        while not self._inbox.empty():
            more = self._inbox.get_nowait()
            if more is not None:
                facts.append(more)
        facts += [self._alarm(due) for due in self._deadlines.due(self._ports.clock.monotonic())]
        return facts

    def _wait(self) -> Fact | None:
        at = self._deadlines.next()
        patience = LONGEST_SLEEP if at is None else at - self._ports.clock.monotonic()
        try:
            return self._inbox.get(timeout=min(max(patience, 0.0), LONGEST_SLEEP))
        except Empty:
            return None

    def _alarm(self, due: Due) -> Fact:
        match due.alarm:
            case Alarm.TIMEOUT:
                return CancelAsked(TIMEOUT, due.key)
            case Alarm.KILL:
                by = self.state.legs[due.key].cancelled_by
                return CancelAsked(by, due.key, force=True)
            case Alarm.GIVE_UP:
                return WorkerFailed(
                    due.key, f"The job did not end {GRACE:.0f} seconds after it was killed."
                )

    def _take(self, facts: list[Fact]) -> None:
        events: list[Event] = []
        commands: list[Command] = []
        for fact in facts:
            if isinstance(fact, WorkerFailed):
                self._hands.pop(fact.key, None)
            decision = react(self.state, fact)
            events.extend(decision.events)
            commands.extend(decision.commands)
        self._write(events)
        for command in commands:
            self._perform(command)

    def _write(self, events: list[Event]) -> None:
        if not events:
            return
        first = self._written + 1
        self._written = self._ports.journal.append(events, self._written)
        now = self._ports.clock.now()
        for number, event in enumerate(events, first):
            self._ports.observe(Record(number=number, at=now, event=event))

    # --- commands -----------------------------------------------------------------------

    def _perform(self, command: Command) -> None:
        match command:
            case StartJob(request):
                self._start(request)
            case CancelJob(key, by, force):
                self._cancel(key, by, force=force)
            case EnterGroup(key, group):
                self._enter_group(key, group)
            case LeaveGroups(key):
                self._leave_groups(key)
            case FinishRun():
                self._finished = True

    def _start(self, request: JobRequest) -> None:
        key = request.key
        try:
            worker = self._ports.make_worker(request, self._report)
        except TrunklineError as error:
            self._inbox.put(WorkerFailed(key, error.message))
            return
        thread = threading.Thread(
            target=self._work, args=(key, worker), name=f"job {key}", daemon=True
        )
        self._hands[key] = Hand(worker, thread)
        at = self._ports.clock.monotonic() + request.leg.timeout_minutes * 60
        self._deadlines.add(at, key, Alarm.TIMEOUT)
        thread.start()

    def _report(self, event: Event) -> None:
        self._inbox.put(Reported(event))

    def _work(self, key: str, worker: Worker) -> None:
        """Perform a job on its thread; whatever breaks in there breaks this job only."""
        message = "The worker ended without a result."
        try:
            worker.run()
        except TrunklineError as error:
            message = error.message
        except Exception as error:  # noqa: BLE001 - the last frame of the thread: told, not lost
            message = f"Trunkline itself failed in this job: {type(error).__name__}: {error}"
        self._inbox.put(WorkerFailed(key, message))

    def _cancel(self, key: str, by: str, *, force: bool) -> None:
        now = self._ports.clock.monotonic()
        if force:
            self._deadlines.add(now + GRACE, key, Alarm.GIVE_UP)
        else:
            minutes = self.state.legs[key].leg.cancel_timeout_minutes
            self._deadlines.add(now + minutes * 60, key, Alarm.KILL)
        hand = self._hands.get(key)
        if hand is not None:
            hand.worker.cancel(by, force=force)

    def _kill_all(self) -> None:
        """End every job at once: the run can't go on."""
        for hand in self._hands.values():
            if hand.thread.is_alive():
                hand.worker.cancel(USER, force=True)
        for hand in self._hands.values():
            hand.thread.join(GRACE)

    # --- groups -------------------------------------------------------------------------

    def _enter_group(self, key: str, group: Group) -> None:
        held = self._claims.setdefault(key, [])
        run_id = self.state.begun.run_id
        holder = f"{run_id}/{key}" if key else run_id
        claim = Claim(
            group=group.name,
            holder=f"{holder}#{len(held) + 1}" if held else holder,
            cancel_in_progress=group.cancel_in_progress,
            queue=group.queue,
        )

        def changed(standing: Standing) -> None:
            if standing is Standing.GRANTED:
                self._inbox.put(GroupGranted(key, group.name))
            elif standing is Standing.SUPERSEDED:
                self._inbox.put(GroupLost(key, group.name))

        try:
            standing = self._ports.gate.acquire(claim, changed)
        except Unavailable as error:
            if not key:
                raise
            self._inbox.put(GroupFailed(key, error.message))
            return
        held.append(claim)
        changed(standing)

    def _leave_groups(self, key: str) -> None:
        for claim in self._claims.pop(key, []):
            self._ports.gate.release(claim)
