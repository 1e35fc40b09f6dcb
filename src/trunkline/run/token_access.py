"""What a job's token may do for its event (GitHub: workflow syntax, how permissions are calculated)."""

from __future__ import annotations

from collections.abc import Mapping

# Events of pull requests whose runs are of the code that a fork sent.
OF_FORKS = frozenset({"pull_request", "pull_request_review", "pull_request_review_comment"})
IDENTITY = "id-token"


def granted(permissions: Mapping[str, str], github: Mapping[str, object]) -> Mapping[str, str]:
    """Return a job's permissions as its run has them: for a fork's pull request nothing is written.

    Asking for an identity is `write`, and reading one is nothing.
    """
    if not is_from_fork(github):
        return permissions
    lowered = {scope: "read" if level == "write" else level for scope, level in permissions.items()}
    return {**lowered, IDENTITY: "none"}


def is_from_fork(github: Mapping[str, object]) -> bool:
    """Tell whether a run is of a pull request from another repository, or from one that is gone."""
    if github.get("event_name") not in OF_FORKS:
        return False
    pull = _record(_record(github.get("event")).get("pull_request"))
    head = _record(pull.get("head"))
    base = _name(_record(pull.get("base"))) or str(github.get("repository"))
    return "repo" in head and _name(head).lower() != base.lower()


def _name(end: Mapping[str, object]) -> str:
    """Return the name of the repository that an end of a pull request is in, '' for none."""
    return str(_record(end.get("repo")).get("full_name") or "")


def _record(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
