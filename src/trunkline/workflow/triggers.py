"""`on`: the events that start a workflow, with their filters, inputs and schedules."""

from __future__ import annotations

from trunkline.base.spans import Span
from trunkline.document.problems import Problems
from trunkline.expr.template import Token
from trunkline.workflow import cron
from trunkline.workflow.inputs import call_input, dispatch_input, outputs
from trunkline.workflow.model import Input, Schedule, Secret, Trigger
from trunkline.workflow.tokens import entries, fields, flag, items, string, strings, text, texts

MAX_INPUTS = 25
_PAIRS = ("branches", "tags", "paths")


def triggers(token: Token | None, problems: Problems) -> tuple[Trigger, ...]:
    """Return the events of `on`, in the order written."""
    found = [Trigger(event=event.value, span=event.span) for event in texts(token)]
    found += [_trigger(name, span, value, problems) for name, span, value in entries(token)]
    for trigger in found:
        if trigger.event == "image_version":
            message = "'image_version' starts a workflow at GitHub only: nothing local causes it"
            problems.notice(trigger.span, message, "no-local-effect")
    return tuple(found)


def _trigger(event: str, span: Span, token: Token, problems: Problems) -> Trigger:
    config = fields(token)
    _check_pairs(token, problems)
    return Trigger(
        event=event,
        span=span,
        types=strings(config.get("types")),
        branches=strings(config.get("branches")),
        branches_ignore=strings(config.get("branches-ignore")),
        tags=strings(config.get("tags")),
        tags_ignore=strings(config.get("tags-ignore")),
        paths=strings(config.get("paths")),
        paths_ignore=strings(config.get("paths-ignore")),
        workflows=strings(config.get("workflows")),
        names=strings(config.get("names")),
        versions=strings(config.get("versions")),
        schedules=_schedules(token, problems) if event == "schedule" else (),
        inputs=_inputs(event, config.get("inputs"), problems),
        secrets=_secrets(config.get("secrets")),
        outputs=outputs(config.get("outputs")),
    )


def _check_pairs(token: Token, problems: Problems) -> None:
    """A filter and its `-ignore` twin exclude each other."""
    spans = {name: span for name, span, _ in entries(token)}
    for name in _PAIRS:
        other = f"{name}-ignore"
        if name in spans and other in spans:
            message = f"you may only define one of `{name}` and `{other}` for a single event"
            hint = f"Use '{name}' with patterns that start with '!' instead."
            problems.error(max(spans[name], spans[other]), message, "filters", hint)


def _schedules(token: Token, problems: Problems) -> tuple[Schedule, ...]:
    found: list[Schedule] = []
    for item in items(token):
        config = fields(item)
        expression, zone = text(config.get("cron")), text(config.get("timezone"))
        if expression is None:
            continue
        _check_cron(expression.value, expression.span, problems)
        if zone is not None and not cron.is_zone_name(zone.value):
            hint = "It is a name of the IANA database, such as 'Europe/Berlin' or 'UTC'."
            problems.error(zone.span, f"Invalid timezone '{zone.value}'", "schedule", hint)
        found.append(Schedule(expression.value, zone.value if zone else "UTC", item.span))
    return tuple(found)


def _check_cron(expression: str, span: Span, problems: Problems) -> None:
    found = cron.expand(expression)
    if found is None:
        message = (
            "Invalid cron expression. Expected format: '* * * * *' (minute hour day month weekday)"
        )
        problems.error(span, message, "schedule")
    elif cron.too_often(found[0]):
        message = "Actions schedules run at most every 5 minutes."
        hint = f"'{expression}' will not run as often as it says."
        problems.warning(span, message, "schedule", hint)


def _inputs(event: str, token: Token | None, problems: Problems) -> tuple[Input, ...]:
    if event == "workflow_call":
        return tuple(call_input(name, span, spec, problems) for name, span, spec in entries(token))
    found = [dispatch_input(name, span, spec, problems) for name, span, spec in entries(token)]
    if len(found) > MAX_INPUTS:
        message = f"you may only define up to {MAX_INPUTS} `inputs` for a `{event}` event"
        problems.error(found[MAX_INPUTS].span, message, "inputs")
    return tuple(found)


def _secrets(token: Token | None) -> tuple[Secret, ...]:
    found: list[Secret] = []
    for name, span, spec in entries(token):
        config = fields(spec)
        description = string(config.get("description")) or ""
        found.append(
            Secret(
                id=name, required=flag(config.get("required")), description=description, span=span
            )
        )
    return tuple(found)
