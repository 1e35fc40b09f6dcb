"""Session steps: a phase's commands, fed one by one to a shell that outlives the step."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from datetime import UTC, datetime

from trunkline.engine.processes import Ended, Kept, Sink, run_to_end
from trunkline.engine.sessions import Session, Shell
from trunkline.engine.step_runner import StepFailed, StepRunner, Stop, Work
from trunkline.ports.process import ProcessSpec
from trunkline.run.events import Conclusion
from trunkline.run.facts import TIMEOUT
from trunkline.workflow.model import SessionStep, Text

SUCCEEDED = "SUCCEEDED"
ERROR = "COMMAND_EXECUTION_ERROR"
TIMED_OUT, STOPPED = "BUILD_TIMED_OUT", "BUILD_STOPPED"
# How a phase ended, by its status code (API reference: BuildPhase, phaseStatus).
STATES = {ERROR: "FAILED", TIMED_OUT: "TIMED_OUT", STOPPED: "STOPPED"}
# How much of a failed command's output a retry pattern is looked for in, in bytes.
TAIL = 1 << 16
PATTERN_SECONDS = 1.0


def perform(runner: StepRunner, work: Work) -> Stop:
    """Run a phase as CodeBuild does (build-spec-ref: phases, finally, on-failure)."""
    step = work.instance.step
    if not isinstance(step, SessionStep):
        raise TypeError(step)
    phase = _Phase(runner, work, step)
    failure = phase.perform()
    outputs = phase.exported()
    conclusion = Conclusion.FAILURE if failure else Conclusion.SUCCESS
    return Stop(conclusion, None, outputs)


class _Phase:
    """One phase: its commands, and those that run whatever they came to."""

    def __init__(self, runner: StepRunner, work: Work, step: SessionStep) -> None:
        self._runner = runner
        self._work = work
        self._step = step
        work.output.read_as_text()
        self._sink = _Tail(work.output)
        self._folder = self._admitted() if step.user else ""
        home = {"HOME": posixpath.join(self._folder, "home")} if self._folder else {}
        access = runner.context.access
        git = runner.context.git.variables(access.git, {**work.place.env, **home})
        self._env = runner.environment(work, {**access.scripts, **git, **home})
        self._program = self._find(step.shell or "sh")
        self._session = self._opened()

    def perform(self) -> str:
        """Run the phase, again as often as a retry allows; return why it failed, '' if not."""
        step = self._step
        if step.phase:
            self._tell(f"Entering phase {step.phase}")
        self._session.enter(self._env, self._work.output, self._work.limits)
        left = step.retry.count if step.retry is not None else 0
        failure = self._once()
        while failure and left and self._may_retry(failure):
            left -= 1
            self._tell(f"Retrying phase {step.phase}, {left} more retries are left")
            failure = self._once()
        if step.phase:
            self._complete(failure)
        return failure

    def exported(self) -> dict[str, str]:
        """Return the exported variables as they are now."""
        if not self._step.exported or self._work.limits.token.asked:
            return {}
        return self._session.values(self._step.exported, self._work.output, self._work.limits)

    def _once(self) -> str:
        failure = self._all(self._step.commands)
        if self._work.limits.token.asked or failure.startswith(TIMED_OUT):
            return failure
        last = self._all(self._step.finally_)
        return failure or last

    def _all(self, commands: Iterable[Text]) -> str:
        for command in commands:
            failure = self._command(command.value)
            if failure:
                return failure
        return ""

    def _command(self, text: str) -> str:
        shown = text.strip()
        if self._step.phase:
            self._tell(f"Running command {shown}")
        self._sink.clear()
        ended = self._alone(text) if self._step.isolated else self._together(text)
        token = self._work.limits.token
        if ended.timed_out or (ended.cancelled and token.by == TIMEOUT):
            return f"{TIMED_OUT}: Build has timed out."
        if ended.exit_code == 0 and not ended.cancelled:
            return ""
        if ended.cancelled:
            return f"{STOPPED}: Command was stopped: {shown}"
        self._tell(f"Command did not exit successfully {shown} exit status {ended.exit_code}")
        return (
            f"{ERROR}: Error while executing command: {shown}. "
            f"Reason: exit status {ended.exit_code}"
        )

    def _together(self, text: str) -> Ended:
        return self._session.run(text, self._sink, self._work.limits)

    def _alone(self, text: str) -> Ended:
        """Run a command in a shell of its own, as version 0.1 has it."""
        layout = self._runner.context.layout
        path = posixpath.join(layout.temp, f"{self._runner.tools.ids.token()}.sh")
        sandbox = self._runner.context.sandbox
        sandbox.put(path, text.encode("utf-8", "surrogateescape"), 0o644)
        process = sandbox.start(
            ProcessSpec(
                argv=(self._program, path),
                env=self._env,
                cwd=layout.workspace,
                user=self._step.user,
            )
        )
        return run_to_end(process, self._sink, self._runner.tools.clock, self._work.limits)

    def _complete(self, failure: str) -> None:
        phase, state = self._step.phase, STATES.get(failure.partition(":")[0], SUCCEEDED)
        code, _, message = failure.partition(": ")
        self._tell(f"Phase complete: {phase} State: {state}")
        self._tell(f"Phase context status code: {code} Message: {message}")
        if failure:
            self._work.output.annotate("error", f"{phase}: {failure}")

    def _may_retry(self, failure: str) -> bool:
        retry = self._step.retry
        if retry is None or self._work.limits.token.asked or failure.startswith(TIMED_OUT):
            return False
        try:
            pattern = self._runner.tools.compile_pattern(retry.pattern, True)  # noqa: FBT003
            text = f"{failure}\n{self._sink.text()}"
            return pattern.search(text, timeout=PATTERN_SECONDS) is not None
        except (ValueError, TimeoutError) as error:
            raise StepFailed(f"on-failure: '{retry.pattern}' can't be matched: {error}") from error

    def _tell(self, text: str) -> None:
        """Print a line of the build's own, in CodeBuild's form."""
        moment = datetime.fromtimestamp(self._runner.tools.clock.now(), UTC)
        stamp = moment.strftime("%Y/%m/%d %H:%M:%S.%f")
        self._work.output.engine_lines(
            [f"[Container] {stamp} {line}" for line in text.splitlines()[:1]]
            + text.splitlines()[1:]
        )

    def _find(self, shell: str) -> str:
        program = self._runner.context.sandbox.find(shell, self._env["PATH"])
        if program is None:
            raise StepFailed(f"The shell '{shell}' is not here")
        return program

    def _admitted(self) -> str:
        """Make the folder that belongs to another user: its HOME, and its session's state."""
        user, context = self._step.user, self._runner.context
        folder = posixpath.join(context.layout.temp, "sessions", f"as-{user.replace('/', '_')}")
        script = 'mkdir -p -- "$1/home" && chown -R -- "$2" "$1"'
        argv = ("/bin/sh", "-c", script, "sh", folder, user)
        process = context.sandbox.start(
            ProcessSpec(argv=argv, env=context.layout.env, cwd=context.layout.workspace)
        )
        kept = Kept()
        ended = run_to_end(process, kept, self._runner.tools.clock, self._work.limits)
        if ended.exit_code:
            raise StepFailed(f"run-as: '{user}' can't run commands here: {kept.text.strip()}")
        return folder

    def _opened(self) -> Session:
        sessions = self._runner.context.sessions
        # Two builds of one job (composite actions) share nothing.
        key = (self._program, self._step.user, id(self._work.instance.scope))
        if key not in sessions:
            layout, tools = self._runner.context.layout, self._runner.tools
            mark = tools.ids.token()
            folder = self._folder or posixpath.join(layout.temp, "sessions", mark[:8])
            shell = Shell(
                program=self._program, user=self._step.user, folder=folder, mark=f"trunkline-{mark}"
            )
            sandbox = self._runner.context.sandbox
            sessions[key] = Session(sandbox, tools.clock, shell, layout.workspace)
        session: Session = sessions[key]
        return session


class _Tail:
    """A sink that passes output on and keeps the end of it."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._kept = b""

    def feed(self, data: bytes) -> None:
        """Take a chunk of output."""
        self._kept = (self._kept + data)[-TAIL:]
        self._sink.feed(data)

    def tick(self) -> None:
        """Let go of lines held back for a batch."""
        self._sink.tick()

    def clear(self) -> None:
        """Forget what was kept."""
        self._kept = b""

    def text(self) -> str:
        """Return what was kept."""
        return self._kept.decode("utf-8", "replace")
