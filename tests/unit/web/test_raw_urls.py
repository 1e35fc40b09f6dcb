"""URLs with bytes beyond ASCII: every service answers them in its own words."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.github_api import GitHub, served
from tests.web_clients import everything
from trunkline.adapters.clock import FakeClock, FakeIds
from trunkline.adapters.registries.memory import MemoryImageStore
from trunkline.services.registry.registry import Registry
from trunkline.services.registry_access import OpenAccess
from trunkline.web.registry import RegistryApp
from trunkline.web.server import serve


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHub]:
    with served(tmp_path_factory.mktemp("github")) as made:
        yield made


def ask(address: str, method: bytes, target: bytes, token: str) -> tuple[int, bytes]:
    """Send a request as it stands; return status and body."""
    host, _, port = address.removeprefix("http://").partition(":")
    fields = (
        f"Host: {host}\r\nConnection: close\r\nContent-Length: 0\r\nAuthorization: Bearer {token}"
    )
    with socket.create_connection((host, int(port)), timeout=60) as sock:
        sock.sendall(b"%b %b HTTP/1.1\r\n%b\r\n\r\n" % (method, target, fields.encode()))
        answer, _, body = everything(sock).partition(b"\r\n\r\n")
    return int(answer.split()[1]), body


@pytest.mark.parametrize("raw", ["ä".encode(), b"\xff"])
@pytest.mark.parametrize(
    ("method", "target", "status", "key"),
    [
        (b"GET", b"/api/v3/repos/octo/demo/branches/", 404, "message"),
        (b"GET", b"/api/v3/repos/octo/", 404, "message"),
        (b"POST", b"/twirp/github.actions.results.api.v1.ArtifactService/", 404, "code"),
        (b"GET", b"/_apis/artifactcache/cache?keys=", 400, "typeKey"),
    ],
)
def test_services_of_a_run(
    github: GitHub, raw: bytes, method: bytes, target: bytes, status: int, key: str
) -> None:
    address = github.api.removesuffix("/api/v3")
    is_api = target.startswith(b"/api/v3/")
    token = github.token if is_api else github.access.actions["ACTIONS_RUNTIME_TOKEN"]
    found, body = ask(address, method, target + raw, token)
    assert (found, key in json.loads(body)) == (status, True), body


def test_a_file_whose_name_is_not_percent_encoded(github: GitHub) -> None:
    target = "/api/v3/repos/octo/demo/contents/a%20b/ä.txt".encode()
    status, body = ask(github.api.removesuffix("/api/v3"), b"GET", target, github.token)
    told: dict[str, Any] = json.loads(body)
    assert (status, told["name"]) == (200, "ä.txt")


def test_the_registry() -> None:
    registry = Registry(store=MemoryImageStore(FakeClock(), FakeIds()), clock=FakeClock())
    with serve(RegistryApp(registry, OpenAccess())) as server:
        status, body = ask(server.url, b"GET", "/v2/ä/tags/list".encode(), "x")
    assert status == 400
    assert json.loads(body)["errors"][0]["code"] == "NAME_INVALID"
