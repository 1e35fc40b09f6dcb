"""What a run writes: seen by its later reads, told once, and never in the user's repository."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.github_api import ALL, GitHub, served
from tests.repositories import git
from trunkline.ports.artifacts import ArtifactInfo
from trunkline.ports.job_services import Written

HI = b64encode(b"hi\n").decode()


class Heard(list[tuple[str, str]]):
    """What a job's listener hears."""

    def hear(self, made: ArtifactInfo | Written) -> None:
        """Keep what was written."""
        assert isinstance(made, Written)
        self.append((made.kind, made.what))


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    with served(tmp_path) as found:
        yield found


@pytest.fixture
def heard(github: GitHub) -> Heard:
    found = Heard()
    github.system.job_services.open(github.job, found.hear)
    return found


def test_a_release_as_gh_release_makes_it(github: GitHub, heard: Heard):
    body = {"tag_name": "v2", "name": "v2", "draft": True, "generate_release_notes": False}
    assert github.ask("GET", "/releases/tags/v2").status == 404
    made = github.post("/releases", body)
    assert made["html_url"].startswith("https://github.com/octo/demo/releases/tag/untagged-")
    assert github.ask("GET", "/releases/tags/v2").status == 404
    assert [each["id"] for each in github.get("/releases?per_page=100")] == [made["id"]]
    place = made["upload_url"].removesuffix("{?name,label}")
    answer = github.ask("POST", f"{place}?name=a%20b.txt", data=b"x" * 70_000)
    asset = github.done(answer, 201)
    assert (asset["name"], asset["size"], asset["state"]) == ("a.b.txt", 70_000, "uploaded")
    again = github.done(github.ask("POST", f"{place}?name=a.b.txt", data=b"y"), 422)
    assert again["errors"][0]["code"] == "already_exists"
    patched = github.done(github.ask("PATCH", f"/releases/{made['id']}", {"draft": False}), 200)
    assert patched["published_at"]
    assert github.get("/releases/latest")["assets"][0]["id"] == asset["id"]
    assert github.get("/git/ref/tags/v2")["object"]["sha"] == github.head
    assert git(github.root, "tag") == "v1"
    assert heard == [
        ("release", "v2, a draft, made"),
        ("release asset", "a.b.txt, 70000 bytes"),
        ("release", "v2, changed"),
    ]


def test_drafts_are_for_who_writes(github: GitHub):
    made = github.post("/releases", {"tag_name": "v2", "draft": True})
    reader = github.with_permissions({**ALL, "contents": "read"})
    assert msgspec.json.decode(github.ask("GET", "/releases", token=reader).body) == []
    assert github.ask("GET", f"/releases/{made['id']}", token=reader).status == 404


def test_a_tag_has_one_release(github: GitHub):
    github.post("/releases", {"tag_name": "v1"})
    told = github.post("/releases", {"tag_name": "v1"}, 422)
    assert told["errors"] == [
        {"resource": "Release", "field": "tag_name", "code": "already_exists"}
    ]


def test_notes_tell_what_came_since_the_last_tag(github: GitHub):
    told = github.post("/releases/generate-notes", {"tag_name": "v2"}, 200)
    assert "* second by Ada Lovelace in https://github.com/octo/demo/commit/" in told["body"]
    assert told["body"].endswith("https://github.com/octo/demo/compare/v1...v2")


def test_the_newest_status_of_each_context_counts(github: GitHub, heard: Heard):
    place = f"/statuses/{github.head}"
    for state, context in (("failure", "a"), ("pending", "b"), ("success", "a")):
        github.post(place, {"state": state, "context": context})
    told = github.get("/commits/main/status")
    assert (told["state"], told["total_count"]) == ("pending", 2)
    github.post(place, {"state": "success", "context": "b"})
    assert github.get("/commits/main/status")["state"] == "success"
    assert len(github.get("/commits/main/statuses")) == 4
    assert heard[0] == ("status", f"a, failure, of {github.head[:7]}")
    assert github.post(place, {"state": "good"}, 422)["errors"][0]["field"] == "state"


