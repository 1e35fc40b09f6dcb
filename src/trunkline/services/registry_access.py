"""Who may do what in the registry: everybody in a rehearsal, else users, with tokens for their scopes."""

from __future__ import annotations

import binascii
import threading
from base64 import b64decode

import msgspec

from trunkline.oci import tokens
from trunkline.oci.access import (
    Grant,
    Scope,
    basic_challenge,
    bearer_challenge,
    covers,
    granted,
    read_scopes,
)
from trunkline.ports.clock import Clock, Ids
from trunkline.ports.registry_access import AccessRequest, Decision
from trunkline.ports.registry_users import Account, Users

SERVICE = "trunkline-registry"
# Seconds. Clients fetch a new token when one ends, also in the middle of a long push.
TOKEN_LIFE = 300
REFRESH_LIFE = 90 * 24 * 3600
# Wrong passwords of one client for one name in this many seconds; more are not even looked at.
MOST_FAILURES, FAILURES_WINDOW = 10, 60.0
MOST_WATCHED = 10_000
DENIED = 403


class Refused(Exception):
    """Credentials that are not good. `retry` is when to come back, in seconds, 0 for never."""

    def __init__(self, message: str, *, error: str = "", retry: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.error = error
        self.retry = retry


class OpenAccess:
    """Everybody may do everything, under any name: for a registry that only this machine reaches."""

    def decide(self, request: AccessRequest) -> Decision:
        """Allow it."""
        try:
            account = _basic(request.authorization)[0]
        except Refused:
            account = ""
        return Decision(allowed=True, account=account)


class TokenRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks the token end point for.

    Without a name and without a refresh token it asks for what everybody may do. `offline` asks
    for a refresh token; `scopes` are texts as they came.
    """

    remote: str
    username: str = ""
    password: str = ""
    refresh_token: str = ""
    scopes: tuple[str, ...] = ()
    offline: bool = False


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """A token, when it was made (seconds since the epoch), and how long it is good, in seconds."""

    token: str
    scope: str
    issued_at: float
    expires_in: int
    refresh_token: str = ""


class _Caller(msgspec.Struct, frozen=True):
    """Who asks; `held` is what a token narrows the account's rights to, None for no token."""

    account: Account
    held: tuple[Scope, ...] | None = None


class UserAccess:
    """Users may do what they were granted: with their password, or with a token of ours.

    `key` signs tokens. `scheme` is what clients without credentials are told to use, `basic` or
    `bearer`; both are taken. `url` is how clients reach us when that is not how they say.
    """

    def __init__(
        self,
        users: Users,
        clock: Clock,
        ids: Ids,
        key: bytes,
        *,
        scheme: str = "bearer",
        url: str = "",
    ) -> None:
        self._users = users
        self._clock = clock
        self._ids = ids
        self._key = key
        self._scheme = scheme
        self._url = url.rstrip("/")
        self._failures = _Failures(clock)

    def decide(self, request: AccessRequest) -> Decision:
        """Decide about one request. Raises Unavailable or Corrupt when users can't be read."""
        wanted = tuple(Scope(each.type, each.name, each.actions) for each in request.wanted)
        try:
            caller = self._caller(request.authorization, request.remote)
        except Refused as refused:
            return self._challenged(request, wanted, refused)
        if not request.authorization and not wanted:
            # Clients learn here how to log in; those that are let in without do not ask again.
            return self._challenged(request, wanted, Refused("authentication required"))
        account = caller.account
        if not _may(account.grants, wanted):
            if account.name:
                what = " ".join(scope.text for scope in wanted)
                return Decision(
                    allowed=False,
                    account=account.name,
                    status=DENIED,
                    message=f"{account.name} has no right to {what}",
                )
            return self._challenged(request, wanted, Refused("authentication required"))
        if caller.held is not None and not covers(caller.held, wanted):
            too_little = Refused("the token is not for this", error="insufficient_scope")
            return self._challenged(request, wanted, too_little)
        return Decision(allowed=True, account=account.name)

    def issue(self, asked: TokenRequest) -> Issued:
        """Return a token for as much as the client may do of what it asks for. Raises Refused."""
        account = self._asking(asked)
        scopes = tuple(granted(account.grants, scope) for scope in read_scopes(asked.scopes))
        access = tuple(scope for scope in scopes if scope.actions)
        return Issued(
            token=self._sign(account, tokens.ACCESS, TOKEN_LIFE, access),
            scope=" ".join(scope.text for scope in access),
            issued_at=self._clock.now(),
            expires_in=TOKEN_LIFE,
            refresh_token=(
                self._sign(account, tokens.REFRESH, REFRESH_LIFE)
                if asked.offline and account.name
                else ""
            ),
        )

    def _asking(self, asked: TokenRequest) -> Account:
        if asked.refresh_token:
            return self._bearer(asked.refresh_token, tokens.REFRESH).account
        if asked.username or asked.password:
            return self._checked(asked.username, asked.password, asked.remote)
        return self._users.anonymous()

    def _sign(self, account: Account, use: str, life: int, access: tuple[Scope, ...] = ()) -> str:
        now = int(self._clock.now())
        return tokens.sign(
            tokens.Claims(
                aud=SERVICE,
                sub=account.name,
                use=use,
                iat=now,
                exp=now + life,
                jti=self._ids.token(),
                ver=account.version,
                access=access,
            ),
            self._key,
        )

    def _caller(self, authorization: str, remote: str) -> _Caller:
        scheme, _, rest = authorization.partition(" ")
        if not authorization:
            return _Caller(self._users.anonymous())
        if scheme.lower() == "bearer":
            return self._bearer(rest.strip(), tokens.ACCESS)
        name, password = _basic(authorization)
        return _Caller(self._checked(name, password, remote))

    def _bearer(self, token: str, use: str) -> _Caller:
        try:
            claims = tokens.verify(
                token, self._key, audience=SERVICE, use=use, now=self._clock.now()
            )
        except tokens.InvalidToken as error:
            raise Refused(str(error), error="invalid_token") from None
        if not claims.sub:
            return _Caller(self._users.anonymous(), claims.access)
        account = self._users.account(claims.sub)
        if account is None or account.version != claims.ver:
            raise Refused("the token's user is gone, or has a new password", error="invalid_token")
        return _Caller(account, claims.access)

    def _checked(self, name: str, password: str, remote: str) -> Account:
        """Return the account when the password is right. Raises Refused."""
        who = (remote, name)
        if wait := self._failures.wait(who):
            raise Refused(f"too many wrong passwords, try again in {wait} seconds", retry=wait)
        account = self._users.check(name, password)
        if account is None:
            self._failures.add(who)
            raise Refused("incorrect username or password")
        self._failures.forget(who)
        return account

    def _challenged(
        self, request: AccessRequest, wanted: tuple[Scope, ...], refused: Refused
    ) -> Decision:
        base = self._url or request.base.rstrip("/")
        if self._scheme == "basic":
            challenge = basic_challenge(base)
        else:
            challenge = bearer_challenge(f"{base}/token", SERVICE, wanted, refused.error)
        headers = [("WWW-Authenticate", challenge)]
        if refused.retry:
            headers.append(("Retry-After", str(refused.retry)))
        return Decision(allowed=False, headers=tuple(headers), message=refused.message)


def _may(grants: tuple[Grant, ...], wanted: tuple[Scope, ...]) -> bool:
    return covers((granted(grants, scope) for scope in wanted), wanted)


def _basic(authorization: str) -> tuple[str, str]:
    """Return name and password of a Basic header (RFC 7617). Raises Refused for another one."""
    scheme, _, rest = authorization.partition(" ")
    try:
        given = b64decode(rest.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        given = ""
    name, colon, password = given.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise Refused("the Authorization header is neither Basic nor Bearer")
    return name, password


class _Failures:
    """Counts wrong passwords by client and name, so that guessing is slow."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._times: dict[tuple[str, str], list[float]] = {}

    def wait(self, who: tuple[str, str]) -> int:
        """Return how many seconds `who` has to wait, 0 for none."""
        now = self._clock.monotonic()
        with self._lock:
            recent = [time for time in self._times.get(who, ()) if now - time < FAILURES_WINDOW]
        if len(recent) < MOST_FAILURES:
            return 0
        return max(1, int(recent[0] + FAILURES_WINDOW - now))

    def add(self, who: tuple[str, str]) -> None:
        """Count one more."""
        with self._lock:
            times = self._times.pop(who, [])[1 - MOST_FAILURES :]
            self._times[who] = [*times, self._clock.monotonic()]
            while len(self._times) > MOST_WATCHED:
                self._times.pop(next(iter(self._times)))

    def forget(self, who: tuple[str, str]) -> None:
        """Forget those of `who`: the password was right."""
        with self._lock:
            self._times.pop(who, None)
