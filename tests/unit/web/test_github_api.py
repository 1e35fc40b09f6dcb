"""GitHub's REST API over HTTP: tokens, permissions, pages, entity tags, forms, what is refused."""

from __future__ import annotations

import io
import tarfile
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from tests.actions_services import Answer, ask
from tests.github_api import ALL, GitHub, served
from trunkline.web.github_api_routes import BY_SCOPE

NOT_ACCESSIBLE = "Resource not accessible by integration"


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHub]:
    with served(tmp_path_factory.mktemp("github")) as found:
        yield found


@pytest.mark.parametrize("form", ["token {}", "Bearer {}", "bearer {}", "Basic {}"])
def test_forms_of_a_token(github: GitHub, form: str):
    pair = b64encode(f"x-access-token:{github.token}".encode()).decode()
    value = form.format(pair if form.startswith("Basic") else github.token)
    answer = ask("GET", f"{github.api}/repos/octo/demo", headers={"authorization": value})
    assert answer.status == 200


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("", "Requires authentication"),
        ("token ghs_nobodys", "Bad credentials"),
        ("Basic !!", "Bad credentials"),
        ("Basic eDo=", "Bad credentials"),
        ("Bearer a.b.c", "Bad credentials"),
        (
            "Bearer eyJhbGciOiJSUzI1NiJ9.e30.c",
            "Bad credentials: this is no token of a job. GitHub Apps come with the Trunkline server.",
        ),
    ],
)
def test_no_token(github: GitHub, header: str, message: str):
    given = {"authorization": header} if header else {}
    answer = ask("GET", f"{github.api}/repos/octo/demo", headers=given)
    assert answer.status == 401
    told = msgspec.json.decode(answer.body)
    assert told["message"] == message
    assert told["status"] == "401"
    assert told["documentation_url"].startswith("https://docs.github.com/")


def test_a_token_dies_with_its_job(tmp_path: Path):
    with served(tmp_path) as github:
        assert github.ask("GET", "").status == 200
        github.system.job_services.close(github.job)
        assert github.ask("GET", "").status == 401


def test_the_runtime_token_is_no_token_of_the_api(github: GitHub):
    token = github.access.actions["ACTIONS_RUNTIME_TOKEN"]
    assert github.ask("GET", "", token=token).status == 401


@pytest.mark.parametrize("scope", [scope for scope in BY_SCOPE if scope])
@pytest.mark.parametrize("level", ["none", "read"])
def test_permissions(github: GitHub, scope: str, level: str):
    """Every end point of a scope wants it: to write, a token that only reads is not enough."""
    number = 100 + 2 * list(BY_SCOPE).index(scope) + (level == "read")
    token = github.with_permissions({**ALL, scope: level}, number)
    for wanted, _ in BY_SCOPE[scope]:
        method, _, path = wanted.partition(" ")
        for variable in ("release", "asset", "check_run", "suite", "deployment", "status", "run"):
            path = path.replace(f"<int:{variable}>", "1")
        for variable in ("job", "artifact", "cache", "pull"):
            path = path.replace(f"<int:{variable}>", "1")
        path = path.replace("<path:", "").replace("<", "").replace(">", "")
        answer = github.ask(method, path, token=token)
        if level == "none" or method != "GET":
            assert answer.status == 403, wanted
            assert msgspec.json.decode(answer.body)["message"] == NOT_ACCESSIBLE
            needed = "read" if method == "GET" else "write"
            told = answer.headers["x-accepted-github-permissions"]
            assert told == f"{scope.replace('-', '_')}={needed}"
        else:
            assert answer.status != 403, wanted


@pytest.mark.parametrize(
    "path",
    [
        "//repos/octo/other",
        "//repos/other/demo/contents/README.md",
        "//nothing",
        "/nothing",
        "/git/commits/nothing",
        "/contents/../../etc/passwd",
        "/contents/%2e%2e/%2e%2e/etc/passwd",
        "/contents/README.md?ref=--upload-pack=x",
        "/contents/a%00b",
        "/contents/-r",
        "/contents/--help",
        "/commits?path=a%00b&sha=%00",
        "/commits?sha=nothing",
        "/releases/99999999999999999999",
        "/releases/assets/1",
        "/actions/runs/1",
        "/actions/jobs/1/logs",
        "/actions/artifacts/1",
        "/git/blobs/" + "0" * 40,
        "/git/trees/" + "0" * 40,
    ],
)
def test_what_is_not_there(github: GitHub, path: str):
    answer = github.ask("GET", path)
    assert answer.status == 404, answer
    assert msgspec.json.decode(answer.body)["message"]


@pytest.mark.parametrize(
    ("name", "of"),
    [("main^", "first"), ("main~", "first"), ("main^1~0^0", "first"), ("v1~0", "first")],
)
def test_parents_as_git_names_them(github: GitHub, name: str, of: str):
    assert github.get(f"/commits/{name}")["sha"] == getattr(github, of)
    told = github.get(f"/compare/{name}...main")
    assert [each["sha"] for each in told["commits"]] == [github.head]


