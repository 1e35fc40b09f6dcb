"""Composite actions: their steps run inside the caller's step and log."""

from __future__ import annotations

from msgspec.structs import replace

from trunkline.engine.action_inputs import action_inputs, header
from trunkline.engine.action_loader import Files
from trunkline.engine.instances import Instance
from trunkline.engine.job_context import TemplateError
from trunkline.engine.step_runner import Carrying, StepRunner, Stop, Work
from trunkline.run.events import Conclusion
from trunkline.run.job_machine import Stage, worst
from trunkline.workflow.model import Action, UsesStep


def perform(runner: StepRunner, work: Work) -> Stop:
    """Run one stage of a composite action: its steps in order, posts in reverse."""
    instance, step, loaded = work.instance, work.instance.step, work.instance.loaded
    if not isinstance(step, UsesStep) or not isinstance(loaded, Files) or instance.inner is None:
        raise TypeError(step)
    inputs = action_inputs(runner.context, step, work.place, loaded.action, work.output)
    if work.stage is Stage.MAIN:
        work.output.engine_lines(header(f"Run {step.uses.value}", inputs, work.place.env))
    scope = instance.inner
    scope.inputs = dict(inputs)
    scope.outer = dict(work.place.env)
    scope.status = Conclusion.SUCCESS
    result = Conclusion.SUCCESS
    for child in _chosen(instance, work.stage):
        result = worst(result, _run_child(runner, work, child))
        scope.status = result
    instance.wants_post = any(child.wants_post for child in instance.children)
    outputs = _outputs(runner, work, loaded.action) if work.stage is Stage.MAIN else {}
    return Stop(result, None, outputs)


def _chosen(instance: Instance, stage: Stage) -> list[Instance]:
    match stage:
        case Stage.PRE:
            return [child for child in instance.children if child.has_pre()]
        case Stage.MAIN:
            return instance.children
        case Stage.POST:
            return [child for child in reversed(instance.children) if child.wants_post]


def _run_child(runner: StepRunner, work: Work, child: Instance) -> Conclusion:
    beginning = runner.begin(child, work.stage, work.shared)
    if not beginning.holds:
        if work.stage is Stage.MAIN:
            child.scope.record(child.step.id, Conclusion.SKIPPED, Conclusion.SKIPPED, {})
        return Conclusion.SUCCESS
    inner = work.output.nested()
    result = runner.carry_out(
        child, work.stage, beginning, Carrying(work.limits, inner, work.shared)
    )
    inner.close()
    if work.stage is Stage.MAIN:
        child.scope.record(child.step.id, result.outcome, result.conclusion, result.outputs)
    return result.conclusion


def _outputs(runner: StepRunner, work: Work, action: Action) -> dict[str, str]:
    """Evaluate the action's outputs where its steps ran (reference section 3.13)."""
    scope = work.instance.inner
    if scope is None:
        return {}
    place = replace(work.place, scope=scope)
    found: dict[str, str] = {}
    for output in action.outputs:
        try:
            found[output.id] = runner.context.text(output.value, place)
        except TemplateError as error:
            work.output.line(f"##[error]{error}")
    return found
