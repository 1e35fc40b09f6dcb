"""The tool cache: filled with what is here before a set-up action's own files look into it.

The native action of the same name lays tools out where GitHub's images have them (reference, real
actions, section 10); of its effects on the job nothing else is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trunkline.base.errors import Unavailable
from trunkline.engine.action_loader import Files
from trunkline.engine.kind_native import NativeJob
from trunkline.engine.step_runner import StepRunner, Work
from trunkline.ports.actions import ActionCall, ActionFailed
from trunkline.run.job_machine import Stage
from trunkline.workflow.model import UsesStep

# Actions that look into the tool cache, and the inputs that say for what.
INPUTS = {
    "actions/setup-node": ("node-version", "node-version-file"),
    "actions/setup-python": (
        *("python-version", "python-version-file", "allow-prereleases", "freethreaded"),
    ),
    "astral-sh/setup-uv": (
        *("version", "version-file", "working-directory", "pyproject-file", "uv-file"),
    ),
}
# What the native actions do besides.
WITHOUT = {
    "update-environment": "false",
    "add-problem-matchers": "false",
    "enable-cache": "false",
    "package-manager-cache": "false",
}
# Names a folder of tools of the user's own, which counts instead of the job's.
OWN_FOLDER = "AGENT_TOOLSDIRECTORY"


class QuietJob(NativeJob):
    """A job for a native action of which only the files remain."""

    def log(self, line: str) -> None:
        """Say nothing: the action's own files will."""

    def annotate(self, level: str, message: str) -> None:
        """Say nothing."""

    def set_output(self, name: str, value: str) -> None:
        """Keep nothing."""

    def set_env(self, name: str, value: str) -> None:
        """Set a variable for the action itself."""
        self.env[name] = value

    def add_path(self, path: str) -> None:
        """Put a folder in front of the action's own PATH."""
        self.env["PATH"] = f"{path}:{self.env['PATH']}"

    def save_state(self, name: str, value: str) -> None:
        """Keep nothing."""

    def run(
        self, argv: Sequence[str], *, cwd: str = "", env: Mapping[str, str] | None = None
    ) -> int:
        """Run a program without its output; return its exit code."""
        return self.capture(argv, cwd=cwd, env=env)[0]


def fill(runner: StepRunner, work: Work, inputs: Mapping[str, str]) -> None:
    """Put the tool that an action's files will look for into the tool cache, if it can be had.

    A folder of the user's own is read by the action as it is.
    """
    step, loaded = work.instance.step, work.instance.loaded
    if not isinstance(step, UsesStep) or not isinstance(loaded, Files):
        raise TypeError(step)
    name = loaded.repository.lower()
    given = {each.lower(): value for each, value in inputs.items()}
    if work.stage is not Stage.MAIN or not any(given.get(each) for each in INPUTS.get(name, ())):
        return
    action = runner.tools.set_ups.find(name)
    if action is None:
        return
    job = QuietJob(runner, work)
    if job.env.get(OWN_FOLDER, "").strip():
        return
    wanted = {each: given[each] for each in INPUTS[name] if given.get(each)}
    call = ActionCall(
        uses=step.uses.value,
        inputs={**wanted, **{key: value for key, value in WITHOUT.items() if key in action.inputs}},
        env=job.env,
        github=runner.context.github(work.place),
        run_id=runner.context.request.run_id,
        job_key=runner.context.request.leg.key,
    )
    try:
        action.main(call, job)
    except (ActionFailed, Unavailable) as error:
        work.output.line(f"The tool cache has nothing for {step.uses.value}: {error}")
