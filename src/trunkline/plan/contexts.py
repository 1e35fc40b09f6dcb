"""The `github` context of a run, and the name a run has when its workflow gives none."""

from __future__ import annotations

from typing import Any

import msgspec

from trunkline.plan.facts import RepositoryFacts
from trunkline.plan.occurrence import Occurrence, text_field
from trunkline.plan.payloads import stable_id
from trunkline.workflow.model import Workflow


class RunIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """What tells a run from all others: its id (digits), its number in its workflow, its attempt."""

    run_id: str = "0"
    number: int = 1
    attempt: int = 1


def github_context(
    occurrence: Occurrence, facts: RepositoryFacts, workflow: Workflow, identity: RunIdentity
) -> dict[str, Any]:
    """Return `github` without a token and without what belongs to a job, a step or a machine.

    Numbers are strings as at GitHub; `ref_protected` is a boolean (GitHub: contexts).
    """
    owner = facts.owner
    server = facts.server_url
    return {
        "actor": facts.actor,
        "actor_id": str(stable_id(facts.actor)),
        "api_url": facts.api_url,
        "base_ref": occurrence.base_ref,
        "event": occurrence.payload,
        "event_name": occurrence.event,
        "graphql_url": facts.graphql_url,
        "head_ref": occurrence.head_ref,
        "job_workflow_sha": occurrence.sha,
        "ref": occurrence.ref,
        "ref_name": occurrence.ref_name,
        "ref_protected": False,
        "ref_type": occurrence.ref_type,
        "repository": facts.full_name,
        "repository_id": str(stable_id(facts.full_name)),
        "repository_owner": owner,
        "repository_owner_id": str(stable_id(owner)),
        "repositoryUrl": f"git://{server.partition('://')[2]}/{facts.full_name}.git",
        "repository_visibility": "private",
        "retention_days": "90",
        "run_attempt": str(identity.attempt),
        "run_id": identity.run_id,
        "run_number": str(identity.number),
        "secret_source": "Actions",
        "server_url": server,
        "sha": occurrence.sha,
        "triggering_actor": facts.actor,
        "workflow": workflow.name or workflow.file,
        "workflow_ref": f"{facts.full_name}/{workflow.file}@{occurrence.ref}",
        "workflow_sha": occurrence.sha,
    }


def default_run_name(occurrence: Occurrence, workflow: Workflow) -> str:
    """Return a run's name without `run-name`: what happened, else the workflow's name."""
    payload = occurrence.payload
    found = ""
    match occurrence.event:
        case "push":
            found = occurrence.message.partition("\n")[0]
        case "release":
            found = text_field(payload, "release", "name")
        case "repository_dispatch":
            found = occurrence.action
        case "issues" | "issue_comment":
            found = text_field(payload, "issue", "title")
        case _:
            found = text_field(payload, "pull_request", "title")
    return found or workflow.name or workflow.file
