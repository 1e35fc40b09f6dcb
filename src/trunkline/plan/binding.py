"""An occurrence as one workflow sees it: typed inputs, its schedule, its file in the payload."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from trunkline.base.diagnostics import Diagnostic
from trunkline.expr.errors import ExpressionError
from trunkline.expr.evaluate import evaluate_token
from trunkline.plan.dispatch_inputs import HAND_STARTED, Inputs, read_inputs
from trunkline.plan.occurrence import Occurrence, text_field
from trunkline.plan.payloads import lay_over
from trunkline.plan.triggers import find_trigger
from trunkline.workflow.model import Trigger, Workflow


def bind(
    occurrence: Occurrence, workflow: Workflow, contexts: Mapping[str, Any]
) -> Occurrence | tuple[Diagnostic, ...]:
    """Return the occurrence with what depends on the workflow that it started.

    `contexts` (github, vars) are those that defaults of inputs may name. Returns diagnostics when
    an input is missing or has a value that it can't have.
    """
    trigger = find_trigger(workflow, occurrence.event)
    if trigger is None:
        return occurrence
    own: dict[str, Any] = {}
    values: Mapping[str, Any] = {}
    if "workflow" in occurrence.payload and occurrence.event != "workflow_run":
        own["workflow"] = workflow.file
    match occurrence.event:
        case "schedule":
            own["schedule"] = _cron(trigger, occurrence)
        case "repository_dispatch" if not occurrence.action and trigger.types:
            own["action"] = trigger.types[0]
        case "workflow_run" if not text_field(occurrence.payload, "workflow_run", "name"):
            name = (trigger.workflows or ("",))[0]
            own |= {"workflow": {"name": name}, "workflow_run": {"name": name}}
        case event if event in HAND_STARTED:
            inputs = _inputs(trigger, occurrence, workflow.file, contexts)
            if not isinstance(inputs, Inputs):
                return inputs
            values = inputs.values
            own["inputs"] = dict(inputs.texts) or None
        case _:
            pass
    return msgspec.structs.replace(
        occurrence,
        action=own.get("action", occurrence.action),
        inputs=values,
        payload=lay_over(occurrence.payload, own),
    )


def _cron(trigger: Trigger, occurrence: Occurrence) -> str:
    given = text_field(occurrence.payload, "schedule")
    return given or (trigger.schedules[0].cron if trigger.schedules else "")


def _inputs(
    trigger: Trigger, occurrence: Occurrence, file: str, contexts: Mapping[str, Any]
) -> Inputs | tuple[Diagnostic, ...]:
    defaults = {}
    try:
        for declared in trigger.inputs:
            if declared.default is not None:
                known = {**contexts, "inputs": {}}
                defaults[declared.id] = evaluate_token(declared.default, known)
    except ExpressionError as error:
        return (Diagnostic(rule="input", message=error.message, file=file, span=error.span),)
    return read_inputs(trigger, occurrence.given_inputs, defaults, file)
