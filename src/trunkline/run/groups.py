"""Concurrency groups of runs and legs: how they are evaluated, entered, and lost (section 1.5)."""

from __future__ import annotations

from trunkline.run.events import (
    Annotated,
    Conclusion,
    Group,
    JobCompleted,
    JobGranted,
    JobPending,
    Leg,
)
from trunkline.run.facts import NOTHING, Decision, EnterGroup
from trunkline.run.late import Contexts, LateError, boolean, text
from trunkline.run.state import JobNode, RunState
from trunkline.workflow.model import Concurrency

MAX_NAME = 400


def evaluated_group(concurrency: Concurrency, contexts: Contexts) -> Group:
    """Return a `concurrency` evaluated. Raises LateError: an empty or too long name, no boolean."""
    key = "concurrency"
    name = text(concurrency.group, key, contexts)
    if not name:
        raise LateError(key, "Unexpected value ''", concurrency.group.span)
    if len(name) > MAX_NAME:
        message = f"Concurrency group name must be less than {MAX_NAME} characters"
        raise LateError(key, message, concurrency.group.span)
    newest = boolean(concurrency.cancel_in_progress, key, contexts, default=False)
    return Group(name=name, cancel_in_progress=newest, queue=concurrency.queue)


def enter_group(state: RunState, node: JobNode, leg: Leg, index: int) -> Decision:
    """Decide how a leg enters its group number `index`; NOTHING when it has none.

    A group that the run, a caller or the leg itself holds would never be granted: the leg is
    cancelled, as GitHub does.
    """
    if index >= len(leg.groups):
        return NOTHING
    group = leg.groups[index]
    holder = _holder_around(state, node, leg, index)
    if holder:
        message = (
            f"Canceling since a deadlock for concurrency group '{group.name}' was detected "
            f"between '{holder}' and '{leg.name}'"
        )
        return Decision(
            (
                Annotated(key=leg.key, level="error", message=message),
                JobCompleted(key=leg.key, conclusion=Conclusion.CANCELLED, message=message),
            )
        )
    return Decision((JobPending(key=leg.key, group=group.name),), (EnterGroup(leg.key, group),))


def group_granted(state: RunState, key: str, name: str) -> Decision:
    """Decide for a leg that holds a group: enter its next one, or wait for a free place."""
    leg = state.legs[key]
    names = [group.name.lower() for group in leg.leg.groups]
    index = names.index(name.lower()) + 1
    if index < len(names):
        return enter_group(state, state.jobs[leg.job], leg.leg, index)
    return Decision((JobGranted(key=key),))


def lost_message(group: str) -> str:
    """Return GitHub's sentence for whoever must leave a group."""
    return f"Canceling since a higher priority waiting request for '{group}' exists"


def _holder_around(state: RunState, node: JobNode, leg: Leg, index: int) -> str:
    wanted = leg.groups[index].name.lower()
    if state.group.lower() == wanted:
        return "top level workflow"
    for caller in state.callers(node):
        if any(group.name.lower() == wanted for group in caller.leg.groups):
            return caller.leg.name
    earlier = (group.name.lower() for group in leg.groups[:index])
    return leg.name if wanted in earlier else ""
