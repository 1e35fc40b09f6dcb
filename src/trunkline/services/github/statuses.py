"""Commit statuses: one by one, and what they come to."""

from __future__ import annotations

import msgspec

from trunkline.services.github.calls import Answer, Call, Document, Listing, Reply
from trunkline.services.github.commits import resolve, resolve_sha
from trunkline.services.github.documents import bot, when
from trunkline.services.github.refusals import invalid
from trunkline.services.github.repositories import repository

KIND = "statuses"
STATES = ("error", "failure", "pending", "success")
LONGEST_DESCRIPTION = 140


class NewStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A status to give a commit."""

    state: str
    target_url: str | None = None
    description: str | None = None
    context: str = "default"


def create(call: Call) -> Answer:
    """Give a commit a status."""
    asked = call.read(NewStatus, "Status")
    if asked.state not in STATES:
        raise invalid("Status", "state", "custom", "state is not included in the list")
    if len(asked.description or "") > LONGEST_DESCRIPTION:
        raise invalid(
            "Status", "description", "custom", "description is too long (maximum is 140 characters)"
        )
    sha = resolve_sha(call, str(call.path["ref"]))
    now = when(call.stores.clock.now())
    document = {
        **msgspec.structs.asdict(asked),
        "sha": sha,
        "creator": bot(call),
        "created_at": now,
        "updated_at": now,
    }
    number = call.records.add(KIND, document)
    call.tell("status", f"{asked.context}, {asked.state}, of {sha[:7]}")
    made = _status(call, number, document)
    return Reply(made, 201, location=str(made["url"]))


def every(call: Call) -> Answer:
    """List a commit's statuses, newest first."""
    return Listing(_of(call, resolve(call, str(call.path["ref"]))))


def combined(call: Call) -> Answer:
    """Return the newest status of each context, and the state they come to."""
    sha = resolve(call, str(call.path["ref"]))
    newest: dict[str, Document] = {}
    for status in _of(call, sha):
        newest.setdefault(str(status["context"]), status)
    states = {status["state"] for status in newest.values()}
    if states & {"error", "failure"}:
        state = "failure"
    else:
        state = "pending" if "pending" in states or not states else "success"
    fields = {
        "state": state,
        "sha": sha,
        "repository": repository(call),
        "commit_url": f"{call.url}/commits/{sha}",
        "url": f"{call.url}/commits/{sha}/status",
    }
    return Listing(list(newest.values()), "statuses", fields)


def _of(call: Call, sha: str) -> list[Document]:
    found = reversed(call.records.every(KIND))
    return [_status(call, number, each) for number, each in found if each["sha"] == sha]


def _status(call: Call, number: int, document: object) -> Document:
    fields = dict(msgspec.convert(document, Document))
    sha = fields.pop("sha")
    return {
        "id": number,
        "node_id": f"SC_{number}",
        "url": f"{call.url}/statuses/{sha}",
        "avatar_url": fields["creator"]["avatar_url"],
        **fields,
    }
