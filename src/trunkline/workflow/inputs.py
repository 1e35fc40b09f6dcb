"""The inputs and outputs that a workflow declares, for a manual start or for its callers."""

from __future__ import annotations

from trunkline.base.spans import Span
from trunkline.document.problems import Problems
from trunkline.expr.template import Literal, Token
from trunkline.expr.values import to_text
from trunkline.workflow.model import Input, Output
from trunkline.workflow.tokens import entries, fields, flag, string, strings


def dispatch_input(name: str, span: Span, spec: Token, problems: Problems) -> Input:
    """Return an input of workflow_dispatch; without a specification it is a string."""
    declared = _declared(name, span, spec)
    _check_options(declared, spec, problems)
    _check_dispatch_default(declared, problems)
    return declared


def call_input(name: str, span: Span, spec: Token, problems: Problems) -> Input:
    """Return an input of workflow_call; its default must be of the type it declares."""
    declared = _declared(name, span, spec)
    if isinstance(declared.default, Literal) and not fits(declared.default, declared.type):
        problems.error(
            declared.default.span,
            f"Unexpected value '{shown(declared.default)}'",
            "inputs",
            f"The input '{name}' is a {declared.type}.",
        )
    return declared


def outputs(token: Token | None) -> tuple[Output, ...]:
    """Return the outputs of workflow_call, or of an action."""
    found: list[Output] = []
    for name, span, spec in entries(token):
        config = fields(spec)
        description = string(config.get("description")) or ""
        found.append(Output(id=name, value=config.get("value"), description=description, span=span))
    return tuple(found)


def fits(value: Literal, kind: str) -> bool:
    """Return whether a literal can be the value of a boolean, number or string input."""
    if kind == "boolean":
        return isinstance(value.value, bool)
    if kind == "number":
        return isinstance(value.value, float) and not isinstance(value.value, bool)
    return True


def shown(value: Literal) -> str:
    """Return a literal as messages show it."""
    return to_text(value.value)


def _declared(name: str, span: Span, spec: Token) -> Input:
    config = fields(spec)
    return Input(
        id=name,
        type=string(config.get("type")) or "string",
        required=flag(config.get("required")),
        default=config.get("default"),
        description=string(config.get("description")) or "",
        deprecation=string(config.get("deprecationMessage")) or "",
        options=strings(config.get("options")) or (),
        span=span,
    )


def _check_options(declared: Input, spec: Token, problems: Problems) -> None:
    if declared.type == "choice":
        if not declared.options:
            problems.error(spec.span, "Missing 'options' for choice input", "inputs")
    elif "options" in fields(spec):
        message = "Input type is not 'choice', but 'options' is defined"
        problems.error(spec.span, message, "inputs")


def _check_dispatch_default(declared: Input, problems: Problems) -> None:
    """Warn of a default that the form for a manual start would not offer."""
    default = declared.default
    if not isinstance(default, Literal):
        return
    written = shown(default)
    if declared.type == "choice" and declared.options and written not in declared.options:
        message = f"The default '{written}' of the input '{declared.id}' is not one of its options"
        problems.warning(default.span, message, "inputs")
    elif declared.type == "boolean" and written not in {"true", "false"}:
        message = f"The default '{written}' of the input '{declared.id}' is not a boolean"
        problems.warning(default.span, message, "inputs")
