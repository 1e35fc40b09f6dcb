"""What an action gets from `with` and from its declared defaults."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from trunkline.engine.action_images import is_dockerfile
from trunkline.engine.job_context import JobContext, StepPlace
from trunkline.engine.output import StepOutput
from trunkline.engine.scopes import ActionIdentity, Scope
from trunkline.workflow.model import Action, DockerRuns, UsesStep

# What every Docker action takes besides its own inputs.
DOCKER_INPUTS = ("entryPoint", "args")


def given_inputs(context: JobContext, step: UsesStep, place: StepPlace) -> dict[str, str]:
    """Return the evaluated `with`, names in lower case. Raises TemplateError."""
    return {name.lower(): value for name, value in context.texts(step.with_, place).items()}


def action_inputs(
    context: JobContext, step: UsesStep, place: StepPlace, action: Action, output: StepOutput
) -> dict[str, str]:
    """Return all inputs of an action by declared name, defaults included.

    Tells unknown and deprecated inputs as GitHub does (reference section 3.10).
    """
    given = given_inputs(context, step, place)
    if not isinstance(action.runs, DockerRuns):
        warn_of_unknown(given, tuple(declared.id for declared in action.inputs), output)
    elif not is_dockerfile(action.file):  # that declares nothing
        names = (declared.id for declared in action.inputs)
        warn_of_unknown(given, (*DOCKER_INPUTS, *names), output)
    found: dict[str, str] = {}
    # Defaults see the action's own folder in `github.action_path`, and no `steps` or `env` of ours.
    inner = Scope(place.scope.shared, inputs={}, action=ActionIdentity("", "", ""))
    for declared in action.inputs:
        name = declared.id
        if name.lower() in given:
            found[name] = given.pop(name.lower())
            if declared.deprecation:
                output.line(
                    f"##[warning]Input '{name}' has been deprecated with message: "
                    f"{declared.deprecation}"
                )
        else:
            found[name] = context.text(declared.default, replace(place, scope=inner))
    return {**found, **given}


def warn_of_unknown(given: dict[str, str], declared: tuple[str, ...], output: StepOutput) -> None:
    """Tell inputs that the action does not declare."""
    known = {name.lower() for name in declared}
    unknown = [name for name in given if name not in known]
    if unknown:
        valid = ", ".join(f"'{name}'" for name in declared)
        names = ", ".join(f"'{name}'" for name in unknown)
        output.line(f"##[warning]Unexpected input(s) {names}, valid inputs are [{valid}]")


def header(work_name: str, inputs: Mapping[str, str], env: Mapping[str, str]) -> list[str]:
    """Return the group that shows an action's inputs and environment."""
    lines = [f"##[group]{work_name}"]
    shown = {name: value for name, value in inputs.items() if value}
    if shown:
        lines += ["with:", *(f"  {name}: {value}" for name, value in shown.items())]
    return [*lines, *environment_lines(env), "##[endgroup]"]


def environment_lines(env: Mapping[str, str]) -> list[str]:
    """Return the `env:` part of a step's header."""
    return ["env:", *(f"  {name}: {value}" for name, value in env.items())] if env else []
