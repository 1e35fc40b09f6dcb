"""`--publish`: what jobs ask of the API goes to a real one, here a second instance of our own."""

from __future__ import annotations

import subprocess
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from wsgiref.types import StartResponse, WSGIEnvironment

import msgspec
import pytest

from tests.actions_services import RUN, Answer, ask, job_of
from tests.certificates import make_certificate
from tests.github_api import ALL, GitHub, served
from tests.repositories import commit, git, repository
from trunkline import settings
from trunkline.adapters.upstreams.http import HttpUpstream
from trunkline.app import Choices, System
from trunkline.base.errors import Unavailable, UsageError
from trunkline.ports.artifacts import ArtifactInfo
from trunkline.ports.job_services import ServicesJob, Written
from trunkline.ports.upstream import Sending
from trunkline.web import server

HI = b64encode(b"hi\n").decode()
DENIED = "Resource not accessible by integration"


class Local(NamedTuple):
    """A run with `--publish`: its job's way to our API, and what was told of its writes."""

    system: System
    root: Path
    job: ServicesJob
    token: str
    api: str
    heard: list[Written]

    def ask(self, method: str, path: str, record: object = None, token: str = "") -> Answer:
        """Send a request; `path` is behind the repository's, behind the API's with `//` before."""
        place = path[1:] if path.startswith("//") else f"/repos/octo/demo{path}"
        url = path if path.startswith("http") else f"{self.api}{place}"
        body = b"" if record is None else msgspec.json.encode(record)
        headers = {
            "authorization": f"token {token or self.token}",
            "content-type": "application/json",
        }
        return ask(method, url, body, headers)

    def sent(self) -> list[str]:
        """Return what was told, and where it went."""
        return [f"{each.kind} {each.what} -> {each.sent_to}" for each in self.heard]


@contextmanager
def publishing(
    place: Path, api: str, given: str, permissions: dict[str, str], *, publish: bool = True
) -> Iterator[Local]:
    root = repository(place / "local", {"README.md": "# Local\n"})
    env = {"HOME": str(place), "PATH": "/usr/bin:/bin", "GITHUB_API_URL": api}
    system = System(settings.read(env), Choices(directory=str(root), publish=publish))
    (Path(system.settings.state) / "runs" / RUN).mkdir(parents=True)
    context = {
        "repository": "octo/demo",
        "server_url": api.removesuffix("/api/v3"),
        "ref": "refs/heads/main",
        "sha": git(root, "rev-parse", "HEAD"),
        "event": {},
    }
    job = msgspec.structs.replace(job_of(permissions=permissions), github=context)
    heard: list[Written] = []

    def hear(made: ArtifactInfo | Written) -> None:
        assert isinstance(made, Written)
        heard.append(made)

    try:
        system.job_services.token(job, given)
        access = system.job_services.open(job, hear)
        token = system.job_services.token(job)
        yield Local(system, root, job, token, access.github["api_url"], heard)
    finally:
        system.close()


@pytest.fixture
def real(tmp_path: Path) -> Iterator[GitHub]:
    """Return the API that stands for GitHub's."""
    with served(tmp_path / "real") as found:
        yield found


@pytest.fixture
def local(tmp_path: Path, real: GitHub) -> Iterator[Local]:
    with publishing(tmp_path, real.api, real.token, ALL) as found:
        yield found


def test_reads_and_writes_are_those_of_the_real_one(local: Local, real: GitHub):
    found = msgspec.json.decode(local.ask("GET", "/git/ref/heads/main").body)
    assert found["object"]["sha"] == real.head
    assert found["url"].startswith(f"{local.api}/repos/")
    made = local.ask("POST", "/git/refs", {"ref": "refs/heads/new", "sha": real.first})
    assert made.status == 201
    assert made.headers["location"].startswith(f"{local.api}/repos/octo/demo/git/")
    assert real.get("/git/ref/heads/new")["object"]["sha"] == real.first
    host = real.api.removesuffix("/api/v3").removeprefix("http://")
    assert local.sent() == [f"request POST /repos/octo/demo/git/refs, 201 -> {host}"]


