"""Repositories: the repository itself, its branches and tags, languages, topics, merges."""

from __future__ import annotations

import msgspec

from trunkline.base.errors import NotFound
from trunkline.plan.payloads import stable_id
from trunkline.ports.github_data import HEADS, TAGS, CommitObject, MergeConflict, Ref
from trunkline.services.github.calls import Answer, Call, Document, Listing, Reply
from trunkline.services.github.documents import (
    acting,
    commit_summary,
    owner,
    told_repository,
    when,
)
from trunkline.services.github.languages import languages_of
from trunkline.services.github.licenses import license_of
from trunkline.services.github.refusals import Refused, not_found

OF_THE_PAYLOAD = (
    *("id", "node_id", "description", "homepage", "visibility", "fork", "topics", "license"),
    *("stargazers_count", "watchers_count", "forks_count", "open_issues_count", "archived"),
    *("has_issues", "has_wiki", "has_pages", "is_template", "created_at", "updated_at", "private"),
)
# What neither git nor a payload tells.
UNKNOWN: Document = {
    "fork": False,
    "topics": [],
    "stargazers_count": 0,
    "watchers_count": 0,
    "forks_count": 0,
    "open_issues_count": 0,
    "archived": False,
    "disabled": False,
    "has_issues": True,
    "has_wiki": False,
    "has_pages": False,
    "is_template": False,
    "size": 0,
}


def get(call: Call) -> Answer:
    """Return the repository."""
    return Reply(repository(call))


def repository(call: Call) -> Document:
    """Return the repository's document: what git tells, over what the event's payload told."""
    told = told_repository(call)
    private = call.context("repository_visibility") != "public"
    number = int(call.context("repository_id") or stable_id(call.repository))
    host = call.page.partition("://")[2].partition("/")[0]
    facts: Document = {
        "id": number,
        "node_id": f"R_{number}",
        "private": private,
        "visibility": "private" if private else "public",
        "description": None,
        "homepage": None,
        "license": license_of(call),
        "language": next(iter(languages_of(call)), None),
        **UNKNOWN,
        "pushed_at": _pushed_at(call),
    }
    kept = {name: told[name] for name in OF_THE_PAYLOAD if told.get(name) is not None}
    return {
        **facts,
        **kept,
        "name": call.repository.partition("/")[2],
        "full_name": call.repository,
        "owner": owner(call),
        "default_branch": call.git.default_branch(),
        "url": call.url,
        "html_url": call.page,
        "clone_url": f"{call.page}.git",
        "git_url": f"git://{host}/{call.repository}.git",
        "ssh_url": f"git@{host}:{call.repository}.git",
        "archive_url": f"{call.url}/{{archive_format}}{{/ref}}",
        "contents_url": f"{call.url}/contents/{{+path}}",
        "releases_url": f"{call.url}/releases{{/id}}",
        "tags_url": f"{call.url}/tags",
        "permissions": {
            "admin": False,
            "maintain": False,
            "push": call.job.permissions.get("contents") == "write",
            "triage": False,
            "pull": True,
        },
    }


def _pushed_at(call: Call) -> str | None:
    try:
        return when(call.git.commit(call.git.resolve(call.git.default_branch())).committer.at)
    except NotFound:
        return None


def branches(call: Call) -> Answer:
    """List the branches."""
    found = call.git.refs(HEADS)
    return Listing([_branch(call, ref) for ref in found] if _unprotected(call) else [])


def _unprotected(call: Call) -> bool:
    return call.query.get("protected", "false") != "true"


def _branch(call: Call, ref: Ref) -> Document:
    commit = {"sha": ref.commit, "url": f"{call.url}/commits/{ref.commit}"}
    return {"name": ref.name.removeprefix(HEADS), "commit": commit, "protected": False}


def branch(call: Call) -> Answer:
    """Return a branch with its newest commit."""
    name = str(call.path["branch"])
    ref = next((ref for ref in call.git.refs(HEADS + name) if ref.name == HEADS + name), None)
    if ref is None:
        raise not_found("Branch not found")
    here = f"{call.url}/branches/{name}"
    return Reply(
        {
            **_branch(call, ref),
            "commit": commit_summary(call, call.git.commit(ref.commit)),
            "_links": {"self": here, "html": f"{call.page}/tree/{name}"},
            "protection": {"enabled": False},
            "protection_url": f"{here}/protection",
        }
    )


def tags(call: Call) -> Answer:
    """List the tags, the last name first."""
    found = [
        {
            "name": name,
            "zipball_url": f"{call.url}/zipball/{TAGS}{name}",
            "tarball_url": f"{call.url}/tarball/{TAGS}{name}",
            "commit": {"sha": ref.commit, "url": f"{call.url}/commits/{ref.commit}"},
            "node_id": f"REF_{stable_id(ref.name)}",
        }
        for ref in call.git.refs(TAGS)
        for name in (ref.name.removeprefix(TAGS),)
    ]
    return Listing(found[::-1])


def languages(call: Call) -> Answer:
    """Return the bytes of each language."""
    return Reply(languages_of(call))


def topics(call: Call) -> Answer:
    """Return the topics."""
    return Reply({"names": list(told_repository(call).get("topics") or ())})


def hash_algorithm(call: Call) -> Answer:
    """Return how the repository's objects are named."""
    refs = call.git.refs("refs/")
    width = len(refs[0].sha) if refs else 40
    return Reply({"hash_algorithm": "sha256" if width == 64 else "sha1"})


class MergeRequest(msgspec.Struct, frozen=True):
    """What is merged into which branch."""

    base: str
    head: str
    commit_message: str = ""


def merge(call: Call) -> Answer:
    """Merge a commit into a branch."""
    asked = call.read(MergeRequest, "Merge")
    base, head = _tip(call, asked.base, "Base"), _tip(call, asked.head, "Head")
    if call.git.merge_base(base, head) == head:
        return Reply(None, 204)
    try:
        tree = call.git.merge(base, head)
    except MergeConflict as error:
        raise Refused(409, "Merge conflict") from error
    by = acting(call)
    message = asked.commit_message or f"Merge {asked.head} into {asked.base}"
    new = CommitObject(
        sha="", tree=tree, parents=(base, head), author=by, committer=by, message=message
    )
    sha = call.git.write_commit(new)
    if not call.git.set_ref(HEADS + asked.base, sha, base):
        raise Refused(409, "Base branch was modified. Review and try the merge again.")
    call.tell("merge", f"{asked.head} into {asked.base}")
    return Reply(commit_summary(call, call.git.commit(sha)), 201)


def _tip(call: Call, name: str, what: str) -> str:
    try:
        return call.git.resolve(HEADS + name if what == "Base" else name)
    except NotFound as error:
        raise not_found(f"{what} does not exist") from error
