"""git over HTTP: what a run wrote is fetched, and what it pushes stays in the run's own repository."""

from __future__ import annotations

import os
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.actions_services import ask
from tests.github_api import ALL, GitHub, served
from tests.repositories import commit, git
from trunkline.ports.artifacts import ArtifactInfo
from trunkline.ports.job_services import Written

DENIED = "Permission to octo/demo.git denied to github-actions[bot]."
RECEIVE = "application/x-git-receive-pack-request"


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    with served(tmp_path) as found:
        yield found


@pytest.fixture
def heard(github: GitHub) -> list[tuple[str, str]]:
    """Return what the job's listener hears."""
    found: list[tuple[str, str]] = []

    def hear(made: ArtifactInfo | Written) -> None:
        assert isinstance(made, Written)
        found.append((made.kind, made.what))

    github.system.job_services.open(github.job, hear)
    return found


def client(github: GitHub, folder: Path, *args: str, token: str = "") -> str:
    """Run git as an action of the job does; return what it prints, errors behind its exit code."""
    settings = [
        f"{name}={value}".replace(github.token, token or github.token)
        for name, value in github.access.git
    ]
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_TERMINAL_PROMPT": "0"}
    words = [word for each in settings for word in ("-c", each)]
    done = subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words, *args],
        cwd=folder,
        env={**env, "GIT_CONFIG_NOSYSTEM": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout if done.returncode == 0 else f"{done.returncode}: {done.stderr}"


def clone(github: GitHub, place: Path, url: str = "https://github.com/octo/demo") -> Path:
    """Clone as a step of the job does."""
    copy = place / "copy"
    assert client(github, place, "clone", "--quiet", url, str(copy)) == ""
    return copy


def test_what_was_written_by_rest_is_fetched(github: GitHub, tmp_path: Path):
    copy = clone(github, tmp_path)
    github.post("/git/refs", {"ref": "refs/heads/made", "sha": github.first})
    new = {"message": "add", "content": b64encode(b"new\n").decode()}
    written = github.done(github.ask("PUT", "/contents/new.txt", new), 201)
    github.post("/releases", {"tag_name": "v2"})
    assert client(github, copy, "fetch", "--quiet", "--tags") == ""
    assert git(copy, "rev-parse", "origin/main") == written["commit"]["sha"]
    assert git(copy, "rev-parse", "v2") == written["commit"]["sha"]
    assert git(copy, "rev-parse", "origin/made") == github.first
    assert git(copy, "show", "origin/main:new.txt") == "new"
    assert git(github.root, "rev-parse", "main") == github.head


def test_a_push_is_kept_beside_the_repository(
    github: GitHub, tmp_path: Path, heard: list[tuple[str, str]]
):
    copy = clone(github, tmp_path)
    before = git(github.root, "for-each-ref"), git(github.root, "count-objects")
    head = commit(copy, {"site/index.html": "<p>\n"}, "third")
    git(copy, "tag", "-a", "v3", "-m", "three")
    assert client(github, copy, "push", "--quiet", "origin", "HEAD:main", "v3") == ""
    assert (
        client(
            github,
            copy,
            "push",
            "--quiet",
            "--force",
            "origin",
            f"{github.first}:refs/heads/gh-pages",
        )
        == ""
    )
    assert github.get("/branches/main")["commit"]["sha"] == head
    assert github.get("/contents/site/index.html")["size"] == 4
    assert client(github, copy, "push", "--quiet", "origin", ":gh-pages") == ""
    assert github.ask("GET", "/branches/gh-pages").status == 404
    assert (git(github.root, "for-each-ref"), git(github.root, "count-objects")) == before
    tag = git(copy, "rev-parse", "v3")
    assert heard == [
        ("push", f"refs/heads/main, at {head[:7]}"),
        ("push", f"refs/tags/v3, at {tag[:7]}"),
        ("push", f"refs/heads/gh-pages, at {github.first[:7]}"),
        ("push", "refs/heads/gh-pages, removed"),
    ]


def test_a_large_push_comes_in_chunks(github: GitHub, tmp_path: Path):
    copy = clone(github, tmp_path)
    (copy / "large.bin").write_bytes(os.urandom(5_000_000))
    head = commit(copy, {"b.txt": "b\n"}, "large")
    assert client(github, copy, "push", "--quiet", "origin", "HEAD:refs/heads/large") == ""
    assert github.get("/git/ref/heads/large")["object"]["sha"] == head


def test_what_git_refuses_is_not_told(github: GitHub, tmp_path: Path, heard: list[tuple[str, str]]):
    copy = clone(github, tmp_path)
    told = client(github, copy, "push", "origin", ":main")
    assert "refusing to delete the current branch: refs/heads/main" in told
    hidden = client(github, copy, "push", "origin", "HEAD:refs/pull/1/head")
    assert "deny updating a hidden ref" in hidden
    behind = client(github, copy, "push", "origin", f"{github.first}:refs/heads/main")
    assert "rejected" in behind
    assert heard == []


def test_addresses_with_the_token_in_them(github: GitHub, tmp_path: Path):
    """Do as peaceiris/actions-gh-pages does."""
    url = f"https://x-access-token:{github.token}@github.com/octo/demo.git"
    copy = clone(github, tmp_path, url)
    head = commit(copy, {"index.html": "<p>\n"}, "pages")
    assert client(github, copy, "push", "origin", "HEAD:gh-pages", "--force").startswith("")
    assert github.get("/branches/gh-pages")["commit"]["sha"] == head


@pytest.mark.parametrize("level", ["read", "none"])
def test_without_the_permission_to_write(github: GitHub, tmp_path: Path, level: str):
    copy = clone(github, tmp_path)
    token = github.with_permissions({**ALL, "contents": level})
    told = client(github, copy, "push", "origin", "HEAD:other", token=token)
    assert f"remote: {DENIED}" in told
    assert "The requested URL returned error: 403" in told
    assert github.ask("GET", "/branches/other").status == 404


def test_other_repositories_are_not_pushed_to(github: GitHub, tmp_path: Path):
    copy = clone(github, tmp_path)
    told = client(github, copy, "push", "https://github.com/octo/other", "HEAD:main")
    assert "Permission to octo/other.git denied to github-actions[bot]." in told


def test_a_push_dies_with_the_job(github: GitHub, tmp_path: Path):
    copy = clone(github, tmp_path)
    github.system.job_services.close(github.job)
    words = [word for name, value in github.access.git for word in ("-c", f"{name}={value}")]
    env = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(
        ["git", *words, "push", "origin", "HEAD:late"],
        cwd=copy,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode
    assert "Authentication failed" in done.stderr


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"0000",
        b"garbage",
        b"ffff" + b"0" * 100,
        b"0000" + b"x" * 100_000,
        ("00" + "0" * 40 + " " + "1" * 40 + " refs/heads/x\0report-status").encode(),
    ],
)
def test_garbage_changes_nothing(github: GitHub, body: bytes):
    clone_url = github.api.removesuffix("/api/v3") + "/octo/demo/git-receive-pack"
    basic = b64encode(f"x-access-token:{github.token}".encode()).decode()
    headers = {"Authorization": f"basic {basic}", "Content-Type": RECEIVE}
    assert ask("POST", clone_url, body, headers).status == 200
    assert [each["ref"] for each in github.get("/git/matching-refs")] == [
        "refs/heads/main",
        "refs/tags/v1",
    ]
