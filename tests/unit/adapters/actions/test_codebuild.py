"""What a CodeBuild build does besides its commands, action by action."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.jobs import LocalJob, world
from tests.repositories import write
from trunkline.adapters.actions.codebuild.combining import CombineArtifacts
from trunkline.adapters.actions.codebuild.environment import Environment
from trunkline.adapters.actions.codebuild.programs import PROGRAMS
from trunkline.adapters.actions.codebuild.results import Artifacts, Report
from trunkline.adapters.actions.codebuild.runtimes import Runtimes, fits
from trunkline.adapters.buckets.memory import MemoryBuckets
from trunkline.adapters.parameters.memory import MemoryParameters
from trunkline.ports.actions import ActionFailed

GITHUB: dict[str, Any] = {"server_url": "https://github.com", "repository": "octo/demo"}
LOOPBACK = "http://127.0.0.1:5555"


@pytest.fixture
def job(tmp_path: Path) -> LocalJob:
    (tmp_path / "runs/1").mkdir(parents=True)
    return LocalJob(tmp_path / "state", os.environ)


def artifacts(tmp_path: Path, job: LocalJob, changes: dict[str, Any], **inputs: str) -> None:
    Artifacts(world(tmp_path, tmp_path, **changes)).main(job.call("x", GITHUB, **inputs), job)


# --- runtimes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "here", "same"),
    [
        ("latest", "1.2.3", True),
        ("3.x", "3.11.2", True),
        ("3", "3.11.2", True),
        ("3.1", "3.11.2", False),
        ("18", "20.10.24", False),
        ("1.21", "1.21.5", True),
        ("corretto17", "17.0.9", True),
        ("openjdk8", "1.8.0", True),
        ("corretto11", "1.8.0", False),
    ],
)
def test_versions_are_compared_part_by_part(wanted: str, here: str, *, same: bool):
    assert fits(wanted, here) is same


def test_no_runtime_fails_a_build(tmp_path: Path, job: LocalJob):
    write(job.workspace, {"bin/go": "#!/bin/sh\necho go version go1.22.3 linux/amd64\n"})
    (job.workspace / "bin/go").chmod(0o755)
    job.env["PATH"] = f"{job.workspace}/bin"
    job.env["GO"] = "1.22"
    versions = "golang=$GO\ngolang=1.9\nruby=3.2\ncobol=85"
    Runtimes(world(tmp_path, tmp_path)).main(job.call("x", GITHUB, versions=versions), job)
    assert job.lines == ["Using golang 1.22.3"]
    assert [message for _, message in job.annotations] == [
        "golang 1.9 is wanted, and 1.22.3 is on PATH: that one is used",
        "ruby 3.2 is wanted, and there is no ruby on PATH",
        "Unknown runtime named 'cobol': what is on PATH is used",
    ]


# --- environment ------------------------------------------------------------------------


def test_values_come_from_hands_before_the_cloud(tmp_path: Path, job: LocalJob):
    kept = MemoryParameters(
        {"/p": "of the cloud"}, {("login", "AWSPREVIOUS"): '{"user": "ada", "ports": [1]}'}
    )
    action = Environment(world(tmp_path, tmp_path, parameters=lambda: kept))
    call = job.call(
        "x",
        GITHUB,
        parameter_store="A=/p\nB=/p",
        secrets_manager="C=login:user:AWSPREVIOUS:\nD=login:ports:AWSPREVIOUS:",
        value_1="by hand",
    )
    action.main(call, job)
    told = {name: job.exported[name] for name in "ABCD"}
    assert told == {"A": "of the cloud", "B": "by hand", "C": "ada", "D": "[1]"}
    assert set(told.values()) <= set(job.masks)


@pytest.mark.parametrize("text", ["no json", "[]", '{"other": 1}'])
def test_a_json_key_that_is_not_there_is_told(tmp_path: Path, job: LocalJob, text: str):
    kept = MemoryParameters({}, {("login", "AWSCURRENT"): text})
    action = Environment(world(tmp_path, tmp_path, parameters=lambda: kept))
    with pytest.raises(ActionFailed, match="the secret 'login' has no JSON key 'user'"):
        action.main(job.call("x", GITHUB, secrets_manager="A=login:user::"), job)


# --- artifacts in buckets -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("publish", "endpoint", "kept"),
    [
        (False, "", False),
        (False, "https://s3.example.org", False),
        (False, LOOPBACK, True),
        (True, "", True),
    ],
)
def test_a_rehearsal_writes_no_bucket_but_one_of_this_machine(
    tmp_path: Path, job: LocalJob, endpoint: str, *, publish: bool, kept: bool
):
    write(job.workspace, {"a": "1"})
    buckets = MemoryBuckets(["mine"])
    job.env |= {"CODEBUILD_ARTIFACTS_BUCKET": "mine", "CODEBUILD_BUILD_ARN": "arn:x"}
    job.env |= {"AWS_ENDPOINT_URL": endpoint} if endpoint else {}
    changes = {"publish": publish, "buckets": lambda: buckets, "environment": {}}
    artifacts(tmp_path, job, changes, files="a", name="of/app", s3_prefix="p/")
    assert list(buckets.kept) == ([("mine", "p/1/of/app.zip")] if kept else [])
    told = "Uploaded s3://mine/p/1/of/app.zip" if kept else "A rehearsal publishes nothing"
    assert job.lines[-1].startswith(told)


def test_files_go_to_a_bucket_by_themselves_where_the_project_says_so(
    tmp_path: Path, job: LocalJob
):
    write(job.workspace, {"a": "1", "b/c": "22"})
    (job.workspace / "link").symlink_to("b/c")
    buckets = MemoryBuckets(["mine"])
    job.env |= {"CODEBUILD_ARTIFACTS_BUCKET": "mine", "CODEBUILD_ARTIFACTS_PACKAGING": "NONE"}
    changes = {"publish": True, "buckets": lambda: buckets, "environment": {}}
    links = {"enable_symlinks": "yes"}
    artifacts(tmp_path, job, changes, files="**/*", name="of/app", s3_prefix="p", **links)
    found = {key: content for (_, key), (content, _) in buckets.kept.items()}
    folder = "p/1/of/app"
    assert found == {f"{folder}/a": b"1", f"{folder}/b/c": b"22", f"{folder}/link": b"22"}
    assert job.lines[-1] == "Uploaded s3://mine/p/1/of/app/"


def test_another_packaging_is_refused(tmp_path: Path, job: LocalJob):
    write(job.workspace, {"a": "1"})
    job.env |= {"CODEBUILD_ARTIFACTS_BUCKET": "mine", "CODEBUILD_ARTIFACTS_PACKAGING": "TAR"}
    with pytest.raises(ActionFailed, match="PACKAGING is ZIP or NONE, not 'TAR'"):
        artifacts(tmp_path, job, {"buckets": lambda: MemoryBuckets(["mine"])}, files="a")


def test_names_in_a_batch_end_with_the_build(tmp_path: Path, job: LocalJob):
    write(job.workspace, {"a": "1"})
    job.env["CODEBUILD_BATCH_BUILD_IDENTIFIER"] = "one"
    artifacts(tmp_path, job, {}, files="a")
    Report(world(tmp_path, tmp_path)).main(
        job.call(
            "x",
            GITHUB,
            group="arn:aws:codebuild:x:1:report-group/g",
            files="a",
            file_format="JUNITXML",
        ),
        job,
    )
    assert [name for name, *_ in job.stored] == ["demo-one", "report-g-JUNITXML-one"]


def test_what_builds_kept_is_joined_by_name_in_their_order(tmp_path: Path, job: LocalJob):
    buckets = MemoryBuckets(["mine"])
    place = world(tmp_path, tmp_path, publish=True, buckets=lambda: buckets, environment={})
    for build, text in (("x-b", "later"), ("b", "first")):
        write(job.workspace, {"same": text, f"{build}.txt": ""})
        job.env["CODEBUILD_BATCH_BUILD_IDENTIFIER"] = build
        artifacts(tmp_path, job, {"artifacts": place.artifacts}, files=f"same\n{build}.txt")
    del job.env["CODEBUILD_BATCH_BUILD_IDENTIFIER"]
    job.env["CODEBUILD_ARTIFACTS_BUCKET"] = "mine"
    CombineArtifacts(place).main(job.call("x", GITHUB, builds="b\nx-b"), job)
    assert list(buckets.kept) == [("mine", "demo.zip")]
    (info,) = place.artifacts.find("1")
    found = {path: file.read() for path, file in place.artifacts.read(info)}
    assert info.name == "demo"
    assert found == {"same": b"later", "b.txt": b"", "x-b.txt": b""}
    assert job.annotations == [("warning", "Several builds have same: that of demo-x-b counts")]


# --- programs -----------------------------------------------------------------------------


@pytest.fixture
def tools(tmp_path: Path, job: LocalJob) -> LocalJob:
    write(tmp_path / "tools", PROGRAMS)
    for name in PROGRAMS:
        (tmp_path / "tools" / name).chmod(0o755)
    job.env["PATH"] = f"{tmp_path}/tools:{job.env['PATH']}"
    files = {f"tests/{name}": name for name in ("test_a.py", "b c/test_d.py", "deep/er/test_e.py")}
    write(job.workspace, files)
    return job


def test_globs_are_searched_in_folders_and_sorted(tools: LocalJob):
    told = tools.shell("codebuild-glob-search 'tests/**/test_*.py' 'nothing/*'")
    assert told.splitlines() == [
        "tests/b c/test_d.py",
        "tests/deep/er/test_e.py",
        "tests/test_a.py",
    ]


def test_a_digest_changes_with_what_the_files_hold(tools: LocalJob):
    first = tools.shell("codebuild-hash-files 'tests/**'")
    assert tools.shell("codebuild-hash-files 'tests/**' tests/test_a.py") == first
    write(tools.workspace, {"tests/test_a.py": "changed"})
    assert tools.shell("codebuild-hash-files 'tests/**'") != first
    code, output = tools.capture(["codebuild-hash-files", "nothing"])
    assert (code, output) == (1, "codebuild-hash-files: no file matches: nothing\n")


@pytest.mark.parametrize("strategy", ["equal-distribution", "stability"])
def test_every_test_file_is_run_in_one_shard(tools: LocalJob, strategy: str):
    run = (
        "codebuild-tests-run --test-command 'printf \"<%s>\\n\"' --sharding-strategy "
        f"{strategy} --files-search \"codebuild-glob-search 'tests/**/*.py'\""
    )
    found: list[str] = []
    for index in range(3):
        tools.env |= {"CODEBUILD_SHARD_INDEX": f"{index}", "CODEBUILD_SHARD_COUNT": "3"}
        found += [line for line in tools.shell(run).splitlines() if line.startswith("<")]
    assert sorted(found) == [
        "<tests/b c/test_d.py>",
        "<tests/deep/er/test_e.py>",
        "<tests/test_a.py>",
    ]


def test_a_test_command_may_take_the_files_from_a_variable(tools: LocalJob):
    told = tools.shell(
        "codebuild-tests-run --test-command 'echo \"$CODEBUILD_CURRENT_SHARD_FILES\" | wc -l'"
        " --files-search \"codebuild-glob-search 'tests/**/*.py'\""
    )
    assert told.splitlines()[-1].strip() == "3"
    code, output = tools.capture(["codebuild-tests-run", "--test-command", "x"])
    assert (code, "are needed" in output) == (2, True)


@settings(max_examples=60, suppress_health_check=[*HealthCheck])
@given(st.text(max_size=12), st.text(max_size=12))
def test_no_version_breaks_the_comparison(wanted: str, here: str):
    assert fits(wanted, here) in {True, False}
