"""`run:` steps."""

from __future__ import annotations

import posixpath

from trunkline.engine.action_inputs import environment_lines
from trunkline.engine.processes import run_to_end
from trunkline.engine.step_names import first_line
from trunkline.engine.step_runner import (
    StepFailed,
    StepRunner,
    Stop,
    Work,
    stopped,
)
from trunkline.expr.template import Token
from trunkline.ports.process import ProcessSpec
from trunkline.run.shells import CONTAINER_SHELL, DEFAULT_SHELLS, ShellError, shell_command
from trunkline.workflow.model import RunStep

SCRIPT_COLOUR = ("\x1b[36;1m", "\x1b[0m")


def perform(runner: StepRunner, work: Work) -> Stop:
    """Write the script to a file and run it with its shell (reference section 3.8)."""
    step = work.instance.step
    if not isinstance(step, RunStep):
        raise TypeError(step)
    context = runner.context
    script = context.text(step.run, work.place)
    in_job = work.place.scope.action is None
    shell = context.text(step.shell, work.place) or (
        _default(runner, work, "shell") if in_job else ""
    )
    cwd = working_folder(runner, work, step)
    git = context.git.variables(context.access.git, work.place.env)
    env = runner.environment(work, {**context.access.scripts, **git})
    try:
        plan = shell_command(shell or _first_found(runner, env["PATH"]))
    except ShellError as error:
        raise StepFailed(str(error)) from error
    program = context.sandbox.find(plan.program, env["PATH"])
    if program is None:
        raise StepFailed(context.not_found(plan.program))
    path = posixpath.join(context.layout.temp, f"{runner.tools.ids.token()}{plan.extension}")
    argv = (program, *plan.arguments(path))
    shown = plan.program if context.layout.in_container else program
    _tell(work, script, " ".join((shown, *plan.arguments("{0}"))))
    context.sandbox.put(path, plan.fix_up(script).encode("utf-8", "surrogateescape"), 0o700)
    process = context.sandbox.start(ProcessSpec(argv=argv, env=env, cwd=cwd))
    ended = run_to_end(process, work.output, runner.tools.clock, work.limits)
    if ended.exit_code and not ended.timed_out and not ended.cancelled:
        work.output.line(f"##[error]Process completed with exit code {ended.exit_code}.")
    return stopped(ended)


def working_folder(runner: StepRunner, work: Work, step: RunStep) -> str:
    """Return where a script runs (reference section 3.8). Raises TemplateError."""
    context = runner.context
    in_job = work.place.scope.action is None
    folder = context.text(step.working_directory, work.place) or (
        _default(runner, work, "working_directory") if in_job else ""
    )
    workspace = context.layout.workspace
    return posixpath.join(workspace, folder) if folder else workspace


def _default(runner: StepRunner, work: Work, name: str) -> str:
    """Return a job's or else its workflow's `defaults.run` value."""
    job = runner.context.request.job
    tokens: tuple[Token | None, ...] = (
        getattr(job.defaults, name),
        getattr(job.workflow_defaults, name),
    )
    for token in tokens:
        found = runner.context.text(token, work.place)
        if found:
            return found
    return ""


def _first_found(runner: StepRunner, path: str) -> str:
    """Return the shell of a step that names none: bash where there is one, else sh.

    In a job container it is sh.
    """
    if runner.context.layout.in_container:
        return CONTAINER_SHELL
    for program, shell in DEFAULT_SHELLS:
        if runner.context.sandbox.find(program, path) is not None:
            return shell
    raise StepFailed("Neither bash nor sh is on the PATH: a `run` step needs a shell")


def _tell(work: Work, script: str, command: str) -> None:
    lines = script.rstrip("\n").split("\n")
    start, end = SCRIPT_COLOUR
    header = [f"##[group]Run {first_line(script)}"]
    header += [f"{start}{line}{end}" for line in lines]
    header.append(f"shell: {command}")
    header += environment_lines(work.place.env)
    header.append("##[endgroup]")
    work.output.engine_lines(header)
