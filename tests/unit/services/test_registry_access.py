"""Who may do what in the registry: passwords, tokens, and nobody."""

from __future__ import annotations

from base64 import b64encode

import pytest

from trunkline.adapters.clock import FakeClock, FakeIds
from trunkline.adapters.registry_users.memory import MemoryUsers
from trunkline.oci.access import Grant
from trunkline.ports.registry_access import AccessRequest, Decision, Wanted
from trunkline.services.registry_access import (
    REFRESH_LIFE,
    TOKEN_LIFE,
    OpenAccess,
    Refused,
    TokenRequest,
    UserAccess,
)

PULL = Wanted("team/a", ("pull",))
PUSH = Wanted("team/a", ("pull", "push"))
ALICES = "wonder:land"
BASE = "http://here:5000"
CHALLENGE = f'Bearer realm="{BASE}/token",service="trunkline-registry"'


class World:
    """Alice may push to the team's, everybody may pull what is public."""

    def __init__(self, scheme: str = "bearer", url: str = "") -> None:
        self.clock = FakeClock()
        self.users = MemoryUsers((Grant("public/*", ("pull",)),))
        self.users.put("alice", "wonder:land", (Grant("team/*", ("pull", "push")),))
        self.access = UserAccess(
            self.users, self.clock, FakeIds(), b"k" * 32, scheme=scheme, url=url
        )

    def ask(self, authorization: str, *wanted: Wanted) -> Decision:
        return self.access.decide(
            AccessRequest(authorization=authorization, remote="1.2.3.4", base=BASE, wanted=wanted)
        )

    def token(self, *scopes: str, who: tuple[str, str] = ("alice", ALICES)) -> str:
        asked = TokenRequest(remote="1.2.3.4", username=who[0], password=who[1], scopes=scopes)
        return self.access.issue(asked).token


@pytest.fixture
def world() -> World:
    return World()


def basic(name: str, password: str) -> str:
    return "Basic " + b64encode(f"{name}:{password}".encode()).decode()


def bearer(token: str) -> str:
    return f"Bearer {token}"


ALICE = basic("alice", "wonder:land")


def test_open_access_allows_everything_under_any_name() -> None:
    def ask(authorization: str) -> Decision:
        asked = AccessRequest(
            authorization=authorization, remote="", base=BASE, wanted=(Wanted("x", ("delete",)),)
        )
        return OpenAccess().decide(asked)

    assert ask("") == Decision(allowed=True)
    assert ask(ALICE) == Decision(allowed=True, account="alice")
    assert ask("Bearer x") == Decision(allowed=True)


def test_a_password_opens_what_was_granted(world: World) -> None:
    assert world.ask(ALICE) == Decision(allowed=True, account="alice")
    assert world.ask(ALICE, PUSH).allowed
    denied = world.ask(ALICE, Wanted("team/a", ("delete",)))
    assert not denied.allowed
    assert denied.status == 403
    assert denied.message == "alice has no right to repository:team/a:delete"
    assert not world.ask(ALICE, PUSH, Wanted("other", ("pull",))).allowed


@pytest.mark.parametrize(
    "authorization",
    [
        basic("alice", "wrong"),
        basic("bob", "wonder:land"),
        basic("", ""),
        "Basic",
        "Basic !!!",
        "Basic " + b64encode(b"\xff:\xff").decode(),
        "Basic " + b64encode(b"alice").decode(),
        "Digest x",
        "nonsense",
    ],
)
def test_wrong_credentials_are_challenged(world: World, authorization: str) -> None:
    found = world.ask(authorization, PULL)
    assert not found.allowed
    assert found.status == 401
    assert dict(found.headers) == {
        "WWW-Authenticate": f'{CHALLENGE},scope="repository:team/a:pull"'
    }


def test_nobody_is_asked_who_he_is_before_anything_else(world: World) -> None:
    found = world.ask("")
    assert not found.allowed
    assert dict(found.headers) == {"WWW-Authenticate": CHALLENGE}


def test_nobody_may_pull_what_is_public(world: World) -> None:
    assert world.ask("", Wanted("public/a", ("pull",))) == Decision(allowed=True)
    refused = world.ask("", Wanted("public/a", ("push",)))
    assert (refused.allowed, refused.status) == (False, 401)


def test_basic_can_be_what_clients_are_told() -> None:
    found = World(scheme="basic").ask("", PULL)
    assert dict(found.headers) == {"WWW-Authenticate": f'Basic realm="{BASE}"'}


def test_a_proxy_in_front_has_its_own_url() -> None:
    found = World(url="https://images.example.org/").ask("", PULL)
    assert 'realm="https://images.example.org/token"' in dict(found.headers)["WWW-Authenticate"]


