"""Events that a run asks for: recorded, and nothing starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from trunkline.base.errors import NotFound
from trunkline.services.github.calls import Answer, Call, Reply
from trunkline.services.github.documents import when
from trunkline.services.github.refusals import Refused, invalid
from trunkline.services.github.workflows import find

REPOSITORY = "repository-dispatches"
WORKFLOW = "workflow-dispatches"
LONGEST_TYPE = 100
MOST_PAYLOAD = 10
MOST_INPUTS = 25


class RepositoryDispatch(msgspec.Struct, frozen=True):
    """An event of a name of its own."""

    event_type: str
    client_payload: Mapping[str, Any] = {}


def repository(call: Call) -> Answer:
    """Record a repository_dispatch event."""
    asked = call.read(RepositoryDispatch, "RepositoryDispatch")
    if not asked.event_type or len(asked.event_type) > LONGEST_TYPE:
        raise invalid("RepositoryDispatch", "event_type", "invalid")
    if len(asked.client_payload) > MOST_PAYLOAD:
        raise Refused(
            422,
            f"No more than {MOST_PAYLOAD} properties are allowed; {len(asked.client_payload)} were "
            "supplied.",
        )
    now = when(call.stores.clock.now())
    call.records.add(REPOSITORY, {**msgspec.structs.asdict(asked), "created_at": now})
    call.tell("event", f"repository_dispatch, {asked.event_type}")
    return Reply(None, 204)


class WorkflowDispatch(msgspec.Struct, frozen=True):
    """A workflow to start on a ref."""

    ref: str
    inputs: Mapping[str, Any] = {}


def workflow(call: Call) -> Answer:
    """Record a workflow_dispatch event."""
    asked = call.read(WorkflowDispatch, "WorkflowDispatch")
    found = find(call)
    try:
        call.git.resolve(asked.ref)
    except NotFound as error:
        raise Refused(422, f"No ref found for: {asked.ref}") from error
    if len(asked.inputs) > MOST_INPUTS:
        raise Refused(422, f"you may only define up to {MOST_INPUTS} inputs")
    now = when(call.stores.clock.now())
    kept = {**msgspec.structs.asdict(asked), "workflow": found["path"], "created_at": now}
    call.records.add(WORKFLOW, kept)
    call.tell("event", f"workflow_dispatch, {found['path']} on {asked.ref}")
    return Reply(None, 204)
