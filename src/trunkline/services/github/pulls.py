"""The pull request of the event that a run answers: read from the payload and from git."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trunkline.base.errors import NotFound
from trunkline.ports.github_data import CommitQuery
from trunkline.services.github.calls import Answer, Call, Content, Document, Listing, Reply
from trunkline.services.github.commits import file_document
from trunkline.services.github.documents import commit_summary
from trunkline.services.github.refusals import not_found

MOST_FILES = 3000
MOST_COMMITS = 250


def every(call: Call) -> Answer:
    """List the pull requests: that of the event, if it has one."""
    pull = call.event.get("pull_request")
    if not isinstance(pull, Mapping):
        return Listing([])
    query, head = call.query, _end(pull, "head")
    state = str(pull.get("state", "open"))
    fits = (
        query.get("state", "open") in {state, "all"}
        and query.get("base", "") in {"", str(_end(pull, "base").get("ref"))}
        and query.get("head", "") in {"", str(head.get("label")), str(head.get("ref"))}
    )
    return Listing([_document(call, pull)] if fits else [])


def of_commit(call: Call) -> Answer:
    """List the pull requests that a commit belongs to."""
    pull = call.event.get("pull_request")
    if not isinstance(pull, Mapping):
        return Listing([])
    ref = str(call.path["ref"])
    shas = {commit.sha for commit in call.git.commits(_query(call, pull))}
    return Listing([_document(call, pull)] if ref in {*shas, call.context("sha")} else [])


def get(call: Call) -> Answer:
    """Return the pull request, or its difference as text."""
    pull = _find(call)
    for kind in ("diff", "patch"):
        if call.wants(kind):
            base, head = _range(call, pull)
            data = call.git.diff(base, head, mail=kind == "patch")
            form = f"application/vnd.github.{kind}; charset=utf-8"
            return Content(content=data, content_type=form, size=len(data))
    return Reply(_document(call, pull))


def files(call: Call) -> Answer:
    """List the files that the pull request changes."""
    base, head = _range(call, _find(call))
    found = call.git.changes(base, head)[:MOST_FILES]
    return Listing([file_document(call, file, head) for file in found])


def commits(call: Call) -> Answer:
    """List the pull request's commits, oldest first."""
    found = call.git.commits(_query(call, _find(call)))[::-1]
    return Listing([commit_summary(call, commit) for commit in found[:MOST_COMMITS]])


def is_merged(call: Call) -> Answer:
    """Tell by the status whether the pull request is merged."""
    if not _find(call).get("merged"):
        raise not_found()
    return Reply(None, 204)


def reviews(call: Call) -> Answer:
    """List the reviews: a run on this machine knows none."""
    _find(call)
    return Listing([])


def _find(call: Call) -> Mapping[str, Any]:
    pull = call.event.get("pull_request")
    if not isinstance(pull, Mapping) or str(pull.get("number")) != str(call.path["pull"]):
        raise not_found()
    return pull


def _end(pull: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = pull.get(name)
    return found if isinstance(found, Mapping) else {}


def _range(call: Call, pull: Mapping[str, Any]) -> tuple[str, str]:
    """Return the common ancestor with the base ('': none), and the head."""
    try:
        head = call.git.resolve(str(_end(pull, "head").get("sha")))
    except NotFound as error:
        raise not_found() from error
    try:
        base = call.git.resolve(str(_end(pull, "base").get("sha")))
    except NotFound:
        return "", head
    return call.git.merge_base(base, head), head


def _query(call: Call, pull: Mapping[str, Any]) -> CommitQuery:
    base, head = _range(call, pull)
    return CommitQuery(head=head, base=base)


def _document(call: Call, pull: Mapping[str, Any]) -> Document:
    key = pull["number"]
    url, page = f"{call.url}/pulls/{key}", f"{call.page}/pull/{key}"
    issue = f"{call.url}/issues/{key}"
    return {
        **pull,
        "url": url,
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "issue_url": issue,
        "commits_url": f"{url}/commits",
        "comments_url": f"{issue}/comments",
        "statuses_url": f"{call.url}/statuses/{_end(pull, 'head').get('sha')}",
    }
