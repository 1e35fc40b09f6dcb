"""Buildspecs beyond what a scenario file can say: other users, a cloud, a user who stops a build."""

from __future__ import annotations

import os
import signal
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from tests.commands import Place, assert_no_traceback, finish, missing
from tests.repositories import repository

REGION = "eu-north-1"
RUN_AS = """
version: 0.2
run-as: nobody
phases:
  install:
    run-as: root
    commands: [id -un, mkdir shared, chmod 777 shared, 'export SEEN=root']
  build:
    commands:
      - 'echo "$(id -un) reads $(cat a.txt), home is $([ -w "$HOME" ] && echo its own)"'
      - touch b.txt || echo it can not write
      - echo kept > shared/b.txt; export LAST=1
      - exit 0
      - echo "last is $LAST, a new shell of $(id -un)"
"""
CLOUD = """
version: 0.2
env:
  parameter-store: {PASSWORD: /app/password}
  secrets-manager:
    LOGIN: "login:user"
    BEFORE: "login:user:AWSPREVIOUS"
phases:
  build:
    commands:
      - '[ "$PASSWORD $LOGIN $BEFORE" = "dolphin-9 admiral-g admiral-a" ] && echo they are right'
      - echo "$PASSWORD" > out.txt; echo "$LOGIN $BEFORE"
artifacts: {files: [out.txt], name: releases/app, s3-prefix: builds}
"""
BOXED = """
version: 0.2
batch:
  build-list:
    - {identifier: boxed, env: {image: "@BOX@", variables: {WHO: a container}}}
phases:
  install: {commands: [cd /tmp; SEEN=1]}
  build:
    commands:
      - 'echo "in $WHO of $CODEBUILD_BUILD_IMAGE, $SEEN at $PWD"'
      - exit 0
      - touch "$CODEBUILD_SRC_DIR/made"; false
  post_build: {commands: ['echo "succeeding $CODEBUILD_BUILD_SUCCEEDING"']}
artifacts: {files: [made]}
"""
ENDLESS = """
version: 0.2
phases:
  build: {commands: [echo begins, sleep 300, echo not reached], finally: [echo not reached]}
  post_build: {commands: [echo not reached]}
artifacts: {files: ['*']}
"""


@pytest.fixture
def open_place() -> Iterator[Place]:
    """Yield a place that other users can get to."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Place(Path(folder))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run commands as somebody else")
def test_run_as_gives_commands_another_user(open_place: Place):
    root = repository(open_place.root / "demo", {"buildspec.yml": RUN_AS, "a.txt": "this"})
    done = open_place.run("run", "--plain", "-W", "buildspec.yml", cwd=root)
    assert done.code == 0, done.text
    wanted = [
        "build | root",
        "build | nobody reads this, home is its own",
        "build | it can not write",
        "build | last is 1, a new shell of nobody",
    ]
    assert not missing(wanted, done.out.splitlines()), done.text
    assert not open_place.processes()
    assert not open_place.leftovers()
    state = stat.S_IMODE((open_place.state / "runs").stat().st_mode)
    assert not state & 0o077, "other users got more than the work folder"


@pytest.mark.parametrize("user", ["no-such-user-here", "--help"])
def test_a_user_that_is_not_here_fails_the_phase(tmp_path: Path, user: str):
    place = Place(tmp_path)
    text = f"version: 0.2\nphases: {{build: {{run-as: '{user}', commands: [id]}}}}\n"
    root = repository(tmp_path / "demo", {"buildspec.yml": text})
    done = place.run("run", "--plain", "-W", "buildspec.yml", cwd=root)
    assert done.code == 1
    assert f"run-as: '{user}' can't run commands here: " in done.out
    assert_no_traceback(done)


@pytest.mark.registry
def test_parameters_secrets_and_artifacts_of_a_cloud(tmp_path: Path, cloud: str, monkeypatch):
    given = {
        "AWS_ENDPOINT_URL": cloud,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    boto3.client("ssm").put_parameter(Name="/app/password", Value="dolphin-9", Type="SecureString")
    secrets = boto3.client("secretsmanager")
    secrets.create_secret(Name="login", SecretString='{"user": "admiral-a"}')
    secrets.put_secret_value(SecretId="login", SecretString='{"user": "admiral-g"}')
    buckets = boto3.client("s3", region_name="us-east-1")
    buckets.create_bucket(Bucket="artifacts")
    place = Place(tmp_path)
    root = repository(tmp_path / "demo", {"buildspec.yml": CLOUD})
    args = ["--var", f"AWS_REGION={REGION}", "--env", "CODEBUILD_ARTIFACTS_BUCKET=artifacts"]
    done = place.run("run", "--plain", "-W", "buildspec.yml", *args, cwd=root, env=given)
    assert done.code == 0, done.text
    wanted = [
        "build | PASSWORD comes from parameter /app/password",
        "build | LOGIN comes from secret login",
        "build | they are right",
        "build | *** ***",
    ]
    assert not missing(wanted, done.out.splitlines()), done.text
    assert "dolphin-9" not in done.text
    assert "admiral-" not in done.text
    (run_id,) = place.runs()
    key = f"builds/{run_id}/releases/app.zip"
    assert f"build | Uploaded s3://artifacts/{key}" in done.out
    stored = buckets.head_object(Bucket="artifacts", Key=key)
    assert stored["Metadata"]["codebuild-buildarn"].endswith(f":build/demo:{run_id}")


def test_a_build_of_a_batch_may_have_an_image(docked: Place, busybox_image: str):
    text = BOXED.replace("@BOX@", busybox_image)
    root = repository(docked.root / "demo", {"buildspec.yml": text})
    done = docked.run("run", "--plain", "-W", "buildspec.yml", cwd=root)
    assert_no_traceback(done)
    assert done.code == 1, done.text
    wanted = [
        f"boxed | in a container of {busybox_image}, 1 at /tmp",
        "boxed | [Container] … Phase complete: BUILD State: FAILED",
        "boxed | succeeding 0",
        "boxed | Found 1 matching files for artifact demo-boxed",
    ]
    assert not missing(wanted, done.out.splitlines()), done.text


def test_a_build_that_is_stopped_says_so_and_leaves_nothing(tmp_path: Path):
    place = Place(tmp_path)
    root = repository(tmp_path / "demo", {"buildspec.yml": ENDLESS})
    process = place.start("run", "--plain", "-W", "buildspec.yml", cwd=root)
    deadline = time.monotonic() + 30
    while "sleep 300" not in " ".join(place.processes().values()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    done = finish(process)
    assert done.code == 130
    wanted = [
        "build | begins",
        "build | [Container] … Phase complete: BUILD State: STOPPED",
        "build | [Container] … Phase context status code: BUILD_STOPPED Message: …sleep 300",
    ]
    assert not missing(wanted, done.out.splitlines()), done.text
    assert "| not reached" not in done.out
    assert_no_traceback(done)
    assert not place.processes()
    assert not place.leftovers()