def test_a_release_with_an_asset(local: Local, real: GitHub):
    made = msgspec.json.decode(local.ask("POST", "/releases", {"tag_name": "v2"}).body)
    place = made["upload_url"].removesuffix("{?name,label}")
    assert place.startswith(local.api.removesuffix("/v3"))
    headers = {"authorization": f"Bearer {local.token}", "content-type": "text/plain"}
    data = b"x" * 3_000_000
    assert ask("POST", f"{place}?name=a.txt", data, headers).status == 201
    (asset,) = real.get("/releases/tags/v2")["assets"]
    assert (asset["name"], asset["size"], asset["content_type"]) == (
        "a.txt",
        len(data),
        "text/plain",
    )
    uploads = local.api.replace("/api/v3", "/api/uploads")
    url = f"{uploads}/repos/octo/demo/releases/{made['id']}/assets?name=b.txt"
    assert ask("POST", url, b"b", headers).status == 201
    assert len(real.get("/releases/tags/v2")["assets"]) == 2


def test_pages_lead_here(local: Local, real: GitHub):
    for index in range(3):
        real.post("/deployments", {"ref": "main", "environment": f"e{index}"})
    answer = local.ask("GET", "/deployments?per_page=2")
    assert f"<{local.api}/repos/octo/demo/deployments?per_page=2&page=2>" in answer.headers["link"]
    tagged = local.ask("GET", "/git/ref/heads/main").headers["etag"]
    headers = {"authorization": f"token {local.token}", "if-none-match": tagged}
    url = f"{local.api}/repos/octo/demo/git/ref/heads/main"
    assert ask("GET", url, headers=headers).status == 304


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/git/refs"),
        ("PUT", "/contents/a.txt"),
        ("POST", "/statuses/main"),
        ("POST", "/issues"),
        ("POST", "/pulls"),
        ("POST", "/pulls/1/comments"),
        ("PUT", "/pulls/1/merge"),
        ("POST", "//repos/octo/other/issues"),
        ("POST", "//user/repos"),
        ("DELETE", "//repos/octo/demo"),
        ("PUT", "/environments/x"),
    ],
)
def test_permissions_come_first(tmp_path: Path, real: GitHub, method: str, path: str):
    with publishing(tmp_path, real.api, real.token, {"contents": "read"}) as local:
        answer = local.ask(method, path, {})
        assert answer.status == 403
        assert msgspec.json.decode(answer.body)["message"] == DENIED
        assert local.heard == []


def test_a_pull_request_is_left_to_the_real_one(local: Local):
    assert local.ask("POST", "/pulls", {"title": "x", "head": "y", "base": "main"}).status == 410


def test_what_is_about_others_is_asked_without_a_token(local: Local):
    assert local.ask("GET", "//repos/octo/other").status == 401
    assert local.ask("GET", "//orgs/octo").status == 401
    assert local.ask("GET", "/contents/../../other/contents/x").status in {401, 404}


def test_runs_and_artifacts_are_those_of_this_machine(local: Local):
    answer = local.ask("GET", f"/actions/runs/{RUN}/artifacts")
    assert answer.status == 404  # the run has no journal here: nobody else was asked


def test_without_a_token_nothing_is_sent(tmp_path: Path, real: GitHub):
    with publishing(tmp_path, real.api, "", ALL) as local:
        answer = local.ask("POST", "/git/refs", {"ref": "refs/heads/x", "sha": real.head})
        assert answer.status == 403
        assert "-s GITHUB_TOKEN" in msgspec.json.decode(answer.body)["message"]
        found = msgspec.json.decode(local.ask("GET", "/git/ref/heads/main").body)
        assert found["object"]["sha"] == git(local.root, "rev-parse", "HEAD")
        told = push(local, "HEAD:x")
        assert "remote: --publish sends pushes with a token of yours" in told
        assert local.heard == []
    assert real.ask("GET", "/branches/x").status == 404


def test_a_token_that_the_server_does_not_know(tmp_path: Path, real: GitHub):
    with publishing(tmp_path, real.api, "ghp_wrong", ALL) as local:
        assert local.ask("POST", "/releases", {"tag_name": "v2"}).status == 401
        assert "Invalid username or token." in push(local, "HEAD:x")
        assert local.heard == []


