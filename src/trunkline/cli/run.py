"""`trunkline run [EVENT]`: run what an event starts in this repository, on this machine."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from getpass import getpass
from types import FrameType

import msgspec
from msgspec.structs import replace

from trunkline import settings
from trunkline.app import System
from trunkline.app.adapter_table import adapter
from trunkline.base.diagnostics import Severity
from trunkline.base.errors import InvalidPipeline, TrunklineError, UsageError
from trunkline.cli import arguments
from trunkline.cli.main import load
from trunkline.cli.prospects import choices, prospect
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
CANCELLED = 130
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(argv: list[str]) -> int:
    """Run the event; return the worst exit code of its runs. Raises TrunklineError."""
    options = _parser().parse_args(argv)
    if options.dryrun:
        return _dry_run(options)
    system = _system(options)
    try:
        return _run_event(system, options)
    finally:
        system.close()


def _run_event(system: System, options: argparse.Namespace) -> int:
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
        finished = _perform(system, options, view, (found, outlook))
    finally:
        _close(view)
    return _exit_code(finished)


def _close(view: View) -> None:
    """Close a view; a run ends as it ends, whether or not its output was read."""
    try:
        view.close()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _perform(
    system: System,
    options: argparse.Namespace,
    view: View,
    what: tuple[planning.Prospect, planning.Outlook],
) -> Finished:
    found, outlook = what
    world = system.world(view.lines, dirty=found.facts.dirty)
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


# --- what the command line says -----------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = arguments.verb_parser(
        "run", "Run what an event starts in this repository, on this machine."
    )
    arguments.add_event(parser)
    arguments.add_repository(parser)
    arguments.add_selection(parser)
    arguments.add_values(parser)
    parser.add_argument(
        "--native",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="built-in implementations of well-known actions (default: on)",
    )
    parser.add_argument(
        "--max-parallel", type=_count, metavar="N", help="jobs at once (default: cores)"
    )
    parser.add_argument(
        "--pass-env",
        action="append",
        default=[],
        metavar="NAME",
        help="let jobs see this variable of yours (repeatable)",
    )
    parser.add_argument(
        "--publish",
        action="store_true",
        help="let images be pushed to the registries that they name, artifacts of builds to their "
        "buckets, and what jobs write to GitHub with your GITHUB_TOKEN",
    )
    parser.add_argument(
        "--network-policy",
        choices=("none", "registry", "open"),
        help="what containers of jobs reach besides each other (default: open): nothing, the "
        "local registry, or everything",
    )
    parser.add_argument(
        "--pause-on-failure",
        action="store_true",
        help="open a shell in the place of a step that failed, then go on (implies --plain)",
    )
    parser.add_argument(
        "-n", "--dryrun", action="store_true", help="show what would run, run nothing"
    )
    _add_views(parser)
    return parser


def _add_views(parser: argparse.ArgumentParser) -> None:
    """Let the user choose how a run is shown."""
    parser.add_argument(
        "--json", action="store_true", help="one JSON record a line: events and log lines"
    )
    parser.add_argument("--plain", action="store_true", help="plain lines, also on a terminal")
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="tell what was not started, too"
    )
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="results only, no output of jobs"
    )


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of jobs")
    return int(text)


def _system(options: argparse.Namespace) -> System:
    found = settings.read()
    given, to_ask = arguments.secrets(options.secret, found.environment)
    for name in to_ask:
        given[name] = _ask(name)
    dotenv = adapter("dotenv")
    env = {
        **dotenv(arguments.dotenv_file(options, "env")),
        **arguments.pairs(options.env, "--env K=V"),
    }
    return System(
        found,
        replace(
            choices(options),
            native=options.native,
            pass_env=tuple(options.pass_env),
            publish=options.publish,
            pauses=options.pause_on_failure,
            network_policy=options.network_policy or found.network_policy,
            secrets=given,
            env=env,
            secret_file=arguments.dotenv_file(options, "secret"),
        ),
    )


def _ask(name: str) -> str:
    if not sys.stdin.isatty():
        raise UsageError(
            f"the secret {name} is not in the environment",
            hint=f"Give it as -s {name}=VALUE, in the environment, or in .secrets.",
        )
    return getpass(f"{name}: ")


def _dry_run(options: argparse.Namespace) -> int:
    options.format = "tree"
    shown: int = load("trunkline.cli.plan:show")(options)
    return shown


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
