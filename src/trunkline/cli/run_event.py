"""Runs what an event starts, from its prospect to the exit code."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType

import msgspec

from trunkline.app import System
from trunkline.app.world import make_world
from trunkline.base.diagnostics import Severity
from trunkline.base.errors import InvalidPipeline, TrunklineError, Unavailable
from trunkline.cli import arguments, output
from trunkline.cli.program import program
from trunkline.cli.prospects import prospect
from trunkline.cli.view_choice import View, open_view
from trunkline.engine.job_worker import JobWorker
from trunkline.plan.triggers import NotTriggered
from trunkline.run.events import (
    Conclusion,
    ImagePushed,
    JobSkipped,
    JobStarted,
    Options,
    Record,
    RunStarted,
    SkipReason,
)
from trunkline.services import planning, runs
from trunkline.services.running import Runner, RunnerPorts

FAILED = 1
NOTHING_CAN_RUN = 2
UNWRITTEN = 3
CANCELLED = 130
NOT_LOST = "The run went on to its end; `{0} show` and `{0} logs` have it."
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_event(system: System, options: argparse.Namespace) -> int:
    """Run the event of a command line; return the worst exit code of its runs.

    Raises TrunklineError.
    """
    found = prospect(system, options)
    _refuse_mistakes(found)
    started = [outlook for outlook in found.outlooks if outlook.plan is not None]
    for outlook in found.outlooks:
        _tell_file(outlook, verbose=not started or options.verbose)
    if not started:
        return 0
    system.sandboxes.sweep()
    codes = [_run(system, options, found, outlook) for outlook in started]
    runs.forget_old(system.journals, system.clock, system.settings.keep_days)
    _collect_images(system)
    return max(codes)


def _collect_images(system: System) -> None:
    """Take away images that nobody needs; that this can't be done fails no run."""
    try:
        system.collect_images()
    except TrunklineError as error:
        sys.stderr.write(f"warning: garbage was not collected: {error.message}\n")


def _refuse_mistakes(found: planning.Prospect) -> None:
    """Stop when a file is wrong, telling all that there is to say about such files."""
    wrong = tuple(
        diagnostic
        for outlook in found.outlooks
        if outlook.errors
        for diagnostic in outlook.diagnostics
    )
    if wrong:
        raise InvalidPipeline(wrong, found.sources)


# --- one run ----------------------------------------------------------------------------


class Finished(msgspec.Struct, frozen=True):
    """What a run came to: who stopped it, and whether any job of it found a runner here."""

    conclusion: Conclusion | None
    by_user: bool
    stranded: bool


def _run(
    system: System,
    options: argparse.Namespace,
    found: planning.Prospect,
    outlook: planning.Outlook,
) -> int:
    view = open_view(_style(options, system.settings.is_ci), system)
    try:
        finished = _perform(system, options, view, found, outlook)
    finally:
        lost = _close(view)
    return max(lost, _exit_code(finished))


def _close(view: View) -> int:
    """Close a view; return the exit code of what was not written.

    A run ends as it ends, whether or not its output was read.
    """
    try:
        view.close()
    except BrokenPipeError:
        output.discard()
    except Unavailable as error:
        output.discard()
        sys.stderr.write(f"trunkline: {error.message}\n  {NOT_LOST.format(program())}\n")
        return UNWRITTEN
    return 0


def _perform(
    system: System,
    options: argparse.Namespace,
    view: View,
    found: planning.Prospect,
    outlook: planning.Outlook,
) -> Finished:
    world = make_world(system, view.lines, dirty=found.facts.dirty)
    observer = _Observer(system, view)
    picked = arguments.selection(options)
    runner = Runner(
        RunnerPorts(
            journals=system.journals,
            gate=system.gate(found.facts.full_name),
            clock=system.clock,
            ids=system.ids,
            secrets=system.secrets,
            make_worker=lambda request, report: JobWorker(request, world, report),
            observe=observer,
        ),
        Options(
            jobs=picked.jobs,
            matrix=picked.matrix,
            max_parallel=options.max_parallel or system.settings.cpus,
            platforms=picked.platforms,
            architecture=system.settings.architecture,
        ),
    )
    with _Signals(runner):
        state = runner.perform(found, outlook)
    for trouble in observer.troubles:
        sys.stderr.write(f"warning: {trouble}\n")
    stranded = bool(observer.stranded) and not observer.started
    return Finished(state.conclusion, runner.is_cancelled, stranded)


