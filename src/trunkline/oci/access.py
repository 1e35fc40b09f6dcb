"""Rights in a registry: grants of users, scopes of tokens, challenges (Docker registry token specification)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

ACTIONS = ("pull", "push", "delete")
# What clients ask for when they want to delete, or do not know what they will want.
ANY = "*"
REPOSITORY = "repository"
# `type(class):name:action,action`; a name may hold colons (a host's port).
SCOPE = re.compile(r"(?P<type>[a-z0-9]+)(?:\([a-z0-9]+\))?:(?P<name>[^ ]+):(?P<actions>[^: ]*)")
PATTERN = re.compile(r"[a-z0-9*](?:[a-z0-9*._/-]*[a-z0-9*])?")
MOST_SCOPES = 32
QUOTED = str.maketrans({'"': "'", "\\": "/", "\r": " ", "\n": " "})


class Scope(msgspec.Struct, frozen=True):
    """A right on one thing: its type (`repository`, `registry`), its name, and what may be done."""

    type: str
    name: str
    actions: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return `type:name:action,action`."""
        return f"{self.type}:{self.name}:{','.join(self.actions)}"


class Grant(msgspec.Struct, frozen=True):
    """What may be done in the repositories that a pattern names; `*` is any text, with slashes."""

    pattern: str
    actions: tuple[str, ...]


ALL_RIGHTS = (Grant(ANY, ACTIONS),)


def read_grants(written: Mapping[str, str]) -> tuple[Grant, ...]:
    """Read grants as users write them: pattern -> `pull,push,delete` or `*`.

    Raises ValueError, telling which one is wrong.
    """
    return tuple(_read_grant(pattern, actions) for pattern, actions in written.items())


def _read_grant(pattern: str, written: str) -> Grant:
    if not PATTERN.fullmatch(pattern):
        raise ValueError(f"'{pattern}' is not a repository's name, nor a pattern such as team/*")
    wanted = {action.strip() for action in written.split(",")}
    if wanted == {ANY}:
        return Grant(pattern, ACTIONS)
    unknown = sorted(wanted - set(ACTIONS))
    if unknown:
        raise ValueError(f"'{unknown[0]}' is not one of {', '.join(ACTIONS)}, or * for all of them")
    return Grant(pattern, tuple(action for action in ACTIONS if action in wanted))


def read_scopes(texts: Iterable[str]) -> tuple[Scope, ...]:
    """Read the scopes of a token request; each text may hold several, with spaces between.

    What is no scope is left out: it gives no right (token specification, "Requesting a Token").
    """
    words = [word for text in texts for word in text.split()][:MOST_SCOPES]
    found = (SCOPE.fullmatch(word) for word in words)
    return tuple(
        Scope(each["type"], each["name"], tuple(filter(None, each["actions"].split(","))))
        for each in found
        if each is not None
    )


def granted(grants: Iterable[Grant], scope: Scope) -> Scope:
    """Return the part of a scope that the grants allow; its actions may be none.

    The list of all repositories belongs to those who may pull every one of them.
    """
    held = {action for grant in grants if _fits(grant, scope) for action in grant.actions}
    if scope.type != REPOSITORY:
        return Scope(scope.type, scope.name, (ANY,) if "pull" in held else ())
    wanted = ACTIONS if ANY in scope.actions else scope.actions
    return Scope(scope.type, scope.name, tuple(action for action in wanted if action in held))


def _fits(grant: Grant, scope: Scope) -> bool:
    if scope.type == "registry":
        return grant.pattern == ANY and scope.name == "catalog"
    return scope.type == REPOSITORY and matches(grant.pattern, scope.name)


def matches(pattern: str, name: str) -> bool:
    """Tell whether a name is what a pattern says, `*` standing for any text."""
    first, *rest = pattern.split(ANY)
    if not rest:
        return name == pattern
    *middle, last = rest
    if not name.startswith(first):
        return False
    at = len(first)
    for part in middle:
        at = name.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return name.endswith(last) and at <= len(name) - len(last)


def covers(held: Iterable[Scope], wanted: Iterable[Scope]) -> bool:
    """Tell whether the scopes of a token are enough for all that is wanted."""
    rights: dict[tuple[str, str], set[str]] = {}
    for scope in held:
        rights.setdefault((scope.type, scope.name), set()).update(scope.actions)
    return all(set(each.actions) <= rights.get((each.type, each.name), set()) for each in wanted)


def basic_challenge(realm: str) -> str:
    """Return a WWW-Authenticate header that asks for a name and a password (RFC 7617)."""
    return f'Basic realm="{realm.translate(QUOTED)}"'


def bearer_challenge(
    realm: str, service: str, wanted: Iterable[Scope] = (), error: str = ""
) -> str:
    """Return a WWW-Authenticate header that sends the client to `realm` for a token.

    `error` is `invalid_token` or `insufficient_scope` (RFC 6750, section 3.1), or empty.
    """
    fields = {"realm": realm, "service": service}
    if scopes := " ".join(scope.text for scope in wanted):
        fields["scope"] = scopes
    if error:
        fields["error"] = error
    return "Bearer " + ",".join(
        f'{name}="{value.translate(QUOTED)}"' for name, value in fields.items()
    )
