"""Docker actions: pre, main and post as runs of a container (reference section 3.12)."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from msgspec.structs import replace

from trunkline.document.limits import MOST_BYTES
from trunkline.engine.action_images import image_of
from trunkline.engine.action_inputs import action_inputs, given_inputs, header
from trunkline.engine.action_loader import DOCKER, Files, Image
from trunkline.engine.job_context import StepPlace
from trunkline.engine.kind_javascript import stage_environment
from trunkline.engine.mounted_paths import Mounts, moved
from trunkline.engine.processes import run_to_end
from trunkline.engine.scopes import Scope
from trunkline.engine.services_access import NOT_IN_CONTAINERS
from trunkline.engine.step_needs import speaks_of_engine, without_comments
from trunkline.engine.step_runner import StepRunner, Stop, Work, stopped
from trunkline.expr.values import Value, to_text
from trunkline.ports.containers import ActionRun, Watch
from trunkline.ports.sandbox import Layout
from trunkline.run.environment import process_environment
from trunkline.run.job_machine import Stage
from trunkline.run.shells import split_arguments
from trunkline.workflow.model import DockerRuns, UsesStep

WORKSPACE = "/github/workspace"
HOME = "/github/home"
# Inputs that name what runs; every Docker action takes them.
ENTRYPOINT = "entrypoint"
ARGS = "args"


def perform(runner: StepRunner, work: Work) -> Stop:
    """Run one stage of a Docker action."""
    step, loaded = work.instance.step, work.instance.loaded
    if not isinstance(step, UsesStep) or not isinstance(loaded, Files | Image):
        raise TypeError(step)
    runs = _runs(loaded)
    if isinstance(loaded, Files):
        inputs = action_inputs(runner.context, step, work.place, loaded.action, work.output)
    else:
        inputs = given_inputs(runner.context, step, work.place)
    if work.stage is Stage.POST:
        work.output.line("Post job cleanup.")
    else:
        work.output.engine_lines(header(f"Run {step.uses.value}", inputs, work.place.env))
        work.instance.wants_post = work.instance.wants_post or bool(runs.post_entrypoint)
    image = _image(runner, work)
    action = _action(runner, work, runs, inputs, image)
    work.output.engine_lines([f"##[command]{command_line(action)}"])
    work.output.read_within(action.mounts)
    process = runner.context.sandbox.containers.run(action)
    return stopped(run_to_end(process, work.output, runner.tools.clock, work.limits))


def _runs(loaded: Files | Image) -> DockerRuns:
    if isinstance(loaded, Image):
        return DockerRuns(image=f"{DOCKER}{loaded.image}")
    if not isinstance(loaded.action.runs, DockerRuns):
        raise TypeError(loaded.action.runs)
    return loaded.action.runs


def _image(runner: StepRunner, work: Work) -> str:
    """Return the id of the action's image; what was not had before the first step is had now."""
    image, images = image_of(work.instance), runner.tools.images
    if image is None:
        raise TypeError(work.instance.loaded)
    watch = Watch(work.output.tell, lambda: work.limits.token.asked)
    if images.has(image):
        return images.have(image, watch)
    told = f"Pull {image.reference}" if image.reference else "Building docker image"
    work.output.engine_lines([f"##[group]{told}"])
    try:
        if isinstance(work.instance.loaded, Files) and work.instance.loaded.local:
            return images.make(image, watch)  # its files may be others by the next step
        return images.have(image, watch)
    finally:
        work.output.engine_lines(["##[endgroup]"])


