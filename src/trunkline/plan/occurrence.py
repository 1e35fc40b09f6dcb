"""An event that happened (or is rehearsed), and what GitHub knows about every kind of event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

PULL_EVENTS = frozenset({"pull_request", "pull_request_target"})


class EventRule(msgspec.Struct, frozen=True):
    """What is special to an event.

    `place` is where GITHUB_REF points: `head` (the pushed or chosen ref), `default` (the default
    branch), `pull` (`refs/pull/N/merge`), `tag`, `queue` (a merge queue's branch).
    `action` is the activity type of a made payload, '' for events without types. `types` are the
    types that start a workflow which lists none; None means every type (events that trigger
    workflows, "activity types").
    """

    place: str = "default"
    action: str = ""
    types: tuple[str, ...] | None = None


_PULL_TYPES = ("opened", "synchronize", "reopened")

EVENTS: Mapping[str, EventRule] = {
    "branch_protection_rule": EventRule(action="created"),
    "check_run": EventRule(action="created"),
    "check_suite": EventRule(action="completed"),
    "create": EventRule("head"),
    "delete": EventRule(),
    "deployment": EventRule("head"),
    "deployment_status": EventRule("head"),
    "discussion": EventRule(action="created"),
    "discussion_comment": EventRule(action="created"),
    "fork": EventRule(),
    "gollum": EventRule(),
    "image_version": EventRule(action="ready"),
    "issue_comment": EventRule(action="created"),
    "issues": EventRule(action="opened"),
    "label": EventRule(action="created"),
    "merge_group": EventRule("queue", "checks_requested"),
    "milestone": EventRule(action="created"),
    "page_build": EventRule(),
    "project": EventRule(action="created"),
    "project_card": EventRule(action="created"),
    "project_column": EventRule(action="created"),
    "public": EventRule(),
    "pull_request": EventRule("pull", "opened", _PULL_TYPES),
    "pull_request_comment": EventRule(action="created"),
    "pull_request_review": EventRule("pull", "submitted"),
    "pull_request_review_comment": EventRule("pull", "created"),
    "pull_request_target": EventRule("default", "opened", _PULL_TYPES),
    "push": EventRule("head"),
    "registry_package": EventRule("head", "published"),
    "release": EventRule("tag", "published"),
    "repository_dispatch": EventRule(),
    "schedule": EventRule(),
    "status": EventRule(),
    "watch": EventRule(action="started"),
    "workflow_call": EventRule("head"),
    "workflow_dispatch": EventRule("head"),
    "workflow_run": EventRule(action="completed"),
}


class Occurrence(msgspec.Struct, frozen=True, kw_only=True):
    """One event. Refs named `ref` are full, `base_ref` and `head_ref` are branch names.

    `action` is the activity type ('' when it has none). `branch` is what `branches` filters test:
    the pushed branch, a pull request's or merge group's base, a workflow run's head; '' for a tag.
    `changed_files` is None when they are not known; `commits` counts the pushed or proposed ones.
    `message` is the head commit's. `given_inputs` are inputs as they were asked for; `inputs` are
    typed, and set when the occurrence is bound to a workflow. `notes` are sentences for the user.
    """

    event: str
    action: str = ""
    ref: str = ""
    sha: str = ""
    base_ref: str = ""
    head_ref: str = ""
    branch: str = ""
    changed_files: tuple[str, ...] | None = ()
    commits: int = 0
    message: str = ""
    payload: Mapping[str, Any] = {}
    given_inputs: Mapping[str, Any] = {}
    inputs: Mapping[str, Any] = {}
    notes: tuple[str, ...] = ()

    @property
    def ref_type(self) -> str:
        """`tag` or `branch`."""
        return "tag" if self.ref.startswith("refs/tags/") else "branch"

    @property
    def ref_name(self) -> str:
        """The ref as people say it: `main`, `v1`, `1/merge`."""
        return short_ref(self.ref)


def short_ref(ref: str) -> str:
    """Return a full ref's short name: without `refs/heads/`, `refs/tags/` or `refs/pull/`."""
    for prefix in ("refs/heads/", "refs/tags/", "refs/pull/"):
        if ref.startswith(prefix):
            return ref[len(prefix) :]
    return ref


def field(payload: Any, *path: str) -> Any:
    """Return a payload's value at `path`, None where something on the way is not there."""
    for name in path:
        if not isinstance(payload, Mapping):
            return None
        payload = payload.get(name)
    return payload


def text_field(payload: Any, *path: str) -> str:
    """Return a payload's text at `path`, '' where there is none."""
    value = field(payload, *path)
    return value if isinstance(value, str) else ""
