"""Permissions of the job token: as written, at their full length, and who may ask for what."""

from __future__ import annotations

from trunkline.expr.template import Mapping, Token
from trunkline.workflow.model import Permissions
from trunkline.workflow.tokens import entries, string

LEVELS = ("none", "read", "write")
# The order in which GitHub compares them.
ORDER = (
    *("actions", "artifact-metadata", "attestations", "checks", "code-quality", "contents"),
    *("copilot-requests", "deployments", "discussions", "drives", "issues", "packages", "pages"),
    *("pull-requests", "repository-projects", "statuses", "security-events", "id-token"),
    *("models", "vulnerability-alerts"),
)
# The scopes that know less than read, write and none.
_FEWER = {
    "copilot-requests": ("write", "none"),
    "id-token": ("write", "none"),
    "models": ("read", "none"),
    "vulnerability-alerts": ("read", "none"),
}
_ALL = {"read-all": "read", "write-all": "write"}


def permissions(token: Token | None) -> Permissions | None:
    """Return the permissions as written, or None when nothing is written."""
    if token is None:
        return None
    every = _ALL.get(string(token) or "")
    if every is not None:
        return Permissions(all_=every, span=token.span)
    if not isinstance(token, Mapping):
        return None
    scopes = tuple((name, string(value) or "none") for name, _, value in entries(token))
    return Permissions(scopes=scopes, span=token.span)


def levels(given: Permissions, scopes: tuple[str, ...] = ORDER) -> dict[str, str]:
    """Return the level of every scope; what is not named is `none`.

    `read-all` and `write-all` give each scope the most of it that the scope knows.
    """
    named = dict(given.scopes)
    return {scope: _most(scope, given.all_) or named.get(scope, "none") for scope in scopes}


def known_levels(scope: str) -> tuple[str, ...]:
    """Return the levels that a scope knows."""
    return _FEWER.get(scope, ("read", "write", "none"))


def _most(scope: str, level: str) -> str:
    if not level:
        return ""
    known = known_levels(scope)
    if level in known or scope == "id-token":
        return level
    return "read" if level == "write" and "read" in known else "none"


def default_levels(policy: str, scopes: tuple[str, ...] = ORDER) -> dict[str, str]:
    """Return what a token may do when nothing is written: the repository's policy.

    `policy` is `LimitedRead` (contents and packages may be read) or `Write`.
    """
    if policy == "Write":
        return {**levels(Permissions(all_="write"), scopes), "id-token": "none"}
    return {scope: "read" if scope in {"contents", "packages"} else "none" for scope in scopes}


def excess(requested: dict[str, str], allowed: dict[str, str]) -> tuple[tuple[str, str, str], ...]:
    """Return what is requested but not allowed, as (scope, requested level, allowed level)."""
    return tuple(
        (scope, level, allowed.get(scope, "none"))
        for scope, level in requested.items()
        if LEVELS.index(level) > LEVELS.index(allowed.get(scope, "none"))
    )
