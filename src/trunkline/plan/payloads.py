"""Event payloads made from a repository's facts, in the shape of GitHub's webhooks.

Every payload carries what well-known actions read. Numbers that GitHub would give (ids) are derived
from names, so that the same repository has the same ids in every run; they name nothing at GitHub.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from zlib import crc32

from trunkline.plan.facts import EMPTY_TREE, ZERO_SHA, Commit, Person, RepositoryFacts
from trunkline.plan.licenses import license_document
from trunkline.plan.occurrence import PULL_EVENTS

Payload = dict[str, Any]
PULL_NUMBER = 1


def make_payload(event: str, action: str, facts: RepositoryFacts) -> Payload:
    """Return the payload of `event` as if what is on disk were what GitHub has.

    `action` is the activity type, '' when the event has none. An event of an unknown name gets the
    part that all events share.
    """
    payload: Payload = {"action": action} if action else {}
    build = _BUILDERS.get(event)
    if build is not None:
        payload.update(build(facts))
    payload.update(_for_action(event, action, facts))
    payload.update(_common(facts))
    return payload


def lay_over(made: Mapping[str, Any], given: Mapping[str, Any]) -> Payload:
    """Return `made` with `given` laid over it: mappings are merged, all else is replaced."""
    merged = dict(made)
    for key, value in given.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = lay_over(below, value)
        else:
            merged[key] = value
    return merged


def stable_id(text: str) -> int:
    """Return the number that stands for a name where GitHub has an id."""
    return crc32(text.lower().encode())


def head_branch(facts: RepositoryFacts) -> str:
    """Return the branch that HEAD stands on, the default branch when it stands on none."""
    prefix = "refs/heads/"
    on_branch = facts.head_ref.startswith(prefix)
    return facts.head_ref.removeprefix(prefix) if on_branch else facts.default_branch


def head_ref(facts: RepositoryFacts) -> str:
    """Return the full ref of what HEAD stands on."""
    return facts.head_ref or f"refs/heads/{facts.default_branch}"


def release_tag(facts: RepositoryFacts) -> str:
    """Return the tag a release would be made of: HEAD's or the last one before it, else v0.0.0."""
    if facts.head_ref.startswith("refs/tags/"):
        return facts.head_ref.removeprefix("refs/tags/")
    return facts.latest_tag.name if facts.latest_tag else "v0.0.0"


# --- parts ------------------------------------------------------------------------------


def _common(facts: RepositoryFacts) -> Payload:
    return {
        "repository": _repository(facts),
        "organization": {"login": facts.owner, "id": stable_id(facts.owner)},
        "sender": _user(facts.actor),
        "installation": {"id": stable_id(f"installation/{facts.full_name}")},
    }


def _user(login: str) -> Payload:
    return {"login": login, "id": stable_id(login), "type": "User"}


def _repository(facts: RepositoryFacts) -> Payload:
    """The repository, private: nothing that asks for its visibility may publish from a rehearsal."""
    url = f"{facts.server_url}/{facts.full_name}"
    host = facts.server_url.partition("://")[2]
    number = stable_id(facts.full_name)
    return {
        "id": number,
        "node_id": f"R_{number}",
        "name": facts.name,
        "full_name": facts.full_name,
        "private": True,
        "visibility": "private",
        "fork": False,
        "default_branch": facts.default_branch,
        "master_branch": facts.default_branch,
        "html_url": url,
        "clone_url": f"{url}.git",
        "ssh_url": f"git@{host}:{facts.full_name}.git",
        "url": f"{facts.api_url}/repos/{facts.full_name}",
        "owner": {**_user(facts.owner), "name": facts.owner},
        "license": license_document(facts.license) if facts.license else None,
    }


def _person(person: Person) -> Payload:
    return {"name": person.name, "email": person.email, "username": _login(person)}


def _login(person: Person) -> str:
    return "-".join(person.name.lower().split())


def _commit(commit: Commit, facts: RepositoryFacts) -> Payload:
    return {
        "id": commit.sha,
        "tree_id": commit.tree,
        "distinct": True,
        "message": commit.message,
        "timestamp": commit.timestamp,
        "url": f"{facts.server_url}/{facts.full_name}/commit/{commit.sha}",
        "author": _person(commit.author),
        "committer": _person(commit.committer),
        "added": list(commit.added),
        "modified": list(commit.modified),
        "removed": list(commit.removed),
    }


def _subject(facts: RepositoryFacts) -> tuple[str, str]:
    """Return the head commit's first line and the rest of its message."""
    subject, _, body = (facts.head.message if facts.head else "").partition("\n")
    return subject, body.strip("\n")


def _issue(facts: RepositoryFacts) -> Payload:
    return {
        "id": stable_id(f"{facts.full_name}#1"),
        "number": PULL_NUMBER,
        "title": _subject(facts)[0],
        "body": "",
        "state": "open",
        "user": _user(facts.actor),
        "labels": [],
        "assignees": [],
        "html_url": f"{facts.server_url}/{facts.full_name}/issues/{PULL_NUMBER}",
    }