def test_a_check_as_test_reporter_makes_it(github: GitHub, heard: Heard):
    output = {"title": "t", "summary": "running"}
    new = {"head_sha": github.head, "name": "tests", "status": "in_progress", "output": output}
    made = github.post("/check-runs", new)
    note = {"path": "a", "start_line": 1, "end_line": 2, "annotation_level": "failure"}
    notes = [{**note, "message": str(index)} for index in range(50)]
    done = {"title": "1 failed", "summary": "", "annotations": notes}
    change = {"conclusion": "failure", "status": "completed", "output": done}
    for count in (50, 100):
        patched = github.done(github.ask("PATCH", f"/check-runs/{made['id']}", change), 200)
        assert patched["output"]["annotations_count"] == count
    found = github.get(f"/check-runs/{made['id']}")
    assert found["completed_at"]
    many = {"output": {**done, "annotations": [*notes, notes[0]]}}
    github.done(github.ask("PATCH", f"/check-runs/{made['id']}", many), 422)
    (suite,) = github.get("/commits/main/check-suites")["check_suites"]
    assert suite["conclusion"] == "failure"
    runs = github.get(f"/check-suites/{suite['id']}/check-runs")
    assert [each["id"] for each in runs["check_runs"]] == [made["id"]]
    assert heard[0] == ("check run", f"tests, in_progress, of {github.head[:7]}")
    assert heard[-1] == ("check run", f"tests, failure, of {github.head[:7]}")


def test_a_check_that_runs_again(github: GitHub):
    new = {"head_sha": github.head, "name": "tests", "conclusion": "skipped"}
    made = github.post("/check-runs", new)
    (suite,) = github.get("/commits/main/check-suites")["check_suites"]
    assert (made["status"], suite["conclusion"]) == ("completed", "success")
    place = f"/check-runs/{made['id']}"
    told = github.done(github.ask("PATCH", place, {"status": "in_progress"}), 200)
    assert (told["status"], told["conclusion"], told["completed_at"]) == ("in_progress", None, None)
    told = github.done(github.ask("PATCH", place, {"status": "completed"}), 422)
    assert told["errors"][0]["field"] == "conclusion"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"head_sha": "main"}, "No commit found for SHA: main"),
        ({"head_sha": "0" * 40}, f"No commit found for SHA: {'0' * 40}"),
        ({"output": {"title": "t"}}, 'Invalid request.\n\n"summary" wasn\'t supplied.'),
        ({"output": {}}, 'Invalid request.\n\n"summary", "title" weren\'t supplied.'),
    ],
)
def test_checks_that_are_refused(github: GitHub, change: dict[str, Any], message: str):
    new = {"head_sha": github.head, "name": "tests", **change}
    assert github.post("/check-runs", new, 422)["message"] == message


@pytest.mark.parametrize("name", ["main", "v1", "0" * 40, "abc"])
def test_statuses_are_of_commits_by_their_ids(github: GitHub, name: str):
    told = github.post(f"/statuses/{name}", {"state": "success"}, 422)
    assert told["message"] == f"No commit found for SHA: {name}"


def test_files_are_written_as_commits_beside_the_repository(github: GitHub, heard: Heard):
    new = {"message": "add", "content": HI}
    made = github.done(github.ask("PUT", "/contents/docs/new.md", new), 201)
    assert made["commit"]["parents"][0]["sha"] == github.head
    told = github.done(github.ask("PUT", "/contents/docs/new.md", new), 422)
    assert "wasn't supplied" in told["message"]
    wrong = {**new, "sha": "0" * 40}
    assert github.ask("PUT", "/contents/docs/new.md", wrong).status == 409
    sha = made["content"]["sha"]
    gone = github.ask("DELETE", f"/contents/docs/new.md?message=no&sha={sha}")
    assert gone.status == 200
    assert github.ask("GET", "/contents/docs/new.md").status == 404
    assert github.ask("PUT", "/contents/.git/config", new).status == 422
    assert heard == [
        ("file", "docs/new.md, written on main"),
        ("file", "docs/new.md, removed on main"),
    ]
    assert git(github.root, "rev-parse", "main") == github.head
    assert git(github.root, "status", "--porcelain") == ""
    assert git(github.root, "count-objects").startswith("10 ")


