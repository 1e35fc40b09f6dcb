"""The workshop's buildspec, unchanged: a C library, its tests, an application, an image pushed."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import Place, assert_no_traceback, missing
from tests.docker_engine import Engine
from tests.repositories import commit, repository, write

EXAMPLE = Path(__file__).parents[2] / "examples" / "course-buildspec"
# The workshop's file: the example is to work without a change to it.
SHA256 = "a8852ea0cb003534b997612caf69a1309b4feb6f9be5c96b8b82205db3603be2"
ACCOUNT, REGION = "123456789012", "eu-north-1"
SERVER = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
GIVEN = {
    "AWS_ACCOUNT_ID": ACCOUNT,
    "AWS_DEFAULT_REGION": REGION,
    "IMAGE_REPO_NAME": "course-buildspec",
    "IMAGE_TAG_LATEST": "latest",
    "AWS_ACCESS_KEY_ID": "rehearsal",
}
# Where no image of Python can be had: a base image whose `pip` only says that it was asked.
BASE = "python:3.12-slim"
STAND_IN = "RUN printf '#!/bin/sh\\necho \"pip $*\"\\n' > /bin/pip && chmod +x /bin/pip\n"

# Builds without a network, which not every engine of a test has: nothing is fetched in them.
CLIENT = '#!/bin/sh\n[ "$1" != build ] || { shift; set -- build --network none "$@"; }\n'


def test_the_buildspec_is_the_workshop_s():
    assert hashlib.sha256((EXAMPLE / "buildspec.yml").read_bytes()).hexdigest() == SHA256


@pytest.fixture
def base(tmp_path: Path, engine: Engine, busybox_image: str) -> Iterator[None]:
    """Have an image under the name of the base."""
    context = tmp_path / "base"
    context.mkdir()
    (context / "Dockerfile").write_text(f"FROM {busybox_image}\n{STAND_IN}")
    made = "trunkline-test-course-base"
    engine.docker("build", "-q", "--network", "none", "-t", made, str(context))
    with engine.named(made, BASE):
        yield
    engine.forget(made)


@pytest.mark.registry
@pytest.mark.usefixtures("base")
@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler is here")
def test_the_course_s_buildspec_runs_as_it_is(
    tmp_path: Path, docked: Place, engine: Engine, aws: Path, cloud: str
):
    root = repository(tmp_path / "workshop")
    shutil.copytree(EXAMPLE, root, dirs_exist_ok=True)
    commit(root, {})
    args = [each for name, value in GIVEN.items() for each in ("--env", f"{name}={value}")]
    args += ["--env", f"AWS_ENDPOINT_URL={cloud}", "-s", "AWS_SECRET_ACCESS_KEY=no one"]
    args += ["--env", "AWS_SECRET_ACCESS_KEY=no one"]
    client = tmp_path / "bin" / "docker"
    write(tmp_path / "bin", {"docker": f'{CLIENT}exec {shutil.which("docker")} "$@"\n'})
    client.chmod(0o755)
    env = {"PATH": f"{client.parent}:{aws}:{docked.env['PATH']}"}
    try:
        done = docked.run("run", "-W", "buildspec.yml", "--plain", *args, cwd=root, env=env)
    finally:
        for name in ("course-buildspec", f"{SERVER}/course-buildspec"):
            engine.forget(name)
    assert_no_traceback(done)
    assert done.code == 0, done.text
    wanted = [
        "build | ##[warning]docker 18 is wanted, and … is on PATH: that one is used",
        "build | Login Succeeded…",
        "build | [Container] … Running command make all",
        "build | Ran 5 tests in …",
        "build | …pip install --no-cache-dir -r requirements.txt…",
        "build | …latest: digest: sha256:…",
        "build | [Container] … Phase complete: POST_BUILD State: SUCCEEDED",
    ]
    assert not missing(wanted, done.out.splitlines()), done.text
    assert f"{SERVER}/course-buildspec" in docked.run("images", cwd=root).out
