"""A shell in the place of a step that failed (`--pause-on-failure`), before its job goes on.

Its commands are fed to a session, as those of a buildspec are: so it is the same on this machine and
in a container. It has no job control, and programs that draw on the screen find no terminal.
"""

from __future__ import annotations

import posixpath
import shlex
import threading
from functools import partial

from trunkline.base.errors import TrunklineError
from trunkline.engine.job_context import TemplateError
from trunkline.engine.kind_script import working_folder
from trunkline.engine.processes import TICK, Limits
from trunkline.engine.sessions import Session, Shell
from trunkline.engine.step_names import default_name
from trunkline.engine.step_runner import (
    FindHandler,
    Handler,
    StepFailed,
    StepRunner,
    Stop,
    Work,
)
from trunkline.ports.terminal import Terminal
from trunkline.run.events import Conclusion
from trunkline.workflow.model import RunStep

# A composite action fails where a step of it fails, which has been looked at by then.
COMPOSITE = "composite"
SHELLS = ("bash", "sh")
OPENED = "Paused: a shell is open in this step's place"
INVITATION = "exit (or Ctrl-D) goes on with the job; Ctrl-C cancels the run."


class Pauses:
    """Finds what carries out a kind of step, as `find` does, and pauses where a step fails.

    Thread-safe: one shell is open at a time, since there is one terminal; other jobs go on.
    """

    def __init__(self, find: FindHandler, terminal: Terminal) -> None:
        self._find = find
        self._terminal = terminal
        self._free = threading.Lock()

    def __call__(self, kind: str) -> Handler:
        """Return what carries out steps of a kind."""
        handler = self._find(kind)
        return handler if kind == COMPOSITE else partial(self._watch, handler)

    def _watch(self, handler: Handler, runner: StepRunner, work: Work) -> Stop:
        try:
            stop = handler(runner, work)
        except (StepFailed, TemplateError, TrunklineError) as error:
            self._pause(runner, work, str(error))
            raise
        if stop.conclusion is Conclusion.FAILURE:
            code = stop.exit_code
            self._pause(runner, work, "it failed" if code is None else f"exit code {code}")
        return stop

    def _pause(self, runner: StepRunner, work: Work, why: str) -> None:
        if _is_tolerated(runner, work):
            return
        while not work.limits.token.asked:
            if self._free.acquire(timeout=TICK):
                try:
                    self._open(runner, work, why)
                finally:
                    self._free.release()
                return

    def _open(self, runner: StepRunner, work: Work, why: str) -> None:
        """Have a shell open until it is left, or somebody wants the step to stop.

        The step's own time limit does not end it; that of the job cancels the job, as ever.
        """
        limits, screen = Limits(work.limits.token, None), _Screen(self._terminal)
        work.output.tell(OPENED)
        name = work.instance.name or default_name(work.instance.step)
        job = runner.context.request.leg.name
        self._terminal.forget()
        self._say(f"\n{job}: step '{name}': {why}\n{INVITATION}")
        session = None
        try:
            session = _session(runner, work)
            session.enter(runner.environment(work, runner.context.access.scripts), screen, limits)
            session.run(f"cd -- {shlex.quote(_folder(runner, work))}", screen, limits)
            while session.is_open and not limits.token.asked:
                line = self._ask(f"{job} $ ", limits)
                if not line:
                    break
                session.run(line, screen, limits)
        except TrunklineError as error:
            self._say(str(error))
        finally:
            if session is not None:
                session.end()
        if not limits.token.asked:
            self._say("The job goes on.")

    def _ask(self, prompt: str, limits: Limits) -> str:
        """Return the next command, never a blank one; '' when there is none any more."""
        self._terminal.write(prompt.encode())
        while not limits.token.asked:
            typed = self._terminal.read(TICK)
            if typed is None:
                continue
            if not typed:
                self._terminal.write(b"\n")
                return ""
            line = typed.decode("utf-8", "surrogateescape").rstrip("\r\n")
            if line.strip():
                return line
            self._terminal.write(prompt.encode())
        return ""

    def _say(self, text: str) -> None:
        self._terminal.write(f"{text}\n".encode("utf-8", "replace"))


class _Screen:
    """A sink that shows what commands print, as they print it: nothing of it is logged."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def feed(self, data: bytes) -> None:
        """Take a chunk of output."""
        self._terminal.write(data)

    def tick(self) -> None:
        """Nothing is held back."""


def _is_tolerated(runner: StepRunner, work: Work) -> bool:
    """Tell whether the job is fine with the failure (`continue-on-error`)."""
    token = work.instance.step.continue_on_error
    if token is None:
        return False
    try:
        return runner.context.boolean(token, work.place, "continue-on-error")
    except TemplateError:
        return False


def _folder(runner: StepRunner, work: Work) -> str:
    """Return the folder that a step worked in."""
    step = work.instance.step
    try:
        if isinstance(step, RunStep):
            return working_folder(runner, work, step)
    except TemplateError:
        pass
    return runner.context.layout.workspace


def _session(runner: StepRunner, work: Work) -> Session:
    """Return a shell in the step's place, not yet started."""
    context, tools = runner.context, runner.tools
    path = runner.environment(work, {})["PATH"]
    found = (context.sandbox.find(shell, path) for shell in SHELLS)
    program = next((each for each in found if each is not None), "/bin/sh")
    mark = tools.ids.token()
    folder = posixpath.join(context.layout.temp, "sessions", mark[:8])
    shell = Shell(program=program, user="", folder=folder, mark=f"trunkline-{mark}")
    return Session(context.sandbox, tools.clock, shell, context.layout.workspace)
