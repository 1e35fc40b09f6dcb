"""Who may write caches (GitHub: read-only Actions cache for untrusted triggers, 2026-06-26)."""

from __future__ import annotations

from collections.abc import Mapping

# Events of the default branch that nobody from outside can cause.
TRUSTED = frozenset(
    (
        *("delete", "page_build", "push", "registry_package", "repository_dispatch", "schedule"),
        "workflow_dispatch",
    )
)
WORKFLOW_RUN = "workflow_run"
# How a refusal begins: clients tell it from others by these words.
WRITE_DENIED = "cache write denied:"
WHY_DENIED = "the event that started this run is not trusted to write caches"


def may_write_caches(github: Mapping[str, object]) -> bool:
    """Tell whether a run may write caches, by its `github` context.

    One that runs on the default branch, for an event that people without write permission can
    cause, may only read: what it kept, trusted runs would use.
    """
    event = _record(github.get("event"))
    default = _record(event.get("repository")).get("default_branch")
    name = github.get("event_name")
    if not default or github.get("ref") != f"refs/heads/{default}" or name in TRUSTED:
        return True
    if name != WORKFLOW_RUN:
        return False
    head = _record(_record(event.get(WORKFLOW_RUN)).get("head_repository")).get("full_name")
    return isinstance(head, str) and head.lower() == str(github.get("repository")).lower()


def _record(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
