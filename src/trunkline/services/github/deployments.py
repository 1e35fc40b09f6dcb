"""Deployments and how they go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from trunkline.base.errors import NotFound
from trunkline.services.github.calls import Answer, Call, Document, Listing, Reply, number
from trunkline.services.github.documents import APP, bot, when
from trunkline.services.github.refusals import Refused, invalid, not_found

KIND = "deployments"
STATUSES = "deployment-statuses"
STATES = ("error", "failure", "inactive", "in_progress", "queued", "pending", "success")


class NewDeployment(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment to make."""

    ref: str
    task: str = "deploy"
    environment: str = "production"
    description: str | None = ""
    payload: Any = {}
    transient_environment: bool = False
    production_environment: bool | None = None
    auto_merge: bool = True
    required_contexts: tuple[str, ...] | None = None


def create(call: Call) -> Answer:
    """Make a deployment of a ref."""
    asked = call.read(NewDeployment, "Deployment")
    try:
        sha = call.git.resolve(asked.ref)
    except NotFound as error:
        raise Refused(422, f"No ref found for: {asked.ref}") from error
    now = when(call.stores.clock.now())
    fields = msgspec.structs.asdict(asked)
    production = asked.production_environment
    fields["production_environment"] = (
        asked.environment == "production" if production is None else production
    )
    del fields["auto_merge"], fields["required_contexts"]
    kept = {**fields, "sha": sha, "creator": bot(call), "created_at": now, "updated_at": now}
    made = _document(call, call.records.add(KIND, kept), kept)
    call.tell("deployment", f"{asked.environment}, of {asked.ref}")
    return Reply(made, 201, location=str(made["url"]))


def every(call: Call) -> Answer:
    """List deployments, newest first."""
    wanted = {
        name: call.query[name]
        for name in ("sha", "ref", "task", "environment")
        if name in call.query
    }
    found = [
        _document(call, key, each)
        for key, each in reversed(call.records.every(KIND))
        if all(each[name] == value for name, value in wanted.items())
    ]
    return Listing(found)


def get(call: Call) -> Answer:
    """Return a deployment."""
    return Reply(_document(call, *_find(call)))


def delete(call: Call) -> Answer:
    """Remove a deployment with its statuses."""
    key, _ = _find(call)
    for status, _ in _statuses(call, key):
        call.records.remove(STATUSES, status)
    call.records.remove(KIND, key)
    return Reply(None, 204)


class NewStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a deployment goes on."""

    state: str
    description: str = ""
    environment: str | None = None
    environment_url: str = ""
    log_url: str = ""
    target_url: str = ""
    auto_inactive: bool = True


def create_status(call: Call) -> Answer:
    """Tell how a deployment goes on."""
    key, deployment = _find(call)
    asked = call.read(NewStatus, "DeploymentStatus")
    if asked.state not in STATES:
        raise invalid("DeploymentStatus", "state", "custom", "state is not included in the list")
    now = when(call.stores.clock.now())
    kept = {
        **msgspec.structs.asdict(asked),
        "deployment": key,
        "environment": asked.environment or deployment["environment"],
        "log_url": asked.log_url or asked.target_url,
        "creator": bot(call),
        "created_at": now,
        "updated_at": now,
    }
    made = _status(call, call.records.add(STATUSES, kept), kept)
    call.tell("deployment status", f"{kept['environment']}, {asked.state}")
    return Reply(made, 201, location=str(made["url"]))


def statuses(call: Call) -> Answer:
    """List a deployment's statuses, newest first."""
    key, _ = _find(call)
    return Listing([_status(call, n, each) for n, each in reversed(_statuses(call, key))])


def status(call: Call) -> Answer:
    """Return a status of a deployment."""
    key, _ = _find(call)
    wanted = number(call.path["status"])
    found = next((each for n, each in _statuses(call, key) if n == wanted), None)
    if found is None:
        raise not_found()
    return Reply(_status(call, wanted, found))


def _statuses(call: Call, deployment: int) -> list[tuple[int, Mapping[str, Any]]]:
    every = call.records.every(STATUSES)
    return [(key, each) for key, each in every if each["deployment"] == deployment]


def _find(call: Call) -> tuple[int, Mapping[str, Any]]:
    key = number(call.path["deployment"])
    found = call.records.find(KIND, key)
    if found is None:
        raise not_found()
    return key, found


def _document(call: Call, key: int, kept: Mapping[str, Any]) -> Document:
    url = f"{call.url}/deployments/{key}"
    return {
        "id": key,
        "node_id": f"DE_{key}",
        "url": url,
        **kept,
        "original_environment": kept["environment"],
        "statuses_url": f"{url}/statuses",
        "repository_url": call.url,
        "performed_via_github_app": APP,
    }


def _status(call: Call, key: int, kept: Mapping[str, Any]) -> Document:
    told = {name: kept[name] for name in kept if name not in {"deployment", "auto_inactive"}}
    deployment = f"{call.url}/deployments/{kept['deployment']}"
    return {
        "id": key,
        "node_id": f"DES_{key}",
        "url": f"{deployment}/statuses/{key}",
        **told,
        "deployment_url": deployment,
        "repository_url": call.url,
        "performed_via_github_app": APP,
    }
