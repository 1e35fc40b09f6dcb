"""Buildspecs beyond what a scenario file can say: other users, a cloud, a user who stops a build."""

from __future__ import annotations

import io
import os
import signal
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import boto3
import pytest

from tests.commands import Place, assert_no_traceback, finish, missing, until
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
CACHED = """
version: 0.2
phases:
  build:
    commands:
      - if [ -f deps/made ]; then echo "kept $(cat deps/made)"; else echo nothing kept; fi
      - mkdir -p deps; [ -f deps/made ] || echo "from $(cat lock)" > deps/made
cache: {key: 'deps-$(cat lock)', fallback-keys: [deps-], paths: [deps/**/*]}
"""
BATCH = """
version: 0.2
batch:
  build-list: [{identifier: one}, {identifier: two}]
phases:
  build:
    commands: ['echo $CODEBUILD_BATCH_BUILD_IDENTIFIER > $CODEBUILD_BATCH_BUILD_IDENTIFIER.txt']
artifacts: {files: ['*.txt'], name: app}
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


@pytest.fixture
def account(cloud: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return the environment of somebody with credentials for the cloud; the test has it too."""
    given = {
        "AWS_ENDPOINT_URL": cloud,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return given


def contents(bucket: str) -> dict[str, bytes]:
    """Return what lies in a bucket, by its keys."""
    buckets = boto3.client("s3", region_name="us-east-1")
    listed = buckets.list_objects_v2(Bucket=bucket).get("Contents", [])
    keys = [each["Key"] for each in listed]
    return {key: buckets.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


@pytest.mark.registry
def test_a_cache_in_a_bucket_serves_other_machines(tmp_path: Path, account: dict[str, str]):
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="caches")
    root = repository(tmp_path / "demo", {"buildspec.yml": CACHED, "lock": "1"})
    args = ["run", "--plain", "-W", "buildspec.yml", "--env", "CODEBUILD_CACHE_BUCKET=caches/of/us"]
    first = Place(tmp_path / "first").run(*args, cwd=root, env=account)
    assert first.code == 0, first.text
    assert "build | nothing kept" in first.out
    (key,) = contents("caches")
    assert key.startswith("of/us/")
    assert key.endswith("/deps-1")
    assert f"build | Uploaded s3://caches/{key}" in first.out

    second = Place(tmp_path / "second")
    again = second.run(*args, cwd=root, env=account)
    assert again.code == 0, again.text
    assert f"build | Downloaded s3://caches/{key}" in again.out
    assert "build | kept from 1" in again.out
    (root / "lock").write_text("2", encoding="utf-8")
    fallback = Place(tmp_path / "third").run(*args, cwd=root, env=account)
    assert "build | kept from 1" in fallback.out, fallback.text
    assert sorted(name.rpartition("/")[2] for name in contents("caches")) == ["deps-1", "deps-2"]
    # What was fetched is kept: with no cloud at all it is here.
    gone = second.run(*args, "--offline", cwd=root)
    assert "build | kept from 1" in gone.out, gone.text


@pytest.mark.registry
def test_a_cache_bucket_that_is_not_there_fails_no_build(tmp_path: Path, account: dict[str, str]):
    root = repository(tmp_path / "demo", {"buildspec.yml": CACHED, "lock": "1"})
    args = ["run", "--plain", "-W", "buildspec.yml", "--env", "CODEBUILD_CACHE_BUCKET=no-such"]
    done = Place(tmp_path).run(*args, cwd=root, env=account)
    assert done.code == 0, done.text
    assert "build | nothing kept" in done.out
    assert "NoSuchBucket" in done.out


@pytest.mark.registry
@pytest.mark.parametrize("packaging", ["ZIP", "NONE"])
def test_combined_artifacts_go_to_a_bucket(tmp_path: Path, account: dict[str, str], packaging: str):
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="artifacts")
    root = repository(tmp_path / "demo", {"buildspec.yml": BATCH})
    settings = {
        "CODEBUILD_ARTIFACTS_BUCKET": "artifacts",
        "CODEBUILD_ARTIFACTS_PACKAGING": packaging,
    }
    args = ["run", "--plain", "-W", "buildspec.yml", "--var", "CODEBUILD_COMBINE_ARTIFACTS=true"]
    args += [word for pair in settings.items() for word in ("--env", "=".join(pair))]
    done = Place(tmp_path).run(*args, cwd=root, env=account)
    assert done.code == 0, done.text
    found = contents("artifacts")
    if packaging == "NONE":
        assert found == {
            "one/app/one.txt": b"one\n",
            "two/app/two.txt": b"two\n",
            "app/one.txt": b"one\n",
            "app/two.txt": b"two\n",
        }
    else:
        assert set(found) == {"one/app.zip", "two/app.zip", "app.zip"}
        with ZipFile(io.BytesIO(found["app.zip"])) as archive:
            assert sorted(archive.namelist()) == ["one.txt", "two.txt"]


@pytest.mark.registry
def test_parameters_secrets_and_artifacts_of_a_cloud(tmp_path: Path, account: dict[str, str]):
    boto3.client("ssm").put_parameter(Name="/app/password", Value="dolphin-9", Type="SecureString")
    secrets = boto3.client("secretsmanager")
    secrets.create_secret(Name="login", SecretString='{"user": "admiral-a"}')
    secrets.put_secret_value(SecretId="login", SecretString='{"user": "admiral-g"}')
    buckets = boto3.client("s3", region_name="us-east-1")
    buckets.create_bucket(Bucket="artifacts")
    place = Place(tmp_path)
    root = repository(tmp_path / "demo", {"buildspec.yml": CLOUD})
    args = ["--var", f"AWS_REGION={REGION}", "--env", "CODEBUILD_ARTIFACTS_BUCKET=artifacts"]
    done = place.run("run", "--plain", "-W", "buildspec.yml", *args, cwd=root, env=account)
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
    until(lambda: "sleep 300" in " ".join(place.processes().values()), process)
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