@pytest.mark.parametrize(
    "name", ["main~2", "main^2", "v1^", "main^{tree}", "^main", "~", "main~100"]
)
def test_parents_that_there_are_not(github: GitHub, name: str):
    answer = github.ask("GET", f"/commits/{name}")
    assert answer.status == 422
    assert f"No commit found for SHA: {name}" in msgspec.json.decode(answer.body)["message"]


def test_refs_as_older_clients_ask_for_them(github: GitHub):
    assert github.get("/git/refs/heads/main")["object"]["sha"] == github.head
    assert "refs/heads/main" in [each["ref"] for each in github.get("/git/refs/heads")]
    assert github.ask("GET", "/git/refs/heads/nowhere").status == 404
    assert github.get("/git/matching-refs/heads/nowhere") == []


@pytest.mark.parametrize(
    "asked",
    [
        "GET /issues",
        "GET /issues/1/comments",
        "GET /labels",
        "GET /pages",
        "POST /pages/deployments",
        "GET /pulls/1/comments",
        "POST /pulls",
        "PATCH /pulls/1",
        "POST /pulls/1/comments",
        "GET //search/issues",
        "GET //orgs/octo/packages/container/demo/versions",
        "DELETE //users/octo/packages/container/demo/versions/1",
    ],
)
def test_what_comes_with_the_server(github: GitHub, asked: str):
    method, path = asked.split()
    told = github.done(github.ask(method, path, {}), 410)
    assert "come with the Trunkline server" in told["message"]
    assert ("GitHub Pages" in told["message"]) == ("/pages" in path)


@pytest.mark.parametrize(
    ("path", "data", "status", "message"),
    [
        ("/releases", b"{", 400, "Problems parsing JSON"),
        ("/releases", b"\xff", 400, "Problems parsing JSON"),
        ("/releases", b'{"tag_name": "\xff"}', 400, "Problems parsing JSON"),
        ("/releases", b'{"tag_name": ' * 10_000, 400, "Problems parsing JSON"),
        ("/releases", b"[]", 400, "Body should be a JSON object"),
        ("/releases", b"{}", 422, "Validation Failed"),
        ("/releases", b'{"tag_name": 1}', 422, "Validation Failed"),
        ("/releases", b'{"tag_name": "a b"}', 422, "Validation Failed"),
        ("/releases", b'{"tag_name": "-x", "target_commitish": "nope"}', 422, "Validation Failed"),
        ("/check-runs", b'{"name": "x"}', 422, "Validation Failed"),
        ("/git/refs", b'{"ref": "main", "sha": "x"}', 422, "Reference name must start with"),
        ("/git/refs", b'{"ref": "refs/heads/x", "sha": "x"}', 422, "The sha parameter must be"),
        ("/git/trees", b'{"tree": [], "base_tree": "a\\u0000"}', 422, "base_tree is not"),
        ("/releases", b'{"tag_name": "a\\u0000b"}', 422, "Validation Failed"),
        ("/git/trees", b'{"tree": [{"path": "../x", "content": ""}]}', 422, "malformed path"),
        ("/git/trees", b'{"tree": [{"path": "x/.GIT/y", "content": ""}]}', 422, "malformed path"),
        ("/git/commits", b'{"message": "m", "tree": "x"}', 422, "Tree SHA does not exist"),
        ("/deployments", b'{"ref": "nope"}', 422, "No ref found for: nope"),
        ("/merges", b'{"base": "nope", "head": "main"}', 404, "Base does not exist"),
        ("/dispatches", b'{"event_type": ""}', 422, "Validation Failed"),
    ],
)
def test_bad_bodies(github: GitHub, path: str, data: bytes, status: int, message: str):
    told = github.done(github.ask("POST", path, data=data), status)
    assert message in told["message"]
    if message == "Validation Failed":
        assert {"resource", "field", "code"} <= set(told["errors"][0])


def limits_of(answer: Answer) -> dict[str, Any]:
    """Return what the headers of an answer tell, as `/rate_limit` does."""
    names = ("limit", "remaining", "used", "reset")
    return {name: int(answer.headers[f"x-ratelimit-{name}"]) for name in names}


def test_every_answer_tells_limits_and_an_id(github: GitHub):
    before = limits_of(github.ask("GET", ""))
    assert before["limit"] == 1000
    other = github.with_permissions({})
    answers = (
        github.ask("GET", "/nothing"),
        github.ask("GET", "/git/refs", token=other),  # a job of the same repository
        github.ask("POST", "/releases", data=b"{"),
    )
    for used, answer in enumerate(answers, before["used"] + 1):
        assert limits_of(answer) == {**before, "used": used, "remaining": 1000 - used}
        assert answer.headers["x-ratelimit-resource"] == "core"
        assert answer.headers["x-github-request-id"]
    limits = github.done(github.ask("GET", "//rate_limit"), 200)
    assert limits["resources"]["core"] == limits["rate"] == limits_of(answers[-1])


