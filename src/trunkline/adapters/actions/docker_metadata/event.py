"""What a run is of: its event, ref and commit, from the workflow or from git."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from trunkline.adapters.toolkit.world import World
from trunkline.base.errors import NotFound, Unavailable
from trunkline.ports.actions import ActionCall, ActionFailed, ActionJob


class Event(msgspec.Struct, frozen=True):
    """What tags are made of. `commit_date` is in seconds since the epoch."""

    name: str
    ref: str
    sha: str
    payload: Mapping[str, Any]
    commit_date: float

    @property
    def branch(self) -> str:
        """The branch, '' for another ref."""
        return self.ref.removeprefix("refs/heads/") if self.ref.startswith("refs/heads/") else ""

    @property
    def tag(self) -> str:
        """The tag, '' for another ref."""
        return self.ref.removeprefix("refs/tags/") if self.ref.startswith("refs/tags/") else ""

    @property
    def repository(self) -> Mapping[str, Any]:
        """What the payload says of the repository."""
        found = self.payload.get("repository")
        return found if isinstance(found, Mapping) else {}

    @property
    def base_ref(self) -> str:
        """The branch that a pull request goes to, or that a pushed tag is said to be of."""
        if self.tag:
            return str(self.payload.get("base_ref") or "").removeprefix("refs/heads/")
        if self.ref.startswith("refs/pull/"):
            return str(_of(self.payload, "pull_request", "base", "ref") or "")
        return ""

    @property
    def is_default_branch(self) -> bool:
        """Tell whether the run is of the default branch's last commit."""
        ref = self.ref.removeprefix("refs/heads/")
        if not ref:
            return False
        if self.repository.get("default_branch") == ref:
            return True
        return any(word in self.name for word in ("create", "discussion", "issues", "schedule"))


def from_workflow(call: ActionCall, job: ActionJob, world: World) -> Event:
    """Return the event as the workflow has it; `DOCKER_METADATA_PR_HEAD_SHA` counts."""
    github = call.github
    name, ref, sha = (str(github.get(key) or "") for key in ("event_name", "ref", "sha"))
    payload = github.get("event") or {}
    if "pull_request_target" in name:
        ref = f"refs/pull/{payload.get('number')}/merge"
    head = _of(payload, "pull_request", "head", "sha")
    wants_head = "true" in call.env.get("DOCKER_METADATA_PR_HEAD_SHA", "").lower()
    if wants_head and "pull_request" in name and head:
        sha = str(head)
    return Event(name, ref, sha, payload, _commit_date(sha, payload, job, world))


def from_git(call: ActionCall, job: ActionJob) -> Event:
    """Return the event with ref and commit of the workspace's HEAD. Raises ActionFailed."""
    sha = _git(job, "show", "--format=%H", "HEAD", "--quiet", "--")
    branch = _git(job, "branch", "--show-current")
    ref = f"refs/heads/{branch}" if branch else _detached_ref(job)
    date = datetime.fromisoformat(_git(job, "show", "-s", "--format=%cI", sha)).timestamp()
    github = call.github
    return Event(str(github.get("event_name") or ""), ref, sha, github.get("event") or {}, date)


def _commit_date(sha: str, payload: Mapping[str, Any], job: ActionJob, world: World) -> float:
    """Return when a commit was made: as the event, the workspace or the repository says, else now."""
    commits = [*(payload.get("commits") or ()), payload.get("head_commit")]
    told = (each.get("timestamp") for each in commits if each and each.get("id") == sha)
    date = _seconds(next(told, None))
    if date is None and sha:
        date = _seconds(_date_in_workspace(sha, job)) or _date_of_head(sha, world)
    return world.clock.now() if date is None else date


def _date_in_workspace(sha: str, job: ActionJob) -> str:
    if not job.sandbox.find("git", job.layout.env["PATH"]):
        return ""
    code, output = job.capture(
        ["git", "show", "-s", "--format=%cI", "--end-of-options", f"{sha}^{{commit}}"]
    )
    return "" if code else output.strip()


def _date_of_head(sha: str, world: World) -> float | None:
    try:
        head = world.forge.facts(world.source, event="push").head
    except (NotFound, Unavailable):
        return None
    return _seconds(head.timestamp) if head and head.sha == sha else None


def _seconds(date: object) -> float | None:
    try:
        return datetime.fromisoformat(str(date)).timestamp()
    except ValueError:
        return None


def _of(payload: Any, *keys: str) -> Any:
    for key in keys:
        payload = payload.get(key) if isinstance(payload, Mapping) else None
    return payload


def _git(job: ActionJob, *arguments: str) -> str:
    code, output = job.capture(["git", *arguments])
    if code:
        raise ActionFailed(output.strip())
    return output.strip()


def _detached_ref(job: ActionJob) -> str:
    """Return the ref of a HEAD that is on no branch, from what names the same commit."""
    told = _git(job, "show", "-s", "--pretty=%D")
    names = told.removeprefix("grafted, ").strip()
    if names == "HEAD":
        return _containing_ref(job)
    first = names.removeprefix("HEAD, ").strip()
    if first == names or not first:
        raise ActionFailed(f'Cannot find detached HEAD ref in "{told}"')
    if first.startswith("tag: "):
        return _tag_ref(job, first, told)
    if re.fullmatch(r"pull/\d+/(?:head|merge)", first):
        return f"refs/{first}"
    if branch := re.fullmatch(r"[^/]+/[^/]+, (.+)", first) or re.fullmatch(r"[^/]+/(.+)", first):
        return f"refs/heads/{branch[1].strip()}"
    # The real action gives up here, on a branch that was left by `git checkout --detach`.
    return f"refs/heads/{first.partition(',')[0]}"


def _tag_ref(job: ActionJob, decoration: str, told: str) -> str:
    listed = _git(
        job, "for-each-ref", "--format=%(refname)", "--points-at", "HEAD", "refs/tags/"
    ).split()
    for ref in sorted(listed, key=len, reverse=True):
        if f"{decoration}, ".startswith(f"tag: {ref.removeprefix('refs/tags/')}, "):
            return ref
    if len(listed) == 1:
        return listed[0]
    raise ActionFailed(f'Cannot find detached tag ref in "{told}"')


def _containing_ref(job: ActionJob) -> str:
    for scope in ("refs/heads/", "refs/remotes/"):
        form = ("--format=%(refname)", "--contains", "HEAD", "--sort=-committerdate")
        refs = _git(job, "for-each-ref", *form, scope).split()
        if refs:
            return re.sub(r"^refs/remotes/[^/]+/(?=.)", "refs/heads/", refs[0])
    tags = _git(job, "tag", "--contains", "HEAD").split()
    if not tags:
        raise ActionFailed("Cannot infer ref from detached HEAD")
    return f"refs/tags/{tags[0]}"
