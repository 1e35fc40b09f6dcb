"""Inputs of a run that is started by hand: text from a command line to typed, checked values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from trunkline.base.diagnostics import Diagnostic
from trunkline.base.words import nearest
from trunkline.expr.numbers import parse_number
from trunkline.expr.values import to_text
from trunkline.workflow.model import Input, Trigger, Workflow

HAND_STARTED = frozenset({"workflow_dispatch", "workflow_call"})
_EMPTY: Mapping[str, Any] = {"boolean": False, "number": 0.0}


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """Typed values for `inputs`, and the same as text for `github.event.inputs`."""

    values: Mapping[str, Any] = {}
    texts: Mapping[str, str] = {}


class _Refused(Exception):
    """A value that the input does not take: (message, hint)."""


def read_inputs(
    trigger: Trigger, given: Mapping[str, Any], defaults: Mapping[str, Any], file: str
) -> Inputs | tuple[Diagnostic, ...]:
    """Return the inputs that `trigger` declares, or everything that is wrong with those given.

    `given` values are text, or typed already (from a payload); names ignore case. `defaults` holds
    evaluated defaults by name. A missing optional input without a default is '', false or 0.
    Names that are not declared are left to `undeclared`.
    """
    by_name = {name.lower(): value for name, value in given.items()}
    values, problems = {}, []
    for declared in trigger.inputs:
        try:
            values[declared.id] = _value(declared, by_name, defaults)
        except _Refused as refused:
            message, hint = refused.args
            problems.append(
                Diagnostic(rule="input", message=message, file=file, span=declared.span, hint=hint)
            )
    if problems:
        return tuple(problems)
    return Inputs(values=values, texts={name: to_text(value) for name, value in values.items()})


def undeclared(
    names: Iterable[str], workflows: Iterable[Workflow], event: str
) -> tuple[Diagnostic, ...]:
    """Return a diagnostic for each given name that no workflow declares as an input of `event`."""
    known = {
        declared.id.lower(): declared.id
        for workflow in workflows
        for trigger in workflow.triggers
        if trigger.event == event
        for declared in trigger.inputs
    }
    unknown = [name for name in names if name.lower() not in known]
    return tuple(
        Diagnostic(
            rule="input", message=f"Unexpected inputs provided: [{name}]", hint=_meant(name, known)
        )
        for name in unknown
    )


def _meant(name: str, known: Mapping[str, str]) -> str:
    slip = nearest(name, known.values())
    if slip:
        return f"Did you mean '{slip}'?"
    if not known:
        return "The workflow declares no inputs."
    return f"The inputs are: {', '.join(known.values())}."


def _value(declared: Input, given: Mapping[str, Any], defaults: Mapping[str, Any]) -> Any:
    """Return one input's value; a default counts as given."""
    value = given.get(declared.id.lower())
    if value is None:
        value = defaults.get(declared.id)
    if value is None or (value == "" and declared.type != "string"):
        if declared.required:
            raise _Refused(f"Required input '{declared.id}' not provided", _how(declared))
        return _EMPTY.get(declared.type, "")
    if declared.required and value == "":
        raise _Refused(f"Required input '{declared.id}' not provided", _how(declared))
    return _typed(declared, value)


def _typed(declared: Input, value: Any) -> Any:
    match declared.type:
        case "boolean":
            return _boolean(declared, value)
        case "number":
            return _number(declared, value)
        case "choice" if to_text(value) not in declared.options:
            message = (
                f"Provided value '{to_text(value)}' for input '{declared.id}'"
                " not in the list of allowed values"
            )
            raise _Refused(message, f"It may be: {', '.join(declared.options)}.")
        case _:
            return to_text(value)


def _boolean(declared: Input, value: Any) -> bool:
    text = to_text(value).lower()
    if text not in {"true", "false"}:
        raise _Refused(_wrong(declared, value), "It may be true or false.")
    return text == "true"


def _number(declared: Input, value: Any) -> float:
    number = parse_number(to_text(value)) if not isinstance(value, bool) else float("nan")
    if number != number:  # noqa: PLR0124  # NaN is the only such number
        raise _Refused(_wrong(declared, value), "It must be a number.")
    return number


def _wrong(declared: Input, value: Any) -> str:
    return f"Provided value '{to_text(value)}' for input '{declared.id}' is not a {declared.type}"


def _how(declared: Input) -> str:
    options = f" ({', '.join(declared.options)})" if declared.options else ""
    return f"Give it with --input {declared.id}=VALUE{options}."
