"""Workflows: the files that the default branch has."""

from __future__ import annotations

from trunkline.base.errors import NotFound
from trunkline.plan.payloads import stable_id
from trunkline.services.github.calls import Answer, Call, Document, Listing, Reply
from trunkline.services.github.refusals import not_found
from trunkline.workflow.parse import parse

FOLDER = ".github/workflows"


def every(call: Call) -> Answer:
    """List the workflows."""
    return Listing(_all(call), "workflows")


def get(call: Call) -> Answer:
    """Return a workflow by its id or its file's name."""
    return Reply(find(call))


def find(call: Call) -> Document:
    """Return the workflow that a path names. Raises Refused."""
    wanted = str(call.path["workflow"])
    for each in _all(call):
        if wanted in {str(each["id"]), each["path"], each["path"].rpartition("/")[2]}:
            return each
    raise not_found()


def _all(call: Call) -> list[Document]:
    files: dict[str, str] = {}
    for name in (call.git.default_branch(), call.context("sha")):
        try:
            commit = call.git.resolve(name)
            folder = call.git.entry(commit, FOLDER)
            entries = call.git.tree(folder.sha)
        except NotFound:
            continue
        for entry in entries:
            if entry.type == "blob" and entry.path.endswith((".yml", ".yaml")):
                files.setdefault(f"{FOLDER}/{entry.path}", entry.sha)
    return [_document(call, path, sha) for path, sha in sorted(files.items())]


def _document(call: Call, path: str, sha: str) -> Document:
    workflow, _ = parse(call.git.blob(sha).decode(errors="replace"), path)
    key = stable_id(f"{call.repository}/{path}")
    return {
        "id": key,
        "node_id": f"W_{key}",
        "name": (workflow.name if workflow else "") or path,
        "path": path,
        "state": "active",
        "created_at": None,
        "updated_at": None,
        "url": f"{call.url}/actions/workflows/{key}",
        "html_url": f"{call.page}/blob/{call.git.default_branch()}/{path}",
        "badge_url": f"{call.page}/workflows/{path.rpartition('/')[2]}/badge.svg",
    }
