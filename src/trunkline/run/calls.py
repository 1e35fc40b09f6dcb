"""Called workflows: the inputs that go in, the outputs that come out (reference section 1.9)."""

from __future__ import annotations

from trunkline.expr.template import Literal, Mapping, Token
from trunkline.expr.values import Value
from trunkline.plan.model import PlannedCall
from trunkline.run.events import Conclusion
from trunkline.run.late import (
    Contexts,
    LateError,
    as_boolean,
    as_number,
    as_text,
    run_contexts,
    text,
    value,
)
from trunkline.run.results import merged
from trunkline.run.state import LegNode, RunState
from trunkline.workflow.model import Input

# What an optional input without a default is.
EMPTY: dict[str, Value] = {"boolean": False, "number": 0.0}


def call_inputs(call: PlannedCall, contexts: Contexts) -> dict[str, Value]:
    """Return the typed `inputs` of a called workflow; `contexts` are those of the calling leg.

    Raises LateError for a value of the wrong type, an input that is not declared, one that is missing.
    """
    given = value(call.with_, "with", contexts) or {}
    if not isinstance(given, dict):
        raise LateError("with", "A mapping was expected", call.span)
    by_name = {name.lower(): found for name, found in given.items()}
    declared = {item.id.lower() for item in call.inputs}
    for name in given:
        if name.lower() not in declared:
            raise LateError(
                "with",
                f"Invalid input, {name} is not defined in the referenced workflow.",
                call.span,
            )
    inputs: dict[str, Value] = {}
    for item in call.inputs:
        name = item.id.lower()
        if name in by_name:
            inputs[item.id] = _typed(by_name[name], item, _written(call, name), "with")
        elif item.required and item.default is None:
            raise LateError(
                "with", f"Input {item.id} is required, but not provided while calling.", call.span
            )
        else:
            inputs[item.id] = _default(item, inputs, contexts)
    return inputs


def _default(item: Input, inputs: dict[str, Value], contexts: Contexts) -> Value:
    if item.default is None:
        return EMPTY.get(item.type, "")
    known: Contexts = {
        "github": contexts["github"],
        "vars": contexts["vars"],
        "inputs": dict(inputs),
    }
    return _typed(value(item.default, "inputs", known), item, item.default, "inputs")


def _typed(found: Value, item: Input, token: Token | None, key: str) -> Value:
    if item.type == "boolean":
        return as_boolean(found, token, key)
    if item.type == "number":
        return as_number(found, token, key)
    return as_text(found, token, key)


def _written(call: PlannedCall, name: str) -> Token | None:
    """Return the token of an input as the call writes it, for its place."""
    if isinstance(call.with_, Mapping):
        for key, token in call.with_.entries:
            if isinstance(key, Literal) and str(key.value).lower() == name:
                return token
    return call.with_


def call_outputs(state: RunState, leg: LegNode) -> dict[str, str]:
    """Return the outputs of a called workflow whose jobs have ended. Raises LateError."""
    call = state.job_of(leg)
    if not isinstance(call, PlannedCall) or not call.outputs:
        return {}
    contexts = run_contexts(state)
    contexts["inputs"] = dict(leg.leg.inputs or {})
    contexts["jobs"] = {
        child.job.id: {"result": child.result.value, "outputs": dict(child.outputs)}
        for child in (state.jobs[key] for key in leg.children)
        if child.result is not None
    }
    found = {item.id: text(item.value, "outputs", contexts) for item in call.outputs}
    return {name: shown for name, shown in found.items() if shown}


def call_conclusion(state: RunState, leg: LegNode) -> Conclusion | None:
    """Return the merged result of a called workflow's jobs; None when none of them counts."""
    return merged(state.jobs[key].result for key in leg.children)
