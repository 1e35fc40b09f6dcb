"""Concurrency groups, of a workflow or a job."""

from __future__ import annotations

from trunkline.document.problems import Problems
from trunkline.expr.characters import fold
from trunkline.expr.template import Expression, Literal, Mapping, Token
from trunkline.workflow.model import Concurrency
from trunkline.workflow.tokens import entries, fields, flag, string

_MAX_NAME = 400


def concurrency(token: Token | None, problems: Problems) -> Concurrency | None:
    """Return the group as written; a literal name that is too long is told."""
    if isinstance(token, Mapping):
        config = fields(token)
        group = config.get("group")
        if group is None:
            return None
        queue = string(config.get("queue")) or "single"
        cancel = config.get("cancel-in-progress")
        _check_queue(token, problems)
        found = Concurrency(group, cancel, queue, token.span)
    elif isinstance(token, Literal | Expression):
        found = Concurrency(token, span=token.span)
    else:
        return None
    if len(string(found.group) or "") > _MAX_NAME:
        message = f"Concurrency group name must be less than {_MAX_NAME} characters"
        problems.error(found.span, message, "concurrency")
    return found


def check_deadlock(
    outer: Concurrency | None, inner: Concurrency | None, problems: Problems
) -> None:
    """Warn of a job that waits for the group its own workflow holds."""
    if outer is None or inner is None:
        return
    name = string(inner.group)
    if name and fold(name) == fold(string(outer.group) or ""):
        message = (
            f"Concurrency group '{name}' is also defined at the workflow level. "
            "This will cause a deadlock."
        )
        problems.warning(inner.span, message, "concurrency", "Give the job a group of its own.")


def _check_queue(token: Mapping, problems: Problems) -> None:
    config = fields(token)
    if string(config.get("queue")) == "max" and flag(config.get("cancel-in-progress")):
        span = next(span for name, span, _ in entries(token) if name == "queue")
        message = "'queue: max' cannot be combined with 'cancel-in-progress: true'."
        problems.error(span, message, "concurrency")
