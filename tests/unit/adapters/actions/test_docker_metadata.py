"""metadata-action: every example that the action documents, and what its own tests fix, as tables."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.jobs import LocalJob, world
from tests.repositories import git, repository
from trunkline.adapters.actions.docker_metadata.action import DockerMetadata
from trunkline.adapters.actions.docker_metadata.patterns import match_groups
from trunkline.adapters.clock import FakeClock
from trunkline.ports.actions import ActionFailed

# 2020-01-10T00:30:00Z, the moment that the action's documentation uses.
NOW = 1_578_616_200.0
SHA = "860c1904a1ce19322e91ac35af1ab07466440c37"
MASTER = "266574110acf203503badf966df2ea24b5d732d7"
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
SEMVER = "type=semver,pattern="
PEP440 = "type=pep440,pattern="
ALL_OF_SEMVER = f"{SEMVER}{{{{version}}}}|{SEMVER}{{{{major}}}}.{{{{minor}}}}|{SEMVER}{{{{major}}}}"
ALL_OF_PEP440 = ALL_OF_SEMVER.replace("semver", "pep440")
MATCH = "type=match,pattern="
RAW = "type=raw,value="
RELEASE_OR_NUMBER = r"/^v(\d.\d.\d)$/ig"
FOUND = "type=ref,event=branch|type=ref,event=tag|type=ref,event=pr|type=schedule|type=sha"


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


DOCUMENTED = [
    # Basic
    ("pull_request", "", "", "pr-15"),
    ("push master", "", "", "master"),
    ("push releases/v1", "", "", "releases-v1"),
    ("tag v1.2.3", "", "", "v1.2.3 latest"),
    ("tag v2.0.8-beta.67", "", "", "v2.0.8-beta.67 latest"),
    ("workflow_dispatch master", "", "", "master"),
    # Semver
    *(
        (ref, f"type=ref,event=branch|type=ref,event=pr|{ALL_OF_SEMVER[:-30]}", "", names)
        for ref, names in (
            ("pull_request", "pr-15"),
            ("push releases/v1", "releases-v1"),
            ("tag v1.2.3", "1.2.3 1.2 latest"),
            ("tag v2.0.8-beta.67", "2.0.8-beta.67"),
        )
    ),
    # The type schedule.
    ("schedule master", "type=schedule", "", "nightly"),
    ("schedule master", "type=schedule,pattern=nightly", "", "nightly"),
    ("schedule master", "type=schedule,pattern={{date 'YYYYMMDD'}}", "", "20200110"),
    (
        "schedule master",
        "type=schedule,pattern={{date 'YYYYMMDD-HHmmss' tz='Asia/Tokyo'}}",
        "",
        "20200110-093000",
    ),
    # The type semver.
    *(
        (f"tag {tag}", SEMVER + pattern, "latest=false", name)
        for tag, pattern, name in (
            ("v1.2.3", "{{raw}}", "v1.2.3"),
            ("v1.2.3", "{{version}}", "1.2.3"),
            ("v1.2.3", "{{major}}.{{minor}}", "1.2"),
            ("v1.2.3", "v{{major}}", "v1"),
            ("v1.2.3", "{{minor}}", "2"),
            ("v1.2.3", "{{patch}}", "3"),
            ("p1/v1.2.3", r"{{version}},match=v(\d.\d.\d)$", "1.2.3"),
            ("v2.0.8-beta.67", "{{raw}}", "v2.0.8-beta.67"),
            ("v2.0.8-beta.67", "{{version}}", "2.0.8-beta.67"),
            ("v2.0.8-beta.67", "{{major}}", "2.0.8-beta.67"),
            ("v2.0.8-beta.67", "{{major}}.{{minor}}", "2.0.8-beta.67"),
        )
    ),
    ("push dev", f"{SEMVER}{{{{version}}}},value=v1.0.0", "", "1.0.0 latest"),
    (
        "push dev",
        rf"{SEMVER}{{{{version}}}},value=p1/v1.0.0,match=v(\d.\d.\d)$",
        "",
        "1.0.0 latest",
    ),
    # The type pep440.
    *(
        (f"tag {tag}", PEP440 + pattern, "latest=false", name)
        for tag, pattern, name in (
            ("1.2.3", "{{raw}}", "1.2.3"),
            ("1.2.3", "{{version}}", "1.2.3"),
            ("v1.2.3", "{{version}}", "1.2.3"),
            ("1.2.3", "{{major}}.{{minor}}", "1.2"),
            ("1.2.3", "v{{major}}", "v1"),
            ("v1.2.3rc2", "{{raw}}", "v1.2.3rc2"),
            ("1.2.3rc2", "{{version}}", "1.2.3rc2"),
            ("p1/v1.2.3", r"{{version}},match=v(\d.\d.\d)$", "1.2.3"),
            ("1.2.3rc2", "{{major}}.{{minor}}", "1.2.3rc2"),
            ("1.2.3post1", "{{major}}.{{minor}}", "1.2.3.post1"),
            ("1.2.3beta2", "{{major}}.{{minor}}", "1.2.3b2"),
            ("1.0dev4", "{{major}}.{{minor}}", "1.0.dev4"),
        )
    ),
    # The type match.
    *(
        (f"tag {tag}", f"{MATCH}{pattern},group={group}", "latest=false", name)
        for tag, pattern, group, name in (
            ("v1.2.3", r"\d.\d.\d", 0, "1.2.3"),
            ("v2.0.8-beta.67", "v(.*)", 1, "2.0.8-beta.67"),
            ("v2.0.8-beta.67", r"v(\d.\d)", 1, "2.0"),
            ("20200110-RC2", r"\d+", 0, "20200110"),
            ("p1/v1.2.3", r"p1/v(\d.\d.\d)", 1, "1.2.3"),
        )
    ),
    ("push dev", f"{MATCH}v(.*),group=1,value=v1.0.0", "", "1.0.0 latest"),
    # The type edge.
    ("push master", "type=edge", "", "edge"),
    ("push main", "type=edge,branch=main", "", "edge"),
    ("push dev", "type=edge", "", ""),
    # The type ref.
    ("pull_request", "type=ref,event=pr", "", "pr-15"),
    ("push master", "type=ref,event=branch", "", "master"),
    ("push my/branch", "type=ref,event=branch", "", "my-branch"),
    ("tag v1.2.3", "type=ref,event=tag", "", "v1.2.3 latest"),
    ("tag v2.0.8-beta.67", "type=ref,event=tag", "latest=false", "v2.0.8-beta.67"),
    ("workflow_dispatch master", "type=ref,event=branch", "", "master"),
    # The type raw.
    ("push dev", f"{RAW}foo|{RAW}bar|type=raw,foo2|bar2", "", "foo bar foo2 bar2"),
    # The type sha.
    ("push dev", "type=sha", "", "sha-860c190"),
    ("push dev", "type=sha,format=long", "", f"sha-{SHA}"),
    # Notes
    ("push master", f"{RAW}latest,enable={{{{is_default_branch}}}}", "", "latest"),
    ("push dev", f"{RAW}latest,enable={{{{is_default_branch}}}}", "", ""),
    ("push my/branch", "type=sha,prefix={{branch}}-", "", "my-branch-860c190"),
    ("push dev", f"{RAW}mytag-{{{{branch}}}}-{{{{sha}}}}", "", "mytag-dev-860c190"),
    *(
        (ref, f"{RAW}[{{{{{name}}}}}]", "", f"-{shown}-" if shown else "-")
        for name, ref, shown in (
            ("branch", "pull_request", ""),
            ("branch", "push my/branch", "my-branch"),
            ("branch", "tag v1.2.3", ""),
            ("tag", "pull_request", ""),
            ("tag", "push master", ""),
            ("tag", "tag v1.2.3", "v1.2.3"),
            ("base_ref", "pull_request", "master"),
            ("base_ref", "push my/branch", ""),
            ("base_ref", "tag v1.2.3", "master"),
            ("is_not_default_branch", "push master", "false"),
            ("is_not_default_branch", "push dev", "true"),
            ("date 'YYYYMMDD'", "push dev", "20200110"),
            ("commit_date 'YYYYMMDD-HHmmss' tz='Asia/Tokyo'", "push dev", "20200110-093000"),
        )
    ),
    (
        "tag v0.1.2",
        f"{SEMVER}{{{{version}}}}|{SEMVER}{{{{major}}}},enable=false",
        "",
        "0.1.2 latest",
    ),
]

FIXED = [
    ("nothing", "", "", ""),
    ("nothing", "type=sha|type=raw,{{branch}}", "", ""),
    ("push dev", "type=ref,event=branch|type=sha", "", "dev sha-860c190"),
    ("push master", "type=edge,branch=dev|type=sha", "", "sha-860c190"),
    ("push my/feature#1245", "type=ref,event=branch|type=edge", "", "my-feature-1245"),
    ("push my/feature#1245", f"{ALL_OF_SEMVER}|{ALL_OF_PEP440}|type=edge", "", ""),
    ("push master", "type=ref,priority=2000,event=branch|type=edge", "", "master edge"),
    ("push master", f"{SEMVER}{{{{version}}}},value=v1.2.3|type=edge", "", "1.2.3 edge latest"),
    ("push master", f"{MATCH}v(.*),group=1,value=v1.2.3|type=edge", "", "1.2.3 edge latest"),
    ("push master", f"{MATCH}v(.*),enable=false,value=v1.2.3|type=edge", "", "edge"),
    ("tag 20200110-RC2", rf"{MATCH}(.*)-RC,group=1", "latest=false", "20200110"),
    ("tag v2.0.8-beta.67", rf"{MATCH}\d.\d.\d-(alpha|beta).\d+".replace("|", "."), "", ""),
    (
        "tag v2.0.8-beta.67",
        f"{MATCH}v(.*)-beta.(.*),group=1|{MATCH}v(.*)-beta.(.*),group=2",
        "",
        "2.0.8 67 latest",
    ),
    ("tag sometag", rf"{MATCH}\d.\d", "", ""),
    ("tag v1.1.1", ALL_OF_SEMVER, "", "1.1.1 1.1 1 latest"),
    ("tag v1.1.1", f"{ALL_OF_SEMVER}.{{{{minor}}}}.{{{{patch}}}}", "", "1.1.1 1.1 latest"),
    ("tag sometag", f"type=ref,event=tag|{ALL_OF_SEMVER}", "latest=false", "sometag"),
    (
        "tag v2.0.8-beta.67",
        rf"type=raw,priority=2000,foo|{SEMVER}{{{{version}}}}|{MATCH}\d.\d",
        "",
        "foo 2.0.8-beta.67 2.0",
    ),
    (
        "tag p1/v1.0.0",
        rf"{MATCH}{RELEASE_OR_NUMBER},group=1|{MATCH}\d.\d.\d|{MATCH}\d.\d|type=sha",
        "",
        "1.0.0 1.0 sha-860c190 latest",
    ),
    ("tag p1/v1.0.0", rf"{MATCH}p1/v(\d.\d),group=3|type=sha", "", "sha-860c190"),
    (
        "tag p1/v1.0.0",
        rf"{MATCH}p1/v(\d.\d.\d),group=1|{MATCH}p1/v(\d.\d),group=1,suffix=|type=sha",
        "suffix=-dev",
        "1.0.0-dev 1.0 sha-860c190-dev latest",
    ),
    (
        "tag v1.1.1",
        "type=raw,{{tag}}-{{sha}}-foo|type=raw,{{base_ref}}-foo|type=raw,x,enable={{is_default_branch}}",
        "",
        "v1.1.1-860c190-foo master-foo",
    ),
    ("tag v1.1.1", f"{SEMVER}{{{{version}}}}", "suffix=-dev,onlatest=true", "1.1.1-dev latest-dev"),
    (
        "tag v1.1.1",
        f"{SEMVER}{{{{version}}}}",
        "prefix=foo-,onlatest=true|suffix=-dev,onlatest=true",
        "foo-1.1.1-dev foo-latest-dev",
    ),
    ("tag v1.1.1", f"{PEP440}{{{{raw}}}}|{ALL_OF_PEP440}", "", "v1.1.1 1.1.1 1.1 1 latest"),
    ("tag 1.2", ALL_OF_PEP440, "", "1.2 1 latest"),
    ("tag 1.1beta2", ALL_OF_PEP440, "", "1.1b2"),
    ("tag 1.2post1", ALL_OF_PEP440, "", "1.2.post1"),
    ("tag v1.2.3rc2", f"{PEP440}{{{{raw}}}}|{ALL_OF_PEP440}", "", "v1.2.3rc2 1.2.3rc2"),
    ("pull_request", "type=ref,event=pr|type=sha", "", "pr-15 sha-a9c8c58"),
    ("pull_request", "type=sha,priority=2000|type=ref,event=pr", "", "sha-a9c8c58 pr-15"),
    ("pull_request", "type=ref,event=pr", "prefix=glo-|suffix=-bal", "pr-15-bal"),
    ("pull_request", "type=ref,event=pr,prefix=", "prefix=glo-|suffix=-bal", "15-bal"),
    ("pull_request", f"{RAW}{{{{commit_date YYYY-MM}}}}", "", "2020-01-10T00-30-00Z"),
    ("pull_request_target", f"{FOUND}|type=sha,format=long", "", f"pr-15 sha-2665741 sha-{MASTER}"),
    ("pull_request_target", "type=raw,x-{{base_ref}}", "", "x-master"),
    ("schedule master", "", "", "nightly master"),
    ("schedule master", "type=schedule", "prefix=glo-|suffix=-bal", "glo-nightly-bal"),
    ("schedule dev", f"{RAW}x,enable={{{{is_default_branch}}}}", "", "x"),
    ("create dev", f"{RAW}x,enable={{{{is_default_branch}}}}", "", "x"),
    ("release v1.1.1", f"{RAW}base-{{{{base_ref}}}}|type=ref,event=tag", "", "v1.1.1 base- latest"),
    ("push dev", "type=ref,priority=90,event=branch|my|tags", "latest=true", "my tags dev latest"),
    ("push dev", "type=raw,my,prefix=foo-,suffix=-bar|own", "prefix=glo-", "foo-my-bar glo-own"),
    ("push dev", f"{RAW}a=b|{RAW}{{{{#if tag}}}}t{{{{else}}}}n{{{{/if}}}}", "", "a-b n"),
    # Quotes are gone when the rule is read, and with them what held its commas together.
    ("tag release12", r'type=match,"pattern=^release\d{1,2}"|x', "", "x"),
]


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
