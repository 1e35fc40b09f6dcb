"""The action that a step uses: attached to its instance, with all that it uses itself."""

from __future__ import annotations

from trunkline.engine.action_loader import (
    ActionLoader,
    Files,
    Image,
    Native,
    check_depth,
    is_local,
)
from trunkline.engine.instances import Instance
from trunkline.engine.output import StepOutput
from trunkline.engine.scopes import Scope
from trunkline.workflow.model import (
    CompositeRuns,
    DockerRuns,
    JavaScriptRuns,
    SessionStep,
    UsesStep,
)

# What carries out an action, by what its `runs` is.
KINDS = {JavaScriptRuns: "javascript", CompositeRuns: "composite", DockerRuns: "docker"}


def attach_remote(instance: Instance, loader: ActionLoader) -> None:
    """Attach the action of a step that needs no workspace, with all that it uses itself.

    Raises ActionUnavailable: then the job fails before its first step.
    """
    step = instance.step
    if isinstance(step, UsesStep) and not is_local(step.uses.value):
        instance.loaded = loader.load_step(step, instance.scope.action)
        _lay_out(instance, loader)


def attach_local(instance: Instance, loader: ActionLoader, output: StepOutput) -> None:
    """Attach an action of the workspace, now that it is checked out. Raises ActionUnavailable."""
    step = instance.step
    if not isinstance(step, UsesStep) or instance.loaded is not None:
        return
    instance.loaded = loader.load_step(step, instance.scope.action)
    if instance.declares_pre():
        output.line(
            f"##[warning]`pre` execution is not supported for local action from '{step.uses.value}'"
        )
    _lay_out(instance, loader)


def _lay_out(instance: Instance, loader: ActionLoader) -> None:
    """Make a composite action's children. Raises ActionUnavailable: not there, too deep."""
    loaded = instance.loaded
    if not isinstance(loaded, Files) or not isinstance(loaded.action.runs, CompositeRuns):
        return
    shared, depth = instance.scope.shared, instance.scope.depth + 1
    scope = Scope(shared, inputs={}, action=loaded.identity, depth=depth)
    check_depth(depth)
    instance.inner = scope
    for step in loaded.action.runs.steps:
        child = Instance(step, scope)
        attach_remote(child, loader)
        instance.children.append(child)


def kind_of(instance: Instance) -> str:
    """Return the kind of a step whose action is attached: what carries it out."""
    match instance.loaded:
        case None:
            return "session" if isinstance(instance.step, SessionStep) else "run"
        case Native():
            return "native"
        case Image():
            return "docker"
        case Files(action=action):
            return KINDS[type(action.runs)]