def test_what_is_not_counted(github: GitHub):
    answer = github.ask("GET", "")
    same = github.ask("GET", "", if_none_match=answer.headers["etag"])
    assert same.status == 304
    assert limits_of(same) == limits_of(github.ask("GET", "//rate_limit")) == limits_of(answer)


def test_a_search_and_who_gives_no_token_are_counted_apart(github: GitHub):
    before = limits_of(github.ask("GET", ""))
    search = github.ask("GET", "//search/issues")
    assert search.headers["x-ratelimit-resource"] == "search"
    assert limits_of(search)["limit"] == 30
    first, second = (github.ask("GET", "", token=token) for token in ("", "nonsense"))
    assert (first.status, second.status, limits_of(first)["limit"]) == (401, 401, 60)
    assert limits_of(second)["used"] == limits_of(first)["used"] + 1
    assert github.done(github.ask("GET", "//rate_limit"), 200)["rate"] == before


def test_pages(github: GitHub):
    for index in range(5):
        github.post("/deployments", {"ref": "main", "environment": f"e{index}"})
    seen, place = [], "/deployments?per_page=2&task=deploy"
    for expected in ("next", "next", ""):
        answer = github.ask("GET", place)
        seen += [each["environment"] for each in msgspec.json.decode(answer.body)]
        told = [each.split("; ") for each in answer.headers["link"].split(", ")]
        links = {rel: target for target, rel in told}
        if not expected:
            assert set(links) == {'rel="prev"', 'rel="first"'}
            break
        place = links['rel="next"'].strip("<>")
        assert "per_page=2&task=deploy&page=" in place
        assert links['rel="last"'].endswith("page=3>") or expected
    assert seen == ["e4", "e3", "e2", "e1", "e0"]
    assert github.get("/deployments?page=9") == []
    assert len(github.get("/deployments?per_page=x&page=-1")) == 5


def test_entity_tags(github: GitHub):
    first = github.ask("GET", "/git/ref/heads/main")
    assert first.headers["etag"].startswith('W/"')
    again = github.ask("GET", "/git/ref/heads/main", if_none_match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    other = github.ask("GET", "/git/ref/heads/main", if_none_match='W/"other"')
    assert other.status == 200


def test_forms_that_clients_accept(github: GitHub):
    raw = github.ask("GET", "/contents/README.md", accept="application/vnd.github.raw+json")
    assert raw.body == b"# Demo\n"
    raw = github.ask("GET", "/readme", accept="application/vnd.github.v3.raw")
    assert raw.body == b"# Demo\n"
    sha = github.ask("GET", "/commits/v1", accept="application/vnd.github.sha")
    assert sha.body.decode() == github.first
    diff = github.ask("GET", "/compare/v1...main", accept="application/vnd.github.v3.diff")
    assert b"+print(1)" in diff.body
    patch = github.ask("GET", "/commits/main", accept="application/vnd.github.patch")
    assert patch.body.startswith(b"From " + github.head.encode())


def test_downloads_need_their_address_alone(github: GitHub):
    found = github.get("/contents/README.md")
    answer = ask("GET", found["download_url"])
    assert answer.body == b"# Demo\n"
    led = github.ask("GET", "/zipball/v1")
    assert led.status == 302
    with zipfile.ZipFile(io.BytesIO(ask("GET", led.headers["location"]).body)) as made:
        assert f"octo-demo-{github.first[:7]}/README.md" in made.namelist()
    led = github.ask("GET", "/tarball")
    with tarfile.open(fileobj=io.BytesIO(ask("GET", led.headers["location"]).body)) as made:
        assert f"octo-demo-{github.head[:7]}/src/app.py" in made.getnames()
    parts = urlsplit(led.headers["location"])
    other = led.headers["location"].replace(parts.path, parts.path.replace(github.head, "0" * 40))
    assert ask("GET", other).status == 403


def test_whose_token_it_is(github: GitHub):
    assert github.done(github.ask("GET", "//user"), 403)["message"] == NOT_ACCESSIBLE
    told = github.done(github.ask("GET", "/installation"), 401)
    assert told["message"] == "A JSON web token could not be decoded"
    given = github.system.job_services.token(github.job, "ghp_of_the_user")
    me = github.done(github.ask("GET", "//user", token=given), 200)
    assert me["login"] == "ada"
    level = github.get("/collaborators/ada/permission")
    assert level["permission"] == "admin"


def test_graphql_says_where_it_is(github: GitHub):
    answer = ask("POST", github.access.github["graphql_url"], b'{"query": "{ viewer }"}')
    assert answer.status == 200
    told = msgspec.json.decode(answer.body)
    assert "comes with the Trunkline server" in told["errors"][0]["message"]


def test_methods_that_there_are_not(github: GitHub):
    assert github.ask("PUT", "/releases").status == 404
    assert github.ask("TRACE", "/releases").status == 404
