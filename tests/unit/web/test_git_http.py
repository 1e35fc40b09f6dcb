"""git over HTTP: real clients fetch from a real repository; what they must not is refused."""

from __future__ import annotations

import base64
import gzip
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import Client

from tests.repositories import commit, git, repository
from trunkline.adapters.git.smart_http import ServedRepositories
from trunkline.ports.git_service import UPLOAD_PACK
from trunkline.ports.job_services import ServicesJob
from trunkline.web import git_http, server
from trunkline.web.git_http import GitApp
from trunkline.web.github_tokens import token_of

TOKEN = "ghs_known"  # noqa: S105
BASIC = {"Authorization": "basic " + base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()}
RECEIVE = {"service": "git-receive-pack"}
UPLOAD = {"service": "git-upload-pack"}


def job(**permissions: str) -> ServicesJob:
    return ServicesJob(
        run_id="1",
        key="one",
        number=1,
        repository="octo/demo",
        github={"server_url": "https://github.com"},
        permissions=permissions or {"contents": "read"},
        scopes=(),
        deadline=0.0,
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = repository(tmp_path / "demo", {"a.txt": "one\n"})
    commit(root, {"a.txt": "two\n"}, "second")
    return root


def app(source: Path, *, elsewhere: str = "", given: ServicesJob | None = None) -> GitApp:
    service = ServedRepositories(
        lambda _job: str(source), {"octo/other@v1": str(source)}, lambda *_told: None
    )
    jobs = {TOKEN: given or job()}
    return GitApp(service, jobs.get, lambda _: elsewhere)


@pytest.fixture
def url(source: Path) -> Iterator[str]:
    with server.serve(app(source)) as served:
        yield served.url.replace("://", f"://x-access-token:{TOKEN}@")


def run(folder: Path, *args: str) -> str:
    """Run git as a client whose own settings count for nothing."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }
    done = subprocess.run(
        ["git", *args], cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout if done.returncode == 0 else f"{done.returncode}: {done.stderr}"


# --- real clients -----------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["0", "1", "2"])
def test_a_clone_by_every_version_of_the_protocol(tmp_path, source, url, protocol):
    version = ("-c", f"protocol.version={protocol}")
    run(tmp_path, *version, "clone", "--quiet", f"{url}/octo/demo", "copy")
    assert (tmp_path / "copy/a.txt").read_text() == "two\n"
    assert git(tmp_path / "copy", "rev-parse", "HEAD") == git(source, "rev-parse", "HEAD")


@pytest.mark.parametrize("name", ["octo/demo.git", "OCTO/Demo", "octo/other"])
def test_names_of_repositories(tmp_path, url, name):
    assert "refs/heads/main" in run(tmp_path, "ls-remote", f"{url}/{name}")


def test_the_name_of_the_server_before(tmp_path, url):
    assert "refs/heads/main" in run(tmp_path, "ls-remote", f"{url}/-/github.com/octo/demo")
    assert "not found" in run(tmp_path, "ls-remote", f"{url}/-/github.community/octo/demo")


def test_one_commit_by_its_id_as_checkout_asks(tmp_path, source, url):
    first = git(source, "rev-parse", "HEAD~1")
    run(tmp_path, "init", "--quiet", "copy")
    copy = tmp_path / "copy"
    settings = ("-c", f"url.{url}/.insteadOf=https://github.com/", "-c", "protocol.version=2")
    wanted = f"+{first}:refs/remotes/origin/main"
    run(copy, *settings, "fetch", "--depth=1", "https://github.com/octo/demo", wanted)
    assert git(copy, "log", "--format=%H", "origin/main") == first


def test_a_long_request_comes_packed(tmp_path, source, url):
    run(tmp_path, "clone", "--quiet", f"{url}/octo/demo", "copy")
    for number in range(40):
        git(tmp_path / "copy", "tag", f"t{number}")
        commit(tmp_path / "copy", {"b.txt": f"{number}\n"}, f"own {number}")
    commit(source, {"a.txt": "three\n"}, "third")
    assert run(tmp_path / "copy", "fetch", "--quiet") == ""
    assert git(tmp_path / "copy", "rev-parse", "origin/main") == git(source, "rev-parse", "HEAD")


def test_who_may_only_read_pushes_nothing(tmp_path, source, url):
    run(tmp_path, "clone", "--quiet", f"{url}/octo/demo", "copy")
    commit(tmp_path / "copy", {"a.txt": "three\n"}, "third")
    told = run(tmp_path / "copy", "push", "origin", "HEAD:main")
    assert "remote: Permission to octo/demo.git denied to github-actions[bot]." in told
    assert "403" in told
    assert git(source, "log", "-1", "--format=%s") == "second"


def test_a_token_that_is_not_known(tmp_path, url):
    told = run(tmp_path, "ls-remote", f"{url}/octo/demo".replace(TOKEN, "ghs_other"))
    assert "Authentication failed" in told


# --- request by request -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "query", "headers", "status"),
    [
        ("/octo/demo/info/refs", UPLOAD, {}, 401),
        ("/octo/demo/info/refs", UPLOAD, {"Authorization": "Bearer forged"}, 401),
        ("/octo/demo/info/refs", UPLOAD, {"Authorization": "basic %%%"}, 401),
        ("/octo/demo/info/refs", UPLOAD, {"Authorization": "basic"}, 401),
        ("/octo/demo/info/refs", UPLOAD, BASIC, 200),
        ("/octo/demo/info/refs", UPLOAD, {"Authorization": f"token {TOKEN}"}, 200),
        ("/octo/demo/info/refs", {}, BASIC, 403),
        ("/octo/demo/info/refs", RECEIVE, BASIC, 403),
        ("/octo/demo/HEAD", {}, BASIC, 404),
        ("/octo/demo/objects/info/packs", {}, BASIC, 404),
        ("/octo/secret/info/refs", UPLOAD, BASIC, 404),
        ("/octo/../demo/info/refs", UPLOAD, BASIC, 404),
        ("/octo/demo.git/info/lfs/objects/batch", {}, BASIC, 404),
        ("/octo/../demo/info/lfs/objects/batch", {}, BASIC, 404),
        ("/octo/-x/info/refs", UPLOAD, BASIC, 404),
        ("/octo/demo/git-upload-pack", {}, BASIC, 405),
    ],
)
def test_get(source, path, query, headers, status):
    response = Client(app(source)).get(path, query_string=query, headers=headers)
    assert response.status_code == status
    assert ("WWW-Authenticate" in response.headers) is (status == 401)


@pytest.mark.parametrize("before", ["", "/-/github.com"])
def test_large_files_are_at_the_server(source, before):
    client = Client(app(source, elsewhere="https://github.com"))
    place = "/octo/demo.git/info/lfs/objects/batch"
    response = client.post(before + place, data=b"{}", headers=BASIC)
    assert response.status_code == 307
    assert response.headers["Location"] == f"https://github.com{place}"
    assert client.post(before + place, data=b"{}").status_code == 401


def test_garbage_that_grows_is_cut_off(source, monkeypatch):
    packed = gzip.compress(b"0032want " + b"a" * 10_000_000)
    monkeypatch.setitem(git_http.LONGEST, UPLOAD_PACK, 1_000_000)
    response = Client(app(source)).post(
        "/octo/demo/git-upload-pack",
        headers={**BASIC, "Content-Encoding": "gzip"},
        data=packed,
        content_type="application/x-git-upload-pack-request",
    )
    assert response.status_code == 200
    assert b"PACK" not in response.data


def test_post_needs_its_own_content_type(source):
    response = Client(app(source)).post("/octo/demo/git-upload-pack", headers=BASIC, data=b"0000")
    assert response.status_code == 415


def test_a_push_without_asking_first(source):
    response = Client(app(source)).post("/octo/demo/git-receive-pack", headers=BASIC, data=b"0000")
    assert response.status_code == 403


@pytest.mark.parametrize(
    "body", [b"", b"garbage", gzip.compress(b"garbage", mtime=0)[:-9], b"\x1f\x8b\x08"]
)
def test_garbage_ends_git_and_nothing_else(source, body):
    headers = {**BASIC, "Content-Encoding": "gzip", "Git-Protocol": "version=2"}
    kind = "application/x-git-upload-pack-request"
    response = Client(app(source)).post(
        "/octo/demo/git-upload-pack", headers=headers, data=body, content_type=kind
    )
    assert response.status_code == 200
    assert b"PACK" not in response.data


def test_without_the_permission_to_read_contents(source):
    client = Client(app(source, given=job(contents="none")))
    response = client.get("/octo/demo/info/refs", query_string=UPLOAD, headers=BASIC)
    assert response.status_code == 403


def test_what_is_not_here_is_at_the_server_without_a_token(source):
    client = Client(app(source, elsewhere="https://github.com"))
    response = client.get("/o/n/info/refs", query_string=UPLOAD, headers=BASIC)
    assert response.status_code == 302
    there = "https://github.com/o/n/info/refs?service=git-upload-pack"
    assert response.headers["Location"] == there
    assert TOKEN not in str(response.headers)


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("token abc", "abc"),
        ("Basic " + base64.b64encode(b"abc:").decode(), "abc"),
        ("basic " + base64.b64encode(b"x:abc").decode(), "abc"),
        ("basic " + base64.b64encode(b"abc:x-oauth-basic").decode(), "abc"),
        ("Basic " + base64.b64encode(b"\xff\xfe").decode(), ""),
        ("Digest abc", ""),
        ("", ""),
    ],
)
def test_the_token_of_a_header(header, token):
    assert token_of(header) == token