def _pull_request(facts: RepositoryFacts) -> Payload:
    branch = head_branch(facts)
    repository = _repository(facts)
    title, body = _subject(facts)
    ends = {"user": _user(facts.owner), "repo": repository}
    return {
        "id": stable_id(f"{facts.full_name}/pull/{branch}"),
        "number": PULL_NUMBER,
        "title": title,
        "body": body,
        "state": "open",
        "draft": False,
        "merged": False,
        "mergeable": True,
        "merge_commit_sha": facts.head_sha,
        "user": _user(facts.actor),
        "author_association": "OWNER",
        "labels": [],
        "assignees": [],
        "requested_reviewers": [],
        "commits": len(facts.pull.commits),
        "changed_files": len(facts.pull.changed_files or ()),
        "html_url": f"{facts.server_url}/{facts.full_name}/pull/{PULL_NUMBER}",
        "head": {
            "ref": branch,
            "sha": facts.head_sha,
            "label": f"{facts.owner}:{branch}",
            **ends,
        },
        "base": {
            "ref": facts.pull.base_branch,
            "sha": facts.pull.base_sha or ZERO_SHA,
            "label": f"{facts.owner}:{facts.pull.base_branch}",
            **ends,
        },
    }


def _text(facts: RepositoryFacts) -> Payload:
    """What comments and reviews have in common."""
    return {
        "id": stable_id(f"{facts.full_name}#comment"),
        "body": "",
        "user": _user(facts.actor),
        "author_association": "OWNER",
    }


def _label() -> Payload:
    return {"id": stable_id("label"), "name": "label", "color": "ededed", "description": ""}


def _deployment(facts: RepositoryFacts) -> Payload:
    return {
        "id": stable_id(f"{facts.full_name}/deployment"),
        "sha": facts.head_sha,
        "ref": head_branch(facts),
        "task": "deploy",
        "environment": "production",
        "description": "",
        "payload": {},
        "creator": _user(facts.actor),
    }


# --- events -----------------------------------------------------------------------------


def _for_action(event: str, action: str, facts: RepositoryFacts) -> Payload:
    """What one activity type adds to an event."""
    if action in {"labeled", "unlabeled"}:
        return {"label": _label()}
    if action in {"assigned", "unassigned"}:
        return {"assignee": _user(facts.actor)}
    if action == "synchronize":
        before = facts.push.upstream_tip or facts.push.before
        return {"before": before, "after": facts.head_sha}
    if action == "closed" and event in PULL_EVENTS:
        return {"pull_request": {**_pull_request(facts), "state": "closed"}}
    return {}


def _push(facts: RepositoryFacts) -> Payload:
    before = facts.push.before or EMPTY_TREE
    head = _commit(facts.head, facts) if facts.head else None
    created = not facts.push.upstream_tip
    return {
        "ref": head_ref(facts),
        "before": before,
        "after": facts.head_sha,
        "base_ref": None,
        "created": created,
        "deleted": False,
        "forced": facts.push.forced,
        "compare": f"{facts.server_url}/{facts.full_name}/compare/{before[:12]}...{facts.head_sha[:12]}",
        "commits": [_commit(commit, facts) for commit in facts.push.commits],
        "head_commit": head,
        "pusher": {"name": facts.actor, "email": facts.user.email},
    }


def _pull(facts: RepositoryFacts) -> Payload:
    return {"number": PULL_NUMBER, "pull_request": _pull_request(facts)}


def _dispatch(facts: RepositoryFacts) -> Payload:
    return {"ref": head_ref(facts), "inputs": {}, "workflow": ""}


def _release(facts: RepositoryFacts) -> Payload:
    tag = release_tag(facts)
    number = stable_id(f"{facts.full_name}/releases/{tag}")
    repository = f"repos/{facts.full_name}"
    return {
        "release": {
            "id": number,
            "tag_name": tag,
            "target_commitish": facts.default_branch,
            "name": tag,
            "body": "",
            "draft": False,
            "prerelease": False,
            "author": _user(facts.actor),
            "assets": [],
            "html_url": f"{facts.server_url}/{facts.full_name}/releases/tag/{tag}",
            "url": f"{facts.api_url}/{repository}/releases/{number}",
            "upload_url": f"https://uploads.github.com/{repository}/releases/{number}/assets{{?name,label}}",
        }
    }


def _workflow_run(facts: RepositoryFacts) -> Payload:
    head = {"id": facts.head_sha, "message": facts.head.message if facts.head else ""}
    return {
        "workflow": {"name": ""},
        "workflow_run": {
            "id": stable_id(f"{facts.full_name}/run"),
            "name": "",
            "event": "push",
            "status": "completed",
            "conclusion": "success",
            "run_number": 1,
            "run_attempt": 1,
            "head_sha": facts.head_sha,
            "head_branch": head_branch(facts),
            "head_commit": head,
            "head_repository": {"id": stable_id(facts.full_name), "full_name": facts.full_name},
            "pull_requests": [],
            "actor": _user(facts.actor),
            "html_url": f"{facts.server_url}/{facts.full_name}/actions/runs/1",
        },
    }


