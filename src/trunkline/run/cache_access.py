"""What a run's jobs may do with caches (GitHub: workflow syntax, `cache-mode`)."""

from __future__ import annotations

from collections.abc import Mapping

from trunkline.workflow.cache_modes import READ, READABLE, WRITABLE, WRITE

# Events of the default branch that nobody from outside can cause.
TRUSTED = frozenset(
    (
        *("delete", "page_build", "push", "registry_package", "repository_dispatch", "schedule"),
        "workflow_dispatch",
    )
)
WORKFLOW_RUN = "workflow_run"
# How refusals begin: clients tell them from others by these words.
READ_DENIED = "cache read denied:"
WRITE_DENIED = "cache write denied:"


def cache_mode(written: str, github: Mapping[str, object]) -> str:
    """Return what a job may do with caches: what is written, else what its event is worth."""
    return written or (WRITE if is_trusted(github) else READ)


def may_read(mode: str) -> bool:
    """Tell whether a job of this mode may restore caches."""
    return mode in READABLE


def may_write(mode: str) -> bool:
    """Tell whether a job of this mode may save caches."""
    return mode in WRITABLE


def why_not(mode: str, what: str) -> str:
    """Return why a job may not do something (`reads`, `writes`), in the words of @actions/cache."""
    return f"the effective cache-mode '{mode}' does not permit {what}."


def is_trusted(github: Mapping[str, object]) -> bool:
    """Tell whether a run may write caches unless its workflow says otherwise, by its `github`.

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
