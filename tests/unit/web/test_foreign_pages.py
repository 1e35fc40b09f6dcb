"""Pages of other sites: what browsers say of them, and which names are this machine's."""

from __future__ import annotations

import socket

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from trunkline.web.foreign_pages import NoForeignPages

OURS = [
    *("localhost", "LOCALHOST:5000", "localhost.:5000", "ci.localhost:18080", "127.0.0.1"),
    *("127.8.9.1:5000", "[::1]:5000", "[fe80::1%25eth0]:5000", "172.17.0.1:40001"),
    *("host.docker.internal:40001", "host.containers.internal", "", socket.gethostname()),
]
OTHERS = [
    *("example.org", "example.org:5000", "localhost.example.org", "127.0.0.1.example.org"),
    *("notlocalhost", "127.0.0.1:5000@example.org", "127.0.0.1, example.org", "[::1", "127.0.1"),
    *("example.org.", "[example.org]:5000", ":5000", "."),
]


def client(names: tuple[str, ...] | None = ()) -> Client:
    return Client(NoForeignPages(Response("here"), names))


@pytest.mark.parametrize("host", OURS)
def test_names_of_this_machine_pass(host: str) -> None:
    assert client().get("/v2/", headers={"Host": host}).text == "here"


@pytest.mark.parametrize("host", OTHERS)
def test_other_names_do_not(host: str) -> None:
    answer = client().get("/v2/", headers={"Host": host})
    assert answer.status == "421 Misdirected Request"
    found = answer.get_json()
    assert found["errors"] == [{"code": "DENIED", "message": found["message"], "detail": {}}]
    assert f"'{host}' is not a name of this machine" in found["message"]
    assert "--url" in found["message"]


def test_names_can_be_added() -> None:
    named = client(("Images.Example.org",))
    assert named.get("/", headers={"Host": "images.example.ORG:443"}).status_code == 200
    assert named.get("/", headers={"Host": "localhost"}).status_code == 200
    assert named.get("/", headers={"Host": "example.org"}).status_code == 421
    assert client(None).get("/", headers={"Host": "example.org"}).status_code == 200


FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://example.org"},
    {"Origin": "http://localhost:3000"},
    {"Origin": "null"},
    {"Origin": ""},
]
OWN = [
    {},
    {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost:5000"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "https://LOCALHOST:5000"},
]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("names", [(), None])
@pytest.mark.parametrize("headers", FOREIGN)
def test_pages_of_other_sites_write_nothing(
    method: str, names: tuple[str, ...] | None, headers: dict[str, str]
) -> None:
    headers = {"Host": "localhost:5000", **headers}
    answer = client(names).open("/v2/a/blobs/uploads/", method=method, headers=headers)
    assert answer.status_code == 403
    assert answer.get_json()["errors"][0]["message"] == "a page of another site asks for this"
    assert client(names).get("/v2/", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", OWN)
def test_clients_and_own_pages_write(headers: dict[str, str]) -> None:
    headers = {"Host": "localhost:5000", **headers}
    assert client().post("/v2/a/blobs/uploads/", headers=headers).status_code == 200
