"""Artifacts of runs, listed, led to and removed."""

from __future__ import annotations

from trunkline.base.errors import NotFound
from trunkline.ports.artifacts import ArtifactInfo
from trunkline.services.actions.calls import Caller
from trunkline.services.github.calls import Answer, Call, Document, Listing, Redirect, Reply
from trunkline.services.github.documents import when
from trunkline.services.github.refusals import not_found
from trunkline.services.github.runs import find as find_run
from trunkline.services.runs import listed

NAME = "artifacts"
MOST_RUNS = 200


def every(call: Call) -> Answer:
    """List the artifacts of the repository's runs, newest first."""
    found = [
        _document(call, info)
        for run in listed(call.stores.journals, MOST_RUNS)
        if run.repository.lower() == call.repository.lower()
        for info in reversed(call.stores.artifacts.of_run(run.run_id))
        if _fits(call, info)
    ]
    return Listing(found, NAME)


def of_run(call: Call) -> Answer:
    """List a run's artifacts."""
    run = find_run(call)
    infos = call.stores.artifacts.of_run(run.run_id)
    return Listing([_document(call, info) for info in infos if _fits(call, info)], NAME)


def get(call: Call) -> Answer:
    """Return an artifact."""
    return Reply(_document(call, _find(call)))


def download(call: Call) -> Answer:
    """Lead to an artifact's content."""
    address = call.stores.artifacts.address(Caller(call.job, call.origin), _find(call))
    return Redirect(address)


def delete(call: Call) -> Answer:
    """Remove an artifact."""
    call.stores.artifacts.remove(_find(call))
    return Reply(None, 204)


def _fits(call: Call, info: ArtifactInfo) -> bool:
    return call.query.get("name", info.name) == info.name


def _find(call: Call) -> ArtifactInfo:
    info = call.stores.artifacts.by_id(str(call.path["artifact"]))
    if info is None or not _is_ours(call, info):
        raise not_found()
    return info


def _is_ours(call: Call, info: ArtifactInfo) -> bool:
    try:
        opened = call.stores.journals.open(info.run_id).read()
    except NotFound:
        return info.run_id == call.job.run_id
    begun = next((record.event for record in opened), None)
    github = getattr(begun, "github", {})
    return str(github.get("repository", "")).lower() == call.repository.lower()


def _document(call: Call, info: ArtifactInfo) -> Document:
    url = f"{call.url}/actions/artifacts/{info.id}"
    own = info.run_id == call.job.run_id
    return {
        "id": int(info.id),
        "node_id": f"A_{info.id}",
        "name": info.name,
        "size_in_bytes": info.size,
        "url": url,
        "archive_download_url": f"{url}/zip",
        "expired": False,
        "digest": info.digest,
        "created_at": when(info.created),
        "updated_at": when(info.created),
        "expires_at": when(info.expires),
        "workflow_run": {
            "id": int(info.run_id),
            "head_branch": call.context("ref_name") if own else None,
            "head_sha": call.context("sha") if own else None,
        },
    }