def _action(
    runner: StepRunner, work: Work, runs: DockerRuns, inputs: dict[str, str], image: str
) -> ActionRun:
    context = runner.context
    mounts = mounts_of(context.layout)
    place = _place(work, inputs)
    given = {name.lower(): value for name, value in inputs.items()}
    entrypoints = {
        Stage.PRE: runs.pre_entrypoint,
        Stage.MAIN: runs.entrypoint or given.get(ENTRYPOINT, ""),
        Stage.POST: runs.post_entrypoint,
    }
    entrypoint = moved(entrypoints[work.stage], mounts)
    if runs.args is None:
        args = tuple(split_arguments(given.get(ARGS, "")))
    else:
        args = tuple(_texts(context.value(runs.args, place)))
    stage = stage_environment(inputs, work.instance.state)
    own = {**context.texts(runs.env, place), **work.place.env}
    access = runner.services(contained=True)
    env = {**own, **stage, **access.actions}
    env.pop(NOT_IN_CONTAINERS, None)
    return ActionRun(
        image=image,
        name=f"{_sanitised(work)}_{runner.tools.ids.token()[:6]}",
        env=_environment(runner, work, env, mounts),
        workdir=WORKSPACE,
        mounts=mounts,
        entrypoint=entrypoint,
        args=args,
        needs_engine=_needs_engine(runner, work, runs, (entrypoint, *args)),
        lent=tuple(context.lent),
    )


def _place(work: Work, inputs: dict[str, str]) -> StepPlace:
    """Return where the action's own `args` and `env` are evaluated: they see its inputs."""
    loaded = work.instance.loaded
    identity = loaded.identity if isinstance(loaded, Files) else None
    values: dict[str, Value] = dict(inputs)
    return replace(work.place, scope=Scope(work.shared, inputs=values, action=identity))


def _environment(
    runner: StepRunner, work: Work, env: Mapping[str, str], mounts: Mounts
) -> dict[str, str]:
    """Return the container's variables: none of this machine's, paths as the container has them."""
    whole = process_environment(
        base={},
        env=env,
        github={**runner.context.github(work.place), **runner.services(contained=True).github},
        runner=runner.context.runner,
    )
    if "PATH" not in env:
        del whole["PATH"]
    return {**{name: moved(value, mounts) for name, value in whole.items()}, "HOME": HOME}


def mounts_of(layout: Layout) -> Mounts:
    """Return the job's folders that every Docker action gets, and where it has them."""
    return (
        (layout.temp, "/github/runner_temp"),
        (layout.home, HOME),
        (posixpath.dirname(layout.event_path), "/github/workflow"),
        (layout.file_commands, "/github/file_commands"),
        (layout.workspace, WORKSPACE),
    )


def command_line(action: ActionRun) -> str:
    """Return what somebody would type to run the same container, for the log."""
    words = ["docker", "run", "--name", action.name, "--workdir", action.workdir, "--rm"]
    words += [word for name in sorted(action.env) for word in ("-e", _quoted(name))]
    if action.entrypoint:
        words += ["--entrypoint", _quoted(action.entrypoint)]
    for source, target in action.mounts:
        words += ["-v", f"{_quoted(source)}:{_quoted(target)}"]
    return " ".join([*words, action.image, *(_quoted(arg) for arg in action.args)])


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


def _sanitised(work: Work) -> str:
    """Return a name for the container from that of its action."""
    if not isinstance(work.instance.step, UsesStep):
        return ""
    uses = work.instance.step.uses.value.removeprefix(DOCKER).partition("@")[0]
    return re.sub(r"[^A-Za-z0-9_]", "", uses) or "action"


def _needs_engine(runner: StepRunner, work: Work, runs: DockerRuns, argv: tuple[str, ...]) -> bool:
    """Tell whether the action's own text speaks of a container engine, its Dockerfile too."""
    loaded = work.instance.loaded
    names = [runs.image.removeprefix(DOCKER)]
    if isinstance(loaded, Files):
        names += [loaded.repository, loaded.action.name]
        if not runs.image.startswith(DOCKER):
            stream = runner.context.sandbox.get(posixpath.join(loaded.folder, runs.image))
            if stream is not None:
                with stream:
                    dockerfile = stream.read(MOST_BYTES).decode("utf-8", "replace")
                    names.append(without_comments(dockerfile))
    return speaks_of_engine(*names, *argv)


def _texts(value: Value) -> list[str]:
    return [to_text(item) for item in value] if isinstance(value, list) else [to_text(value)]