def test_merges(github: GitHub):
    github.post("/git/refs", {"ref": "refs/heads/topic", "sha": github.first})
    for name, branch in (("LICENSE", "main"), ("README.md", "topic")):
        old = github.get(f"/contents/{name}?ref={branch}")
        body = {"message": "m", "content": HI, "sha": old["sha"], "branch": branch}
        assert github.ask("PUT", f"/contents/{name}", body).status == 200
    merged = github.post("/merges", {"base": "main", "head": "topic"})
    assert len(merged["parents"]) == 2
    assert github.ask("POST", "/merges", {"base": "main", "head": "topic"}).status == 204
    for branch, text in (("main", "YQ=="), ("topic", "Yg==")):
        old = github.get(f"/contents/README.md?ref={branch}")
        body = {"message": "m", "content": text, "sha": old["sha"], "branch": branch}
        github.ask("PUT", "/contents/README.md", body)
    told = github.post("/merges", {"base": "main", "head": "topic"}, 409)
    assert told["message"] == "Merge conflict"


def test_deployments(github: GitHub, heard: Heard):
    made = github.post("/deployments", {"ref": "main", "environment": "staging"})
    place = f"/deployments/{made['id']}/statuses"
    for state in ("in_progress", "success"):
        github.post(place, {"state": state, "environment_url": "https://x"})
    assert [each["state"] for each in github.get(place)] == ["success", "in_progress"]
    assert github.get("/deployments?environment=other") == []
    assert heard[-1] == ("deployment status", "staging, success")
    assert github.ask("DELETE", f"/deployments/{made['id']}").status == 204
    assert github.get("/deployments") == []


def test_dispatches_are_recorded(github: GitHub, heard: Heard):
    assert github.post("/dispatches", {"event_type": "go", "client_payload": {"a": 1}}, 204) is None
    assert heard == [("event", "repository_dispatch, go")]
    told = github.ask("POST", "/actions/workflows/none.yml/dispatches", {"ref": "main"})
    assert told.status == 404


def test_annotated_tags_and_removed_refs(github: GitHub):
    body = {"tag": "v3", "message": "three", "object": github.head, "type": "commit"}
    tag = github.post("/git/tags", body)
    ref = github.post("/git/refs", {"ref": "refs/tags/v3", "sha": tag["sha"]})
    assert ref["object"] == {**ref["object"], "type": "tag", "sha": tag["sha"]}
    assert github.get(f"/git/tags/{tag['sha']}")["object"]["sha"] == github.head
    assert github.get("/commits/v3")["sha"] == github.head
    assert github.post("/git/refs", {"ref": "refs/tags/v3", "sha": github.head}, 422)[
        "message"
    ] == ("Reference already exists")
    assert github.ask("DELETE", "/git/refs/tags/v3").status == 204
    assert github.ask("GET", "/git/ref/tags/v3").status == 404


def test_a_run_sees_nothing_of_another(github: GitHub):
    github.post("/git/refs", {"ref": "refs/heads/mine", "sha": github.head})
    github.post("/releases", {"tag_name": "v9"})
    other = msgspec.structs.replace(github.job, run_id="78")
    github.system.job_services.open(other)
    token = github.system.job_services.token(other)
    assert github.ask("GET", "/branches/mine", token=token).status == 404
    assert msgspec.json.decode(github.ask("GET", "/releases", token=token).body) == []


def test_the_pull_request_of_the_event(tmp_path: Path):
    pull = {"number": 7, "state": "open", "title": "t", "head": {}, "base": {}}
    with served(tmp_path, {"pull_request": pull}) as github:
        pull["head"] = {"ref": "main", "sha": github.head, "label": "octo:main"}
        pull["base"] = {"ref": "main", "sha": github.first, "label": "octo:main"}
        assert github.get("/pulls/7")["html_url"] == "https://github.com/octo/demo/pull/7"
        names = [each["filename"] for each in github.get("/pulls/7/files?per_page=100")]
        assert sorted(names) == ["a b/ä.txt", "src/app.py"]
        assert github.get("/pulls/7/files?per_page=100&page=2") == []
        assert [each["sha"] for each in github.get("/pulls/7/commits")] == [github.head]
        assert github.ask("GET", "/pulls/8").status == 404
        diff = github.ask("GET", "/pulls/7", accept="application/vnd.github.diff")
        assert b"+print(1)" in diff.body
        assert [each["number"] for each in github.get(f"/commits/{github.head}/pulls")] == [7]
