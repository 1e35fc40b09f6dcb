"""The events that start a workflow, their activity types and filters, as data."""

from __future__ import annotations

from typing import NamedTuple


class Event(NamedTuple):
    """One event: the activity types it knows, and the keys that narrow it."""

    types: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()


def _event(types: str = "", filters: str = "") -> Event:
    return Event(tuple(types.split()), tuple(filters.split()))


_BRANCHES = "branches branches-ignore"
_TAGS = "tags tags-ignore"
_PATHS = "paths paths-ignore"
_EDITS = _event("created edited deleted")
_PULL_REQUEST = _event(
    "assigned unassigned labeled unlabeled opened edited closed reopened synchronize"
    " converted_to_draft locked unlocked enqueued dequeued milestoned demilestoned"
    " ready_for_review review_requested review_request_removed"
    " auto_merge_enabled auto_merge_disabled stacked",
    f"{_BRANCHES} {_PATHS}",
)

EVENTS: dict[str, Event] = {
    "branch_protection_rule": _EDITS,
    "check_run": _event("completed created rerequested requested_action"),
    "check_suite": _event("completed"),
    "create": Event(),
    "delete": Event(),
    "deployment": Event(),
    "deployment_status": Event(),
    "discussion": _event(
        "created edited deleted transferred pinned unpinned labeled unlabeled locked unlocked"
        " category_changed answered unanswered"
    ),
    "discussion_comment": _EDITS,
    "fork": Event(),
    "gollum": Event(),
    "image_version": _event("created ready deleted", "names versions"),
    "issue_comment": _EDITS,
    "issues": _event(
        "opened edited deleted transferred pinned unpinned closed reopened assigned unassigned"
        " labeled unlabeled locked unlocked milestoned demilestoned field_added field_removed"
        " typed untyped"
    ),
    "label": _EDITS,
    "merge_group": _event("checks_requested", _BRANCHES),
    "milestone": _event("created closed opened edited deleted"),
    "page_build": Event(),
    "project": _event("created closed reopened edited deleted"),
    "project_card": _event("created moved converted edited deleted"),
    "project_column": _event("created updated moved deleted"),
    "public": Event(),
    "pull_request": _PULL_REQUEST,
    "pull_request_comment": _EDITS,
    "pull_request_review": _event("submitted edited dismissed"),
    "pull_request_review_comment": _EDITS,
    "pull_request_target": _PULL_REQUEST,
    "push": _event("", f"{_BRANCHES} {_TAGS} {_PATHS}"),
    "registry_package": _event("published updated"),
    "release": _event("published unpublished created edited deleted prereleased released"),
    "repository_dispatch": Event(),
    "schedule": Event(),
    "status": Event(),
    "watch": _event("started"),
    "workflow_call": Event(),
    "workflow_dispatch": Event(),
    "workflow_run": _event("requested completed in_progress", f"workflows {_BRANCHES}"),
}