def test_a_token_opens_what_it_was_asked_for(world: World) -> None:
    token = bearer(world.token("repository:team/a:pull,push"))
    assert world.ask(token) == Decision(allowed=True, account="alice")
    assert world.ask(token, PUSH) == Decision(allowed=True, account="alice")
    other = world.ask(token, Wanted("team/b", ("pull",)))
    assert (other.allowed, other.status) == (False, 401)
    assert 'error="insufficient_scope"' in dict(other.headers)["WWW-Authenticate"]
    never = world.ask(token, Wanted("other", ("pull",)))
    assert (never.allowed, never.status) == (False, 403)


def test_a_token_holds_no_more_than_was_granted(world: World) -> None:
    asked = TokenRequest(
        remote="",
        username="alice",
        password=ALICES,
        scopes=("repository:team/a:delete,pull repository:other:pull", "repository:team/b:*"),
    )
    issued = world.access.issue(asked)
    assert issued.scope == "repository:team/a:pull repository:team/b:pull,push"
    assert issued.expires_in == TOKEN_LIFE
    assert issued.issued_at == world.clock.now()
    assert issued.refresh_token == ""


def test_a_token_of_nobody(world: World) -> None:
    token = bearer(world.token("repository:public/a:pull,push", who=("", "")))
    assert world.ask(token, Wanted("public/a", ("pull",))) == Decision(allowed=True)
    assert world.ask(token, Wanted("public/a", ("push",))).status == 401


def test_tokens_end(world: World) -> None:
    token = bearer(world.token("repository:team/a:pull"))
    world.clock.advance(TOKEN_LIFE - 1)
    assert world.ask(token, PULL).allowed
    world.clock.advance(1)
    found = world.ask(token, PULL)
    assert (found.allowed, found.status, found.message) == (False, 401, "the token has expired")
    assert 'error="invalid_token"' in dict(found.headers)["WWW-Authenticate"]


def test_tokens_of_others_are_refused(world: World) -> None:
    other = UserAccess(world.users, world.clock, FakeIds(), b"x" * 32)
    asked = TokenRequest(remote="", username="alice", password=ALICES)
    found = world.ask(bearer(other.issue(asked).token), PULL)
    assert (found.allowed, found.status) == (False, 401)
    assert found.message == "the token was not signed here"


@pytest.mark.parametrize("change", ["remove", "password", "grants"])
def test_tokens_end_with_their_reason(world: World, change: str) -> None:
    token = bearer(world.token("repository:team/a:pull"))
    if change == "remove":
        world.users.remove("alice")
    else:
        password = "new" if change == "password" else "wonder:land"
        world.users.put("alice", password, ())
    assert not world.ask(token, PULL).allowed


def test_a_refresh_token_fetches_tokens_and_opens_nothing(world: World) -> None:
    asked = TokenRequest(remote="", username="alice", password=ALICES, offline=True)
    refresh = world.access.issue(asked).refresh_token
    assert not world.ask(bearer(refresh), PULL).allowed
    world.clock.advance(REFRESH_LIFE - 1)
    again = TokenRequest(remote="", refresh_token=refresh, scopes=("repository:team/a:pull",))
    assert world.ask(bearer(world.access.issue(again).token), PULL).allowed
    world.users.put("alice", "new", ())
    with pytest.raises(Refused, match="new password"):
        world.access.issue(again)


def test_an_access_token_refreshes_nothing(world: World) -> None:
    with pytest.raises(Refused, match="something else"):
        world.access.issue(TokenRequest(remote="", refresh_token=world.token()))


def test_nobody_gets_no_refresh_token(world: World) -> None:
    assert not world.access.issue(TokenRequest(remote="", offline=True)).refresh_token


def test_a_wrong_password_gets_no_token(world: World) -> None:
    with pytest.raises(Refused, match="incorrect username or password"):
        world.token(who=("alice", "wrong"))


def test_guessing_is_slowed_down_and_only_for_who_guesses(world: World) -> None:
    wrong = basic("alice", "wrong")
    assert {world.ask(wrong).message for _ in range(10)} == {"incorrect username or password"}
    held = world.ask(ALICE)
    assert (held.allowed, held.status) == (False, 401)
    assert dict(held.headers)["Retry-After"] == "60"
    assert "try again in 60 seconds" in held.message
    asked = AccessRequest(authorization=ALICE, remote="5.6.7.8", base=BASE)
    assert world.access.decide(asked).allowed
    world.clock.advance(61)
    assert world.ask(ALICE).allowed