class _Observer:
    """Hears a run's records: shows them, counts its jobs, keeps the evidence of its images."""

    def __init__(self, system: System, view: View) -> None:
        self._system = system
        self._view = view
        self._begun: RunStarted | None = None
        self.started: list[str] = []
        self.stranded: list[str] = []
        self.troubles: list[str] = []

    def __call__(self, _run_id: str, record: Record) -> None:
        match record.event:
            case RunStarted() as begun:
                self._begun = begun
            case JobStarted(key=key):
                self.started.append(key)
            case JobSkipped(key=key, reason=SkipReason.NO_RUNNER):
                self.stranded.append(key)
            case ImagePushed() as pushed:
                self._keep(record.at, pushed)
            case _:
                pass
        self._view.record(record)

    def _keep(self, at: float, pushed: ImagePushed) -> None:
        """Keep the record of an image; the journal has it, whatever becomes of the record."""
        if self._begun is None:
            return
        try:
            self._system.keep_record(self._begun, at, pushed)
        except TrunklineError as error:
            self.troubles.append(f"where {pushed.reference} came from was not kept: {error}")


class _Signals:
    """While it is open, Ctrl-C, SIGTERM and SIGHUP cancel the run; a second one kills it.

    The kernel gives a signal to any thread, and Python's handlers wait until the main thread wakes
    up: a thread of its own hears of signals at once, through a pipe.
    """

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._before: dict[signal.Signals, object] = {}
        self._reader, self._writer = os.pipe()
        self._listener = threading.Thread(target=self._listen, name="signals", daemon=True)
        self._wakeup = -1

    def __enter__(self) -> None:
        os.set_blocking(self._writer, False)
        self._wakeup = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in STOPPING:
            self._before[number] = signal.signal(number, _heard)
        self._listener.start()

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        signal.set_wakeup_fd(self._wakeup)
        os.close(self._writer)
        self._listener.join()
        os.close(self._reader)

    def _listen(self) -> None:
        while numbers := os.read(self._reader, 1):
            if numbers[0] in STOPPING:
                self._runner.cancel()


def _heard(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: the listener has heard of it too."""


def _exit_code(finished: Finished) -> int:
    if finished.by_user and finished.conclusion is Conclusion.CANCELLED:
        return CANCELLED
    if finished.conclusion in {Conclusion.FAILURE, Conclusion.CANCELLED}:
        return FAILED
    return NOTHING_CAN_RUN if finished.stranded else 0


def _style(options: argparse.Namespace, is_ci: bool) -> str:  # noqa: FBT001
    if options.json:
        return "json"
    if options.quiet:
        return "quiet"
    if options.plain or options.pause_on_failure or is_ci or not sys.stdout.isatty():
        return "plain"
    return "live"


def _tell_file(outlook: planning.Outlook, *, verbose: bool) -> None:
    """Tell why a workflow was not started, and what lint has to say about one that was."""
    for diagnostic in outlook.diagnostics:
        # What has no effect here is among the plan's notes already.
        if outlook.plan is not None and diagnostic.severity is not Severity.NOTICE:
            sys.stderr.write(f"{diagnostic.severity}: {diagnostic.text()}\n")
    if verbose and isinstance(outlook.decision, NotTriggered):
        sys.stderr.write(f"{outlook.file} is not started: {outlook.decision.reason}\n")
    notes: Sequence[str] = outlook.plan.notes if outlook.plan is not None else ()
    for note in notes:
        sys.stderr.write(f"note: {note}\n")
