"""Octokit itself against our API: @octokit/rest, @octokit/core and @actions/github, three majors each."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.github_api import GitHub, served
from tests.npm_packages import node, package
from tests.repositories import git

pytestmark = pytest.mark.registry

CLIENT = Path(__file__).with_name("octokit_client.mjs")
PATIENCE = 300
# The newest speak for all; the majors before them follow in `make test-long`.
CLIENTS = [
    pytest.param(client, marks=marks)
    for version, other, marks in (
        ("22.0.1", "9.1.1", ()),
        ("21.1.1", "6.0.1", pytest.mark.long),
        ("20.1.2", "5.1.1", pytest.mark.long),
    )
    for client in (("@octokit/rest", version), ("@actions/github", other))
]
CORES = ["7.0.8", *(pytest.param(older, marks=pytest.mark.long) for older in ("6.1.6", "5.2.2"))]
HERE = {"owner": "octo", "repo": "demo"}


def octokit(github: GitHub, client: tuple[str, str], *calls: list[Any], token: str = "") -> Any:
    """Have a version of octokit do `calls`; return what each came to."""
    name, version = client
    environment = {
        "PATH": os.environ["PATH"],
        "GITHUB_API_URL": github.api,
        "GITHUB_GRAPHQL_URL": github.access.github["graphql_url"],
        "GITHUB_REPOSITORY": "octo/demo",
    }
    argv = [node("20"), str(CLIENT), str(package(name, version)), name, token or github.token]
    done = subprocess.run(
        [*argv, msgspec.json.encode(calls).decode()],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [line.removeprefix("RESULT ") for line in done.stdout.splitlines() if "RESULT" in line]
    return [msgspec.json.decode(line) for line in lines]


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    with served(tmp_path) as found:
        yield found


@pytest.mark.parametrize("client", CLIENTS, ids="@".join)
def test_reading(github: GitHub, client: tuple[str, str]):
    about, file, folder, ref, commits, compared, missing = octokit(
        github,
        client,
        ["repos.get", HERE],
        ["repos.getContent", {**HERE, "path": "a b/ä.txt"}],
        ["repos.getContent", {**HERE, "path": ""}],
        ["git.getRef", {**HERE, "ref": "heads/main"}],
        ["paginate", "repos.listCommits", {**HERE, "per_page": 1}],
        ["repos.compareCommitsWithBasehead", {**HERE, "basehead": "v1...main"}],
        ["repos.getReleaseByTag", {**HERE, "tag": "v1"}],
    )
    assert about["data"]["full_name"] == "octo/demo"
    assert about["data"]["license"]["spdx_id"] == "MIT"
    assert about["data"]["default_branch"] == "main"
    assert about["headers"]["x-ratelimit-limit"] == "1000"
    assert file["data"]["content"] == b64encode(b"x\n").decode() + "\n"
    assert [each["name"] for each in folder["data"]] == ["LICENSE", "README.md", "a b", "src"]
    assert ref["data"]["object"]["sha"] == github.head
    assert [each["sha"] for each in commits["data"]] == [github.head, github.first]
    names = [each["filename"] for each in compared["data"]["files"]]
    assert sorted(names) == ["a b/ä.txt", "src/app.py"]
    assert missing["status"] == 404
    assert missing["data"]["message"] == "Not Found"


@pytest.mark.parametrize("client", CLIENTS, ids="@".join)
def test_a_release_with_an_asset(github: GitHub, client: tuple[str, str]):
    """Do what gh-release does: a draft, its asset, then publication."""
    missing, made = octokit(
        github,
        client,
        ["repos.getReleaseByTag", {**HERE, "tag": "v2"}],
        ["repos.createRelease", {**HERE, "tag_name": "v2", "name": "v2", "draft": True}],
    )
    assert missing["status"] == 404
    assert made["status"] == 201
    number, place = made["data"]["id"], made["data"]["upload_url"]
    hidden, listed, asset, published, assets, found = octokit(
        github,
        client,
        ["repos.getReleaseByTag", {**HERE, "tag": "v2"}],
        ["repos.listReleases", {**HERE, "per_page": 100}],
        [
            "repos.uploadReleaseAsset",
            {
                **HERE,
                "url": place,
                "release_id": number,
                "name": "a.txt",
                "data": "hello\n",
                "headers": {"content-type": "text/plain"},
            },
        ],
        ["repos.updateRelease", {**HERE, "release_id": number, "draft": False}],
        ["paginate", "repos.listReleaseAssets", {**HERE, "release_id": number}],
        ["repos.getReleaseByTag", {**HERE, "tag": "v2"}],
    )
    assert hidden["status"] == 404
    assert [each["id"] for each in listed["data"]] == [number]
    assert asset["status"] == 201, asset
    assert published["data"]["draft"] is False
    assert [each["name"] for each in assets["data"]] == ["a.txt"]
    assert found["data"]["id"] == number
    place = f"GET /repos/octo/demo/releases/assets/{asset['data']['id']}"
    raw = {"headers": {"accept": "application/octet-stream"}}
    (content,) = octokit(github, client, ["buffer", place, raw])
    assert bytes.fromhex(content["data"]) == b"hello\n"
    assert git(github.root, "tag") == "v1", "the user's repository is as it was"


@pytest.mark.parametrize("client", CLIENTS, ids="@".join)
def test_statuses_and_checks(github: GitHub, client: tuple[str, str]):
    """Do what status and test reporters do."""
    note = {"path": "src/app.py", "start_line": 1, "end_line": 1, "message": "no"}
    status, combined, check = octokit(
        github,
        client,
        ["repos.createCommitStatus", {**HERE, "sha": github.head, "state": "failure"}],
        ["repos.getCombinedStatusForRef", {**HERE, "ref": "main"}],
        [
            "checks.create",
            {**HERE, "name": "tests", "head_sha": github.head, "status": "in_progress"},
        ],
    )
    assert (status["status"], combined["data"]["state"]) == (201, "failure")
    changed, listed, notes = octokit(
        github,
        client,
        [
            "checks.update",
            {
                **HERE,
                "check_run_id": check["data"]["id"],
                "conclusion": "failure",
                "output": {
                    "title": "1 failed",
                    "summary": "*",
                    "annotations": [{**note, "annotation_level": "failure"}],
                },
            },
        ],
        ["checks.listForRef", {**HERE, "ref": "main"}],
        ["checks.listAnnotations", {**HERE, "check_run_id": check["data"]["id"]}],
    )
    assert changed["data"]["status"] == "completed"
    assert changed["data"]["output"]["annotations_count"] == 1
    assert [each["name"] for each in listed["data"]["check_runs"]] == ["tests"]
    assert notes["data"][0]["message"] == "no"


@pytest.mark.parametrize("client", CLIENTS, ids="@".join)
def test_a_commit_made_of_its_parts(github: GitHub, client: tuple[str, str]):
    entry = {"path": "new/file.txt", "mode": "100644", "type": "blob", "content": "new\n"}
    (tree,) = octokit(
        github,
        client,
        ["git.createTree", {**HERE, "base_tree": github.head, "tree": [entry]}],
    )
    new = {"message": "made", "tree": tree["data"]["sha"], "parents": [github.head]}
    (commit,) = octokit(github, client, ["git.createCommit", {**HERE, **new}])
    sha = commit["data"]["sha"]
    made, moved, back, file = octokit(
        github,
        client,
        ["git.createRef", {**HERE, "ref": "refs/heads/feature/x", "sha": sha}],
        ["git.updateRef", {**HERE, "ref": "heads/main", "sha": sha}],
        ["git.updateRef", {**HERE, "ref": "heads/main", "sha": github.first}],
        ["repos.getContent", {**HERE, "path": "new/file.txt", "ref": "feature/x"}],
    )
    assert (made["status"], moved["status"]) == (201, 200)
    assert (back["status"], back["data"]["message"]) == (422, "Update is not a fast forward")
    assert file["data"]["size"] == 4
    assert git(github.root, "rev-parse", "main") == github.head
    assert "feature" not in git(github.root, "branch", "-a")


@pytest.mark.parametrize("client", CLIENTS, ids="@".join)
def test_refusals(github: GitHub, client: tuple[str, str]):
    read = github.with_permissions({"contents": "read"})
    (denied,) = octokit(
        github, client, ["repos.createRelease", {**HERE, "tag_name": "v9"}], token=read
    )
    assert denied["status"] == 403
    assert denied["data"]["message"] == "Resource not accessible by integration"
    (dead,) = octokit(github, client, ["repos.get", HERE], token="ghs_" + "0" * 36)
    assert (dead["status"], dead["data"]["message"]) == (401, "Bad credentials")
    comment, asked = octokit(
        github,
        client,
        ["issues.createComment", {**HERE, "issue_number": 1, "body": "hi"}],
        ["graphql", "{ viewer { login } }"],
    )
    assert comment["status"] == 410
    assert "GraphQL comes with the Trunkline server" in asked["error"]


@pytest.mark.parametrize("version", CORES)
def test_the_core(github: GitHub, version: str):
    client = ("@octokit/core", version)
    about, archive = octokit(
        github,
        client,
        ["request", "GET /repos/{owner}/{repo}", HERE],
        ["buffer", "GET /repos/{owner}/{repo}/tarball/{ref}", {**HERE, "ref": "refs/heads/main"}],
    )
    (again,) = octokit(
        github,
        client,
        [
            "request",
            "GET /repos/{owner}/{repo}",
            {**HERE, "headers": {"if-none-match": about["headers"]["etag"]}},
        ],
    )
    assert about["data"]["name"] == "demo"
    assert again["status"] == 304
    with tarfile.open(fileobj=io.BytesIO(bytes.fromhex(archive["data"]))) as made:
        assert f"octo-demo-{github.head[:7]}/README.md" in made.getnames()
