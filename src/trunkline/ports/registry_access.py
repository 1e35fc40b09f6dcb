"""Port: who may do what in the registry."""

from __future__ import annotations

from typing import Protocol

import msgspec


class Wanted(msgspec.Struct, frozen=True):
    """A right that a request needs, as in a token's scope `type:name:action,action`.

    `name` is a repository's; `actions` are of `pull`, `push` and `delete`. The listing of all
    repositories wants `Wanted("catalog", ("*",), "registry")`.
    """

    name: str
    actions: tuple[str, ...]
    type: str = "repository"

    @property
    def scope(self) -> str:
        """Return the scope's text."""
        return f"{self.type}:{self.name}:{','.join(self.actions)}"


class AccessRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request as far as rights depend on it.

    `authorization` is the header as it came (may be empty), `remote` the client's address, `base`
    how the client reached us (`http://host:port`), for the realm of a challenge. All of `wanted`
    is needed; it is empty for `GET /v2/`, which only asks whether the credentials are good.
    """

    authorization: str
    remote: str
    base: str
    wanted: tuple[Wanted, ...] = ()


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided.

    When it is not allowed: `status` 401 (credentials missing, wrong or expired: the answer is
    UNAUTHORIZED) or 403 (these credentials will never do: DENIED), `headers` for the answer
    (`WWW-Authenticate`), and a `message` for the user. `account` is who asks, '' for nobody.
    """

    allowed: bool
    account: str = ""
    status: int = 401
    headers: tuple[tuple[str, str], ...] = ()
    message: str = ""


class Access(Protocol):
    """Decides about requests to the registry. Thread-safe; wrong credentials are no exception."""

    def decide(self, request: AccessRequest) -> Decision:
        """Decide about one request. Raises Unavailable when users or keys can't be read."""
        ...