def _merge_group(facts: RepositoryFacts) -> Payload:
    base = facts.pull.base_branch
    return {
        "merge_group": {
            "head_sha": facts.head_sha,
            "head_ref": f"refs/heads/gh-readonly-queue/{base}/pr-{PULL_NUMBER}-{facts.pull.base_sha or ZERO_SHA}",
            "base_sha": facts.pull.base_sha or ZERO_SHA,
            "base_ref": f"refs/heads/{base}",
            "head_commit": _commit(facts.head, facts) if facts.head else None,
        }
    }


def _check(facts: RepositoryFacts) -> Payload:
    return {
        "id": stable_id(f"{facts.full_name}/check"),
        "name": "check",
        "head_sha": facts.head_sha,
        "head_branch": head_branch(facts),
        "status": "completed",
        "conclusion": "success",
        "pull_requests": [],
    }


def _branch_or_tag(facts: RepositoryFacts) -> Payload:
    """`create` and `delete`."""
    ref = head_ref(facts)
    return {
        "ref": ref.removeprefix("refs/heads/").removeprefix("refs/tags/"),
        "ref_type": "tag" if ref.startswith("refs/tags/") else "branch",
        "master_branch": facts.default_branch,
        "pusher_type": "user",
    }


def _status(facts: RepositoryFacts) -> Payload:
    return {
        "sha": facts.head_sha,
        "name": facts.full_name,
        "context": "default",
        "state": "success",
        "description": None,
        "target_url": None,
        "branches": [{"name": head_branch(facts), "commit": {"sha": facts.head_sha}}],
    }


def _deployment_status(facts: RepositoryFacts) -> Payload:
    return {
        "deployment": _deployment(facts),
        "deployment_status": {
            "id": stable_id(f"{facts.full_name}/deployment_status"),
            "state": "success",
            "environment": "production",
            "creator": _user(facts.actor),
            "environment_url": "",
            "target_url": "",
        },
    }


def _issue_comment(facts: RepositoryFacts) -> Payload:
    return {"issue": _issue(facts), "comment": _text(facts)}


def _pull_comment(facts: RepositoryFacts) -> Payload:
    issue = {**_issue(facts), "pull_request": {"url": _pull_request(facts)["html_url"]}}
    return {"issue": issue, "comment": _text(facts)}


def _discussion(facts: RepositoryFacts) -> Payload:
    return {"discussion": {**_issue(facts), "category": {"name": "General", "slug": "general"}}}


def _review(facts: RepositoryFacts) -> Payload:
    return {**_pull(facts), "review": {**_text(facts), "state": "approved"}}


_BUILDERS: Mapping[str, Callable[[RepositoryFacts], Payload]] = {
    "branch_protection_rule": lambda facts: {"rule": {"name": facts.default_branch}},
    "check_run": lambda facts: {"check_run": _check(facts)},
    "check_suite": lambda facts: {"check_suite": _check(facts)},
    "create": _branch_or_tag,
    "delete": _branch_or_tag,
    "deployment": lambda facts: {"deployment": _deployment(facts)},
    "deployment_status": _deployment_status,
    "discussion": _discussion,
    "discussion_comment": lambda facts: {**_discussion(facts), "comment": _text(facts)},
    "fork": lambda facts: {"forkee": _repository(facts)},
    "gollum": lambda _: {"pages": []},
    "image_version": lambda _: {"image_version": {"name": "", "version": ""}},
    "issue_comment": _issue_comment,
    "issues": lambda facts: {"issue": _issue(facts)},
    "label": lambda _: {"label": _label()},
    "merge_group": _merge_group,
    "milestone": lambda _: {"milestone": {"number": 1, "title": "", "state": "open"}},
    "page_build": lambda facts: {"build": {"status": "built", "commit": facts.head_sha}},
    "project": lambda _: {"project": {"number": 1, "name": ""}},
    "project_card": lambda _: {"project_card": {"note": ""}},
    "project_column": lambda _: {"project_column": {"name": ""}},
    "pull_request": _pull,
    "pull_request_comment": _pull_comment,
    "pull_request_review": _review,
    "pull_request_review_comment": lambda facts: {**_pull(facts), "comment": _text(facts)},
    "pull_request_target": _pull,
    "push": _push,
    "registry_package": lambda _: {"registry_package": {"name": "", "package_type": "CONTAINER"}},
    "release": _release,
    "repository_dispatch": lambda facts: {"branch": facts.default_branch, "client_payload": {}},
    "schedule": lambda _: {"workflow": ""},
    "status": _status,
    "workflow_call": _dispatch,
    "workflow_dispatch": _dispatch,
    "workflow_run": _workflow_run,
}
