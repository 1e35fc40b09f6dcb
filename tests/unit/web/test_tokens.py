"""The token end point, as docker, podman, skopeo and BuildKit speak to it."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from trunkline.adapters.clock import FakeClock, FakeIds
from trunkline.adapters.registry_users.memory import MemoryUsers
from trunkline.base.errors import Unavailable
from trunkline.oci.access import Grant
from trunkline.services.registry_access import TokenRequest, UserAccess
from trunkline.web.tokens import TokenApp, with_tokens

ALICE = {"Authorization": "Basic " + b64encode(b"alice:p").decode()}
SCOPE = "repository:team/a:push,pull"


@pytest.fixture
def client() -> Client:
    users = MemoryUsers((Grant("public/*", ("pull",)),))
    users.put("alice", "p", (Grant("team/*", ("pull", "push")),))
    return Client(TokenApp(UserAccess(users, FakeClock(), FakeIds(), b"k" * 32).issue))


def record(response: TestResponse) -> dict[str, Any]:
    found = response.get_json()
    assert isinstance(found, dict)
    return found


def test_docker_asks_with_get_and_basic(client: Client) -> None:
    query = {"account": "alice", "scope": SCOPE, "service": "trunkline-registry"}
    response = client.get("/token", query_string=query, headers=ALICE)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    found = record(response)
    assert found["token"] == found["access_token"]
    assert found["expires_in"] == 300
    assert found["issued_at"].endswith("Z")
    assert found["scope"] == SCOPE
    assert "refresh_token" not in found


def test_docker_login_asks_for_a_refresh_token_and_uses_it(client: Client) -> None:
    query = {"account": "alice", "client_id": "docker", "offline_token": "true"}
    refresh = record(client.get("/token", query_string=query, headers=ALICE))["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": refresh, "scope": SCOPE}
    assert record(client.post("/token", data=form))["scope"] == SCOPE


def test_buildkit_asks_with_a_form(client: Client) -> None:
    form = {
        "grant_type": "password",
        "client_id": "buildkit-client",
        "username": "alice",
        "password": "p",
        "scope": f"{SCOPE} repository:public/b:pull repository:team/c:pull",
    }
    assert record(client.post("/token", data=form))["scope"] == f"{SCOPE} repository:team/c:pull"


def test_several_scopes(client: Client) -> None:
    query = {"scope": ["repository:team/a:pull", "repository:team/b:pull"]}
    found = record(client.get("/token", query_string=query, headers=ALICE))
    assert found["scope"] == "repository:team/a:pull repository:team/b:pull"


def test_nobody_gets_what_everybody_may(client: Client) -> None:
    query = {"scope": "repository:public/a:pull,push"}
    assert record(client.get("/token", query_string=query))["scope"] == "repository:public/a:pull"


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("GET", {"headers": {"Authorization": "Basic " + b64encode(b"alice:q").decode()}}),
        ("POST", {"data": {"grant_type": "password", "username": "alice", "password": "q"}}),
        ("POST", {"data": {"grant_type": "refresh_token", "refresh_token": "q"}}),
        ("POST", {"data": {"grant_type": "refresh_token"}}),
    ],
)
def test_wrong_credentials(client: Client, method: str, options: dict[str, Any]) -> None:
    response = client.open("/token", method=method, **options)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Basic ")
    found = record(response)
    assert found["error"] == "invalid_grant"
    assert found["errors"][0]["code"] == "UNAUTHORIZED"
    assert found["errors"][0]["message"] == found["error_description"]


def test_other_grants_and_methods(client: Client) -> None:
    response = client.post("/token", data={"grant_type": "authorization_code"})
    assert (response.status_code, record(response)["error"]) == (400, "unsupported_grant_type")
    assert client.put("/token").status_code == 405


def test_a_form_that_is_too_long(client: Client) -> None:
    response = client.post("/token", data={"grant_type": "password", "scope": "x" * 100_000})
    assert response.status_code == 413
    assert record(response)["errors"]


def test_users_that_can_not_be_read() -> None:
    def issue(_asked: TokenRequest) -> Any:
        raise Unavailable("the disk is gone")

    response = Client(TokenApp(issue)).get("/token")
    assert response.status_code == 503
    assert record(response)["errors"][0]["message"] == "the disk is gone"


def test_tokens_stand_beside_a_registry() -> None:
    def registry(_environ: Any, start: Any) -> list[bytes]:
        start("200 OK", [])
        return [b"the registry"]

    both = Client(with_tokens(registry, lambda _asked: None))  # type: ignore[arg-type,return-value]
    assert both.get("/v2/").data == b"the registry"
    assert both.get("/v2/token/blobs/x").data == b"the registry"
    assert both.put("/token").status_code == 405