def test_without_publish_nothing_is_sent(tmp_path: Path, real: GitHub):
    with publishing(tmp_path, real.api, real.token, ALL, publish=False) as local:
        head = git(local.root, "rev-parse", "HEAD")
        made = local.ask("POST", "/git/refs", {"ref": "refs/heads/x", "sha": head})
        assert made.status == 201
        assert push(local, "HEAD:y") == ""
        assert [each.sent_to for each in local.heard] == ["", ""]
    for name in ("x", "y"):
        assert real.ask("GET", f"/branches/{name}").status == 404


def asked(local: Local, command: str, *args: str) -> subprocess.CompletedProcess[str]:
    """Run a command of git's about the real repository as an action does."""
    access = local.system.job_services.open(local.job, lambda made: hear(local, made))
    words = [word for name, value in access.git for word in ("-c", f"{name}={value}")]
    where = f"{local.job.github['server_url']}/octo/demo"
    env = {"PATH": "/usr/bin:/bin", "HOME": str(local.root), "GIT_TERMINAL_PROMPT": "0"}
    return subprocess.run(
        ["git", *words, command, "--quiet", where, *args],
        cwd=local.root,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def push(local: Local, *refs: str) -> str:
    """Push; return what git complains of."""
    done = asked(local, "push", *refs)
    return "" if done.returncode == 0 else done.stderr


def fetched(local: Local, branch: str) -> str:
    """Return what a fetch says that a branch points to."""
    done = asked(local, "ls-remote", f"refs/heads/{branch}")
    assert done.returncode == 0, done.stderr
    return done.stdout.partition("\t")[0]


def hear(local: Local, made: ArtifactInfo | Written) -> None:
    assert isinstance(made, Written)
    local.heard.append(made)


def test_pushes_are_sent(local: Local, real: GitHub):
    head = commit(local.root, {"site.html": "<p>\n"}, "pages")
    assert push(local, "HEAD:refs/heads/gh-pages") == ""
    assert real.get("/branches/gh-pages")["commit"]["sha"] == head
    assert fetched(local, "gh-pages") == head
    assert "rejected" in push(local, "HEAD:refs/heads/main")
    assert push(local, ":refs/heads/gh-pages") == ""
    assert fetched(local, "gh-pages") == ""
    assert real.ask("GET", "/branches/gh-pages").status == 404
    host = real.api.removesuffix("/api/v3").removeprefix("http://")
    assert local.sent() == [
        f"push refs/heads/gh-pages, at {head[:7]} -> {host}",
        f"push refs/heads/gh-pages, removed -> {host}",
    ]


# --- GraphQL, and servers that are not ours ---------------------------------------------


class Other:
    """A server that answers every request, and notes it."""

    def __init__(self, status: str = "200 OK", **headers: str) -> None:
        self.status = status
        self.headers = [("Content-Type", "application/json"), *headers.items()]
        self.seen: list[tuple[str, str, str, bytes]] = []

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        place = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        token = environ.get("HTTP_AUTHORIZATION", "")
        self.seen.append(
            (place, token, str(environ.get("HTTP_COOKIE", "")), environ["wsgi.input"].read())
        )
        start(self.status, self.headers)
        return [b'{"data": {"url": "https://api.github.com/x"}}']


class Nodes(Other):
    """A server that knows of nodes: the repository of each is what stands before `#` in its id."""

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        whole = super().__call__(environ, start)
        asked = msgspec.json.decode(self.seen[-1][3])
        if "nodes(" not in asked["query"]:
            return whole
        names = (each.partition("#")[0] for each in asked["variables"]["ids"])
        nodes = [{"__typename": "I", "repository": {"nameWithOwner": name}} for name in names]
        return [msgspec.json.encode({"data": {"nodes": nodes}})]


def test_the_limits_that_the_server_tells_are_passed_on(tmp_path: Path):
    other = Other(**{"X-RateLimit-Limit": "15000", "X-RateLimit-Used": "7"})
    with (
        server.serve(other) as there,
        publishing(tmp_path, f"{there.url}/api/v3", "ghp_mine", {"issues": "write"}) as local,
    ):
        answer = local.ask("GET", "/issues")
    found = {name: value for name, value in answer.headers.items() if "ratelimit" in name}
    assert found == {"x-ratelimit-limit": "15000", "x-ratelimit-used": "7"}


def mutation(local: Local, document: str, token: str = "", **variables: str) -> Answer:
    url = local.api.replace("/api/v3", "/api/graphql")
    headers = {"authorization": f"bearer {token or local.token}", "cookie": "a=b"}
    record = {"query": document, "variables": variables}
    return ask("POST", url, msgspec.json.encode(record), headers)


def test_graphql(tmp_path: Path):
    other = Nodes()
    permissions = {"contents": "read", "issues": "write"}
    comment = "mutation ($id: ID!) { addComment(subjectId: $id) { a } }"
    with (
        server.serve(other) as there,
        publishing(tmp_path, f"{there.url}/api/v3", "ghp_mine", permissions) as local,
    ):
        assert mutation(local, "{ viewer { login } }").status == 200
        for document, id_ in (
            ('mutation { createRef(repositoryId: "octo/demo#1") { a } }', ""),
            (comment, "octo/other#1"),
            ("mutation { addComment(body: 1) { a } }", ""),
        ):
            refused = mutation(local, document, **({"id": id_} if id_ else {}))
            assert msgspec.json.decode(refused.body)["errors"][0]["message"] == DENIED
        assert mutation(local, comment, id="octo/demo#2").status == 200
        assert mutation(local, "mutation { ...F }").status == 400
        assert mutation(local, "{ a }", "ghs_forged").status == 401
        assert [each[:3] for each in other.seen] == [
            ("POST /api/graphql", "Bearer ghp_mine", "")
        ] * 4
        assert [b"mutation" in each[3] for each in other.seen] == [False, False, False, True]
        assert [each.what for each in local.heard] == ["addComment, 200"]


def test_a_commit_by_graphql_goes_to_the_own_repository_alone(tmp_path: Path):
    other = Nodes()
    commit_to = (
        "mutation ($to: String!) { createCommitOnBranch(input: "
        '{branch: {repositoryNameWithOwner: $to, branchName: "x"}}) { a } }'
    )
    with (
        server.serve(other) as there,
        publishing(tmp_path, f"{there.url}/api/v3", "ghp_mine", ALL) as local,
    ):
        assert DENIED in mutation(local, commit_to, to="octo/other").body.decode()
        assert DENIED not in mutation(local, commit_to, to="octo/demo").body.decode()
        assert len(other.seen) == 1


def test_a_redirect_is_not_followed_with_the_token(tmp_path: Path):
    away = Other()
    with server.serve(away) as elsewhere:
        other = Other("302 Found", Location=f"{elsewhere.url}/somewhere")
        with (
            server.serve(other) as there,
            publishing(tmp_path, f"{there.url}/api/v3", "ghp_mine", ALL) as local,
        ):
            answer = local.ask("GET", "/tarball/main")
            assert (answer.status, answer.headers["location"]) == (
                302,
                f"{elsewhere.url}/somewhere",
            )
            assert "error: 403" in push(local, "HEAD:x")
    assert away.seen == []


def test_a_server_that_is_not_there(tmp_path: Path):
    with publishing(tmp_path, "http://127.0.0.1:1/api/v3", "ghp_mine", ALL) as local:
        answer = local.ask("GET", "/git/ref/heads/main")
        assert answer.status == 503
        assert "127.0.0.1 can't be asked" in msgspec.json.decode(answer.body)["message"]


def test_only_a_server_that_proves_who_it_is(tmp_path: Path):
    made = make_certificate(tmp_path)
    tls = server.Tls(str(made.certificate), str(made.key))
    with server.serve(Other(), tls=tls) as there, pytest.raises(Unavailable, match="certificate"):
        HttpUpstream().send(Sending(method="GET", url=f"{there.url}/x"))


@pytest.mark.parametrize(
    "url", ["http://example.org/x", "ftp://127.0.0.1/x", "https:///x", "file:///x"]
)
def test_tokens_go_by_https_alone(url: str):
    with pytest.raises(UsageError, match="HTTPS alone"):
        HttpUpstream().send(Sending(method="GET", url=url))
