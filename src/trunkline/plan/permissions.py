"""What a job's token may do (GitHub: workflow syntax, `permissions`)."""

from __future__ import annotations

from collections.abc import Mapping

from trunkline.workflow.model import Permissions

NONE, READ, WRITE = "none", "read", "write"

# Scope -> the most it can be, and whether it can be `read`.
_SCOPES: Mapping[str, tuple[str, bool]] = {
    "actions": (WRITE, True),
    "artifact-metadata": (WRITE, True),
    "attestations": (WRITE, True),
    "checks": (WRITE, True),
    "code-quality": (WRITE, True),
    "contents": (WRITE, True),
    "copilot-requests": (WRITE, False),
    "deployments": (WRITE, True),
    "discussions": (WRITE, True),
    "drives": (WRITE, True),
    "id-token": (WRITE, False),
    "issues": (WRITE, True),
    "metadata": (READ, True),
    "models": (READ, True),
    "packages": (WRITE, True),
    "pages": (WRITE, True),
    "pull-requests": (WRITE, True),
    "repository-projects": (WRITE, True),
    "security-events": (WRITE, True),
    "statuses": (WRITE, True),
    "vulnerability-alerts": (READ, True),
}
SCOPES = tuple(_SCOPES)

RESTRICTED: Mapping[str, str] = {
    scope: READ if scope in {"contents", "metadata", "packages"} else NONE for scope in SCOPES
}


def effective(
    written: Permissions | None, inherited: Mapping[str, str] = RESTRICTED
) -> Mapping[str, str]:
    """Return the level of every scope.

    `written` is the nearest `permissions` key (a job's replaces its workflow's); without one the
    `inherited` ones hold: the repository's default (GitHub's restricted setting), or in a called
    workflow the calling job's. `metadata` is always read.
    """
    if written is None:
        return inherited
    if written.all_:
        return {scope: _at_most(scope, written.all_) for scope in SCOPES}
    named = {scope: _at_most(scope, level) for scope, level in written.scopes}
    return {**dict.fromkeys(SCOPES, NONE), **named, "metadata": READ}


def render(permissions: Mapping[str, str]) -> str:
    """Return what is granted besides metadata (`contents: read`), `none`, or `read-all`."""
    for level in (READ, WRITE):
        if permissions == effective(Permissions(all_=level)):
            return f"{level}-all"
    granted = [
        f"{scope}: {level}"
        for scope, level in permissions.items()
        if level != NONE and scope != "metadata"
    ]
    return ", ".join(granted) or NONE


def _at_most(scope: str, level: str) -> str:
    """Return what a scope becomes when `level` is asked for it."""
    most, readable = _SCOPES.get(scope, (WRITE, True))
    if level == WRITE:
        return most
    return NONE if level == READ and not readable else level
