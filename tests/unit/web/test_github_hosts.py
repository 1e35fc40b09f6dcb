"""Requests to GitHub's hosts that come here: whose are answered, and whose go on."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIEnvironment

import msgspec
import pytest
from werkzeug.test import Client, TestResponse

from tests.actions_services import ask, job_of
from tests.github_api import served
from trunkline import settings
from trunkline.app import Choices, System
from trunkline.app.services_parts import upstream_of
from trunkline.base.errors import Unavailable
from trunkline.ports.upstream import Received, Sending
from trunkline.web.github_hosts import GitHubHosts

JOB = job_of()
API = "http://127.0.0.1:18080/api/v3"
OWN = {"Authorization": "token own"}


def echo(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    """Answer with where a request came to."""
    start("200 OK", [("Content-Type", "text/plain")])
    asked = (environ[name] for name in ("HTTP_HOST", "PATH_INFO", "REQUEST_URI"))
    return [" ".join(asked).encode()]


class Answer:
    """What GitHub answers."""

    status = 200
    headers: Sequence[tuple[str, str]] = (
        ("Content-Type", "application/json"),
        ("Set-Cookie", "x=1"),
        ("X-RateLimit-Limit", "60"),
    )

    def __init__(self) -> None:
        self._body = io.BytesIO(b'{"of": "GitHub"}')

    def read(self, size: int, /) -> bytes:
        return self._body.read(size)

    def close(self) -> None:
        self._body.close()


class GitHub:
    """Keeps what is sent to it; `is_there` tells whether it answers."""

    def __init__(self, *, is_there: bool = True) -> None:
        self.asked: list[Sending] = []
        self._is_there = is_there

    def send(self, request: Sending) -> Received:
        if not self._is_there:
            raise Unavailable("api.github.com can't be asked: no network")
        self.asked.append(request)
        return Answer()


def send(
    upstream: GitHub | None, url: str, method: str = "GET", headers: Mapping[str, str] = OWN
) -> TestResponse:
    """Send a request as it comes to the services; the token `own` is the job's."""
    tokens = {"own": JOB}
    client = Client(GitHubHosts(echo, tokens.get, lambda _job: API, upstream))
    parts = urlsplit(url)
    path = url.removeprefix(f"{parts.scheme}://{parts.netloc}")
    return client.open(path, f"{parts.scheme}://{parts.netloc}", method=method, headers=headers)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://api.github.com/repos/octo/demo/releases?x=1", "/api/v3/repos/octo/demo/releases"),
        ("https://api.github.com/repos/Octo/Demo", "/api/v3/repos/Octo/Demo"),
        ("https://api.github.com:443/user", "/api/v3/user"),
        ("https://api.github.com/graphql", "/api/graphql"),
        ("https://uploads.github.com/repos/octo/demo/x", "/api/uploads/repos/octo/demo/x"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_answered_here(method: str, url: str, path: str):
    github = GitHub()
    answer = send(github, url, method)
    query = url.partition("?")[2]
    assert answer.text == f"127.0.0.1:18080 {path} {path}{'?' + query if query else ''}"
    assert github.asked == []


@pytest.mark.parametrize(
    ("path", "token"),
    [
        ("/repos/actions/python-versions/git/trees/main?x=%2F", "token own"),
        ("/repos/octo/demo2", "token own"),
        ("/repos/octo/demo", "token other"),
        ("/repos/octo/demo", ""),
        ("/users/ada", "Bearer other"),
    ],
)
def test_what_goes_on_to_github(path: str, token: str):
    github = GitHub()
    headers = (
        {"Authorization": token, "Accept": "a/b", "Cookie": "x"} if token else {"Accept": "a/b"}
    )
    answer = send(github, f"https://api.github.com{path}", headers=headers)
    assert (answer.status_code, answer.text) == (200, '{"of": "GitHub"}')
    assert answer.headers["X-RateLimit-Limit"] == "60"
    assert "Set-Cookie" not in answer.headers
    (sent,) = github.asked
    assert (sent.method, sent.url) == ("GET", f"https://api.github.com{path}")
    kept = {"authorization": token} if token not in {"", OWN["Authorization"]} else {}
    assert sent.headers == {"accept": "a/b", "user-agent": "trunkline", **kept}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("path", "token"),
    [("/repos/octo/other/dispatches", "own"), ("/repos/octo/demo", "other"), ("/graphql", "other")],
)
def test_nothing_is_written_there(method: str, path: str, token: str):
    github = GitHub()
    headers = {"Authorization": f"token {token}"}
    answer = send(github, f"https://api.github.com{path}", method, headers)
    assert answer.status_code == 403
    assert answer.json is not None
    assert "A rehearsal sends nothing to api.github.com" in answer.json["message"]
    assert github.asked == []


@pytest.mark.parametrize(
    ("upstream", "said"),
    [(None, "--offline or --network-policy"), (GitHub(is_there=False), "no network")],
)
def test_without_a_network(upstream: GitHub | None, said: str):
    answer = send(upstream, "https://api.github.com/repos/actions/checkout")
    assert answer.status_code == 503
    assert answer.json is not None
    assert said in answer.json["message"]


@pytest.mark.parametrize("host", ["example.com", "api.github.com.example.com", "127.0.0.1:1"])
def test_other_hosts_are_left_alone(host: str):
    assert send(None, f"http://{host}/x").text == f"{host} /x /x"


def test_who_may_not_use_the_network_may_not_by_us():
    for choices in (Choices(offline=True), Choices(network_policy="none")):
        assert upstream_of(choices) is None
    assert upstream_of(Choices(network_policy="registry")) is None
    assert upstream_of(Choices()) is not None


@pytest.mark.parametrize(
    ("server", "publish", "hosts"),
    [
        ("https://github.com", False, ("api.github.com", "uploads.github.com")),
        ("https://github.com", True, ()),
        ("https://git.example.com", False, ()),
    ],
)
def test_what_actions_are_led_from(
    tmp_path: Path, server: str, *, publish: bool, hosts: tuple[str, ...]
):
    job = msgspec.structs.replace(
        JOB, github={"server_url": server, "repository": JOB.repository, "run_id": JOB.run_id}
    )
    found = settings.read({"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"})
    system = System(found, Choices(directory=str(tmp_path), publish=publish))
    try:
        assert system.job_services.open(job).hosts == hosts
    finally:
        system.close()


def test_the_api_is_there_by_its_own_name(tmp_path: Path):
    with served(tmp_path) as github:
        origin = github.api.removesuffix("/api/v3")
        headers = {"Host": "api.github.com", "Authorization": f"token {github.token}"}
        told = github.done(ask("GET", f"{origin}/repos/octo/demo", headers=headers), 200)
        assert (told["full_name"], told["url"]) == ("octo/demo", f"{github.api}/repos/octo/demo")
        refused = ask("DELETE", f"{origin}/repos/octo/other", headers=headers)
        assert refused.status == 403
