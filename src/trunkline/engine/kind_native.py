"""Native actions: what they may do to their job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trunkline.engine.action_inputs import given_inputs, header, warn_of_unknown
from trunkline.engine.action_loader import Native
from trunkline.engine.processes import Kept, Sink, run_to_end
from trunkline.engine.step_runner import StepFailed, StepRunner, Stop, Work
from trunkline.ports.actions import ActionCall, ActionFailed
from trunkline.ports.process import ProcessSpec
from trunkline.run.events import ArtifactStored, Conclusion
from trunkline.run.job_machine import Stage
from trunkline.workflow.model import UsesStep

# The owner of actions that only plans made from other files than workflows use.
OWN = "trunkline/"


def perform(runner: StepRunner, work: Work) -> Stop:
    """Run one stage of a native action in this process."""
    step, loaded = work.instance.step, work.instance.loaded
    if not isinstance(step, UsesStep) or not isinstance(loaded, Native):
        raise TypeError(step)
    inputs = given_inputs(runner.context, step, work.place)
    job = NativeJob(runner, work)
    call = ActionCall(
        uses=step.uses.value,
        inputs=inputs,
        env=job.env,
        github=runner.context.github(work.place),
        run_id=runner.context.request.run_id,
        job_key=runner.context.request.leg.key,
        state=dict(work.instance.state),
        job_status=runner.context.status.value,
        own_token=runner.context.access.own_token,
        cache_mode=runner.context.access.cache_mode,
    )
    try:
        if work.stage is Stage.POST:
            work.output.line("Post job cleanup.")
            loaded.action.post(call, job)
        else:
            _introduce(loaded, step.uses.value, inputs, work)
            warn_of_unknown(inputs, tuple(sorted(loaded.action.inputs)), work.output)
            work.instance.wants_post = loaded.action.has_post
            loaded.action.main(call, job)
    except ActionFailed as error:
        raise StepFailed(str(error)) from error
    return Stop(Conclusion.SUCCESS, None, job.outputs)


def _introduce(loaded: Native, uses: str, inputs: dict[str, str], work: Work) -> None:
    """Show what runs, as GitHub does; steps that no user wrote are not introduced."""
    if loaded.repository.startswith(OWN):
        return
    work.output.engine_lines(header(f"Run {uses}", inputs, work.place.env))
    version = loaded.action.describe(loaded.ref)
    work.output.line(f"Trunkline's own {loaded.repository}, behaving as {version}")


class NativeJob:
    """An `ActionJob` on a step of a job (ports/actions.py)."""

    def __init__(self, runner: StepRunner, work: Work) -> None:
        self._runner = runner
        self._work = work
        self.sandbox = runner.context.sandbox
        self.layout = runner.context.layout
        self.outputs: dict[str, str] = {}
        self.env = runner.environment(work, {})

    def log(self, line: str) -> None:
        """Print a line to the step's log."""
        self._work.output.line(line)

    def annotate(self, level: str, message: str) -> None:
        """Tell an error, warning or notice."""
        self._work.output.annotate(level, message)

    def mask(self, values: Sequence[str]) -> None:
        """Hide secrets in everything that the job prints from now on."""
        self._work.output.mask(values)

    def set_output(self, name: str, value: str) -> None:
        """Set an output of the step."""
        self.outputs[name] = value

    def set_env(self, name: str, value: str) -> None:
        """Set a variable for the steps that follow."""
        self._work.shared.set(name, value)
        self.env[name] = value

    def add_path(self, path: str) -> None:
        """Put a folder in front of PATH for the steps that follow."""
        self._work.shared.prepend(path)
        self.env["PATH"] = f"{path}:{self.env['PATH']}"

    def save_state(self, name: str, value: str) -> None:
        """Keep a value for the post stage."""
        self._work.instance.state[name] = value

    def run(
        self, argv: Sequence[str], *, cwd: str = "", env: Mapping[str, str] | None = None
    ) -> int:
        """Run a program with its output in the log; return its exit code."""
        return self._start(argv, cwd, env, self._work.output)

    def capture(
        self, argv: Sequence[str], *, cwd: str = "", env: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """Run a program quietly; return its exit code and its output."""
        kept = Kept()
        code = self._start(argv, cwd, env, kept)
        return code, kept.text

    def artifact_stored(self, name: str, digest: str, size: int, files: int, path: str) -> None:
        """Tell that an artifact is complete."""
        self._runner.tools.report(
            ArtifactStored(
                key=self._runner.context.request.key,
                name=name,
                digest=digest,
                size=size,
                files=files,
                path=path,
            )
        )

    def image_built(self, image_id: str, base_name: str, base_digest: str) -> None:
        """Tell what an image was built on: its pushes carry it as evidence."""
        self._runner.tools.evidence.built(image_id, base_name, base_digest)

    def lend(self, folder: str) -> None:
        """Let the job's Docker actions see a folder of this machine, read-only."""
        self._runner.context.lent[folder] = None

    def is_cancelled(self) -> bool:
        """Tell whether the step was asked to stop."""
        return self._work.limits.token.asked

    def _start(
        self, argv: Sequence[str], cwd: str, env: Mapping[str, str] | None, sink: Sink
    ) -> int:
        whole = {**self.env, **(env or {})}
        program = self.sandbox.find(argv[0], whole["PATH"])
        if program is None:
            raise ActionFailed(f"{argv[0]}: command not found")
        process = self.sandbox.start(
            ProcessSpec(argv=(program, *argv[1:]), env=whole, cwd=cwd or self.layout.workspace)
        )
        return run_to_end(process, sink, self._runner.tools.clock, self._work.limits).exit_code
