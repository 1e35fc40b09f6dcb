"""metadata-action: every example that the action documents, and what its own tests fix, as tables."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.jobs import LocalJob, world
from tests.repositories import git, repository
from tests.unit.adapters.actions.metadata_examples import DOCUMENTED, FIXED, MASTER, SEMVER, SHA
from trunkline.adapters.actions.docker_metadata.action import DockerMetadata
from trunkline.adapters.actions.docker_metadata.patterns import match_groups
from trunkline.adapters.clock import FakeClock
from trunkline.ports.actions import ActionFailed

# 2020-01-10T00:30:00Z, the moment that the action's documentation uses.
NOW = 1_578_616_200.0
MERGE = "a9c8c5828b91be19d9728548b24759e352367ef1"
HEAD = "3370e228f2209994d57af4427fe64e71bb79ac96"
REPOSITORY = {
    "name": "Hello-World",
    "description": "This your first repo!",
    "html_url": "https://github.com/octocat/Hello-World",
    "default_branch": "master",
    "license": {"spdx_id": "MIT"},
}
PULL = {"number": 15, "pull_request": {"head": {"sha": HEAD}, "base": {"ref": "master"}}}


def event(text: str) -> dict[str, Any]:
    """Return a `github` context: `push dev`, `tag v1`, `pull_request`, `schedule`, `NAME REF`..."""
    name, _, ref = text.partition(" ")
    github: dict[str, Any] = {"event_name": name, "sha": SHA, "event": {"repository": REPOSITORY}}
    match name:
        case "nothing":
            github |= {"event_name": "", "ref": "", "sha": "", "event": {}}
        case "tag":
            github |= {"event_name": "push", "ref": f"refs/tags/{ref}"}
            github["event"] = {**github["event"], "base_ref": "refs/heads/master"}
        case "pull_request":
            github |= {"ref": "refs/pull/15/merge", "sha": MERGE}
            github["event"] = {**github["event"], **PULL}
        case "pull_request_target":
            github |= {"ref": "refs/heads/master", "sha": MASTER}
            github["event"] = {**github["event"], **PULL}
        case _:
            github["ref"] = f"refs/tags/{ref}" if name == "release" else f"refs/heads/{ref}"
    return github


@pytest.fixture
def job(tmp_path: Path) -> LocalJob:
    return LocalJob(tmp_path / "state", os.environ)


def run(job: LocalJob, github: dict[str, Any], ref: str = "v6", **inputs: str) -> dict[str, str]:
    """Run the action; `|` parts the lines of an input."""
    given = {name: text.replace("|", "\n") for name, text in inputs.items()}
    place = world(Path(job.layout.temp), job.workspace, clock=FakeClock(NOW))
    call = job.call(f"docker/metadata-action@{ref}", github, **given)
    DockerMetadata(place).main(call, job)
    return job.outputs


@pytest.mark.parametrize(("of", "tags", "flavor", "names"), DOCUMENTED + FIXED)
def test_tags(job: LocalJob, of: str, tags: str, flavor: str, names: str) -> None:
    outputs = run(job, event(of), images="", tags=tags, flavor=flavor)
    assert outputs["tag-names"].split() == names.split()
    assert outputs["tags"] == outputs["tag-names"]
    assert outputs["version"] == (names.split() or [""])[0]


@pytest.mark.parametrize(
    ("images", "tags"),
    [
        ("name/foo,name/bar", "name/foo:dev name/bar:dev"),
        ("name/foo|ghcr.io/UserName/Foo", "name/foo:dev ghcr.io/username/foo:dev"),
        ("name=name/bar|name/foo,enable=false", "name/bar:dev"),
        ("name/foo,enable=false", "dev"),
        ("# none|name/foo", "name/foo:dev"),
    ],
)
def test_images(job: LocalJob, images: str, tags: str) -> None:
    assert run(job, event("push dev"), images=images)["tags"].split() == tags.split()


def test_head_of_a_pull_request(job: LocalJob) -> None:
    job.env["DOCKER_METADATA_PR_HEAD_SHA"] = "true"
    outputs = run(job, event("pull_request"), tags="type=ref,event=pr|type=sha")
    assert outputs["tags"].split() == ["pr-15", "sha-3370e22"]
    assert f"org.opencontainers.image.revision={HEAD}" in outputs["labels"]


def test_length_of_a_short_sha(job: LocalJob) -> None:
    job.env["DOCKER_METADATA_SHORT_SHA_LENGTH"] = "12"
    assert run(job, event("push dev"), tags="type=sha|{{sha}}")["tags"].split() == [
        "860c1904a1ce",
        "sha-860c1904a1ce",
    ]
    job.env["DOCKER_METADATA_SHORT_SHA_LENGTH"] = "x"
    with pytest.raises(ActionFailed, match="SHORT_SHA_LENGTH is not a valid number: x"):
        run(job, event("push dev"), tags="type=sha")


def test_labels_and_annotations(job: LocalJob) -> None:
    outputs = run(
        job,
        event("push dev"),
        images="user/app",
        labels='maintainer=Me|invalid|org.opencontainers.image.title=My=Title|say="a, b"|foo=',
        annotations="org.opencontainers.image.created={{commit_date 'YYYY'}}",
        sep_annotations=" ; ",
    )
    assert outputs["labels"].split("\n") == [
        "foo=",
        "maintainer=Me",
        "org.opencontainers.image.created=2020-01-10T00:30:00.000Z",
        "org.opencontainers.image.description=This your first repo!",
        "org.opencontainers.image.licenses=MIT",
        f"org.opencontainers.image.revision={SHA}",
        "org.opencontainers.image.source=https://github.com/octocat/Hello-World",
        "org.opencontainers.image.title=My=Title",
        "org.opencontainers.image.url=https://github.com/octocat/Hello-World",
        "org.opencontainers.image.version=dev",
        'say="a, b"',
    ]
    annotations = outputs["annotations"].split(" ; ")
    assert annotations[0] == "manifest:org.opencontainers.image.created=2020"
    assert annotations[-1] == "manifest:org.opencontainers.image.version=dev"
    found = json.loads(outputs["json"])
    assert list(found) == ["tags", "tag-names", "labels", "annotations"]
    assert (found["tags"], found["tag-names"]) == (["user/app:dev"], ["dev"])
    assert found["labels"]["org.opencontainers.image.title"] == "My=Title"
    assert found["annotations"] == annotations


def test_levels_of_annotations_and_bake_files(job: LocalJob) -> None:
    job.env["DOCKER_METADATA_ANNOTATIONS_LEVELS"] = "index,manifest"
    outputs = run(job, event("tag v1.1.1"), images="a/b|c/d", bake_target="meta", tags="x")
    read = {
        kind: json.loads(Path(outputs[f"bake-file{kind}"]).read_text(encoding="utf-8"))["target"]
        for kind in ("", "-tags", "-labels", "-annotations")
    }
    args = {"DOCKER_META_IMAGES": "a/b,c/d", "DOCKER_META_VERSION": "x"}
    assert read["-tags"] == {"meta": {"tags": ["a/b:x", "c/d:x"], "args": args}}
    assert read["-annotations"]["meta"]["annotations"] == outputs["annotations"].split("\n")
    levels = [line.partition(":")[0] for line in outputs["annotations"].split("\n")]
    assert levels == ["index"] * 8 + ["manifest"] * 8
    labels = read["-labels"]["meta"]["labels"]
    assert labels["org.opencontainers.image.version"] == "x"
    assert read[""] == {"meta": {"tags": ["a/b:x", "c/d:x"], "labels": labels, "args": args}}
    # Another step's files do not take their place.
    before = outputs["bake-file"]
    assert run(job, event("push dev"), images="a/b")["bake-file"] != before
    assert before.startswith(job.layout.temp)


def test_separators_and_the_environment(job: LocalJob) -> None:
    outputs = run(job, event("push dev"), images="a", tags="x|y", sep_tags=",", sep_labels="|")
    assert outputs["tags"] == "a:x,a:y"
    assert outputs["tag-names"] == "x,y"
    assert job.exported["DOCKER_METADATA_OUTPUT_TAG_NAMES"] == "x,y"
    assert {f"DOCKER_METADATA_OUTPUT_{name.upper().replace('-', '_')}" for name in outputs} == set(
        job.exported
    )
    assert [line for line in job.lines if line.startswith("##[group]")] == [
        "##[group]Context info",
        "##[group]Processing images input",
        "##[group]Processing tags input",
        "##[group]Processing flavor input",
        "##[group]Docker image version",
        "##[group]Docker tags",
        "##[group]Docker labels",
        "##[group]Annotations",
        "##[group]JSON output",
        "##[group]Bake file definition (tags)",
        "##[group]Bake file definition (labels)",
        "##[group]Bake file definition (annotations)",
    ]
    job.exported.clear()
    job.env["DOCKER_METADATA_SET_OUTPUT_ENV"] = "false"
    run(job, event("push dev"))
    assert job.exported == {}


def test_nothing_was_made(job: LocalJob) -> None:
    outputs = run(
        job, event("push dev"), tags=f"type=ref,event=tag|{SEMVER}{{{{version}}}},value=x"
    )
    assert outputs["tags"] == outputs["version"] == ""
    assert [message for _, message in job.annotations] == [
        "x is not a valid semver. More info: https://semver.org/",
        "No Docker image version has been generated. Check tags input.",
        "No Docker tag has been generated. Check tags input.",
    ]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("tags", "type=nope", "Unknown tag type attribute: nope"),
        ("tags", "type=semver", "Missing pattern attribute for type=semver"),
        ("tags", "type=match", "Missing pattern attribute for type=match"),
        ("tags", "type=match,pattern=v,group=foo", "Invalid match group for type=match"),
        ("tags", "type=match,pattern=(,value=x", r"Invalid regular expression: /\(/"),
        ("tags", "type=match,pattern=/x/q,value=x", "Invalid flags supplied to RegExp"),
        ("tags", "type=ref", "Missing event attribute for type=ref"),
        ("tags", "type=ref,event=foo", "Invalid event for type=ref,event=foo"),
        ("tags", "type=raw", "Missing value attribute for type=raw"),
        ("tags", "type=sha,format=foo", "Invalid format for type=sha,format=foo"),
        ("tags", "x,enable=maybe", "Invalid value for enable attribute: maybe"),
        ("tags", "type=raw,value={{nope 'x'}}", 'Missing helper: "nope"'),
        ("tags", "type=raw,value={{date}}", "need a format"),
        ("tags", "type=raw,value={{date 'Y' zone='x'}}", "Unknown zone attribute"),
        ("tags", "type=raw,value={{branch", "Parse error on line 1"),
        ("flavor", "randomstr", "Invalid flavor entry: randomstr"),
        ("flavor", "unknown=foo", "Unknown flavor entry: unknown=foo"),
        ("flavor", "latest=foo", "Invalid latest flavor entry: latest=foo"),
        ("flavor", "prefix=x,onlatest=foo", "Invalid value for onlatest attribute: foo"),
        ("images", "value=name/foo", "Unknown image attribute: value=name/foo"),
        ("images", "name/foo,enable=bar", "Invalid enable attribute value"),
        ("images", "name=,enable=true", "Image name attribute empty: name=,enable=true"),
        ("context", "nope", "Invalid context source: nope"),
    ],
)
def test_mistakes(job: LocalJob, name: str, text: str, message: str) -> None:
    with pytest.raises(ActionFailed, match=message):
        run(job, event("push dev"), **{name: text})


def test_a_pattern_that_takes_too_long() -> None:
    with pytest.raises(ActionFailed, match="takes too long"):
        match_groups("^(a|aa)+$", f"{'a' * 60}!")


def test_versions_of_the_action(job: LocalJob) -> None:
    assert run(job, event("push dev"), tags="a#b|# c")["tags"] == "a-b"
    assert run(job, event("push dev"), "v5", tags="a#b|# c")["tags"] == "a"
    with pytest.raises(ActionFailed, match="images input required"):
        run(job, event("push dev"), "v4.1.0", tags="a")


def test_an_unknown_time_zone_is_told(job: LocalJob) -> None:
    tags = "type=raw,value={{date 'HH' tz='No/Where'}}"
    assert run(job, event("push dev"), tags=tags)["tags"] == "00"
    assert any("Moment Timezone has no data for No/Where" in line for line in job.lines)


def test_the_commit_date(job: LocalJob) -> None:
    github = event("push dev")
    tags = "type=raw,value={{commit_date 'YYYY-MM-DD'}}"
    github["event"]["commits"] = [{"id": SHA, "timestamp": "2019-05-06T01:00:00+02:00"}]
    assert run(job, github, tags=tags)["tags"] == "2019-05-05"
    assert "commitDate: Sun May 05 2019 23:00:00 GMT+0000 (Coordinated Universal Time)" in job.lines


def test_the_commit_date_from_git(job: LocalJob, root: Path, tmp_path: Path) -> None:
    github = {**event("workflow_dispatch dev"), "sha": git(root, "rev-parse", "HEAD")}
    date = git(root, "show", "-s", "--format=%cs", "HEAD")
    place = world(tmp_path, root, clock=FakeClock(NOW))
    inputs = {"tags": "type=raw,value={{commit_date 'YYYY-MM-DD'}}"}
    DockerMetadata(place).main(job.call("x@v6", github, **inputs), job)
    assert job.outputs["tags"] == date


@pytest.mark.parametrize(
    ("state", "ref"),
    [
        ("checkout -qb feature/x", "refs/heads/feature/x"),
        ("checkout -q --detach", "refs/heads/main"),
        ("tag v1.2.3|checkout -q v1.2.3|branch -qD main", "refs/tags/v1.2.3"),
        (
            "update-ref refs/remotes/origin/topic HEAD|checkout -q --detach|branch -qD main",
            "refs/heads/topic",
        ),
        (
            "update-ref refs/remotes/pull/7/merge HEAD|checkout -q --detach|branch -qD main",
            "refs/pull/7/merge",
        ),
    ],
)
def test_the_context_of_git(job: LocalJob, state: str, ref: str) -> None:
    made = repository(job.workspace / "r", {"a": "1"})
    for command in state.split("|"):
        git(made, *command.split())
    job.env |= {"GIT_DIR": str(made / ".git"), "GIT_WORK_TREE": str(made)}
    outputs = run(job, event("push dev"), context="git", tags="type=sha,format=long")
    assert outputs["tags"] == f"sha-{git(made, 'rev-parse', 'HEAD')}"
    assert f"ref: {ref}" in job.lines


def test_a_context_of_git_without_git(job: LocalJob) -> None:
    job.env["GIT_CEILING_DIRECTORIES"] = str(job.workspace.parent)
    with pytest.raises(ActionFailed, match="not a git repository"):
        run(job, event("push dev"), context="git")
