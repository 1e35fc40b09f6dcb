"""The course's lab: its workflow, as it stands, builds an image and pushes it where a rehearsal pushes."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import signal
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.commands import Done, Place, assert_no_traceback, finish, missing
from tests.docker_engine import Engine
from tests.repositories import commit, git, repository

EXAMPLE = Path(__file__).parents[2] / "examples" / "build-container"
WORKFLOW = ".github/workflows/build-container.yml"
PATIENCE = 120
# The course's file: the lab is to work without a change to it.
SHA256 = "0f220dd4ae1bfc1db834b17da3e81c7f4e6af7be172bf3937476a869fcdfa106"


class Lab:
    """The lab's repository, with a name that no other test has."""

    def __init__(self, root: Path) -> None:
        self.name = f"octo/lab-{uuid.uuid1().hex[:12]}"
        self.image = f"ghcr.io/{self.name}"
        self.root = repository(root)
        git(self.root, "branch", "-m", "master")
        git(self.root, "remote", "add", "origin", f"https://github.com/{self.name}.git")
        shutil.copytree(EXAMPLE, self.root, dirs_exist_ok=True)
        self.commit = commit(self.root, {})

    def run(self, place: Place, *args: str) -> Done:
        done = place.run(*args, cwd=self.root)
        assert_no_traceback(done)
        return done


@pytest.fixture
def lab(tmp_path: Path, engine: Engine, busybox_image: str) -> Iterator[Lab]:
    made = Lab(tmp_path / "lab")
    with engine.named(busybox_image, "busybox:1.36"):
        yield made
        engine.forget(made.image, f"org.opencontainers.image.source=https://github.com/{made.name}")


def test_the_lab_s_workflow_is_the_course_s():
    text = (EXAMPLE / WORKFLOW).read_bytes()
    assert hashlib.sha256(text).hexdigest() == SHA256


def images(place: Place) -> list[dict[str, Any]]:
    """Return what the registry of the machine holds, a record for each tag."""
    done = place.run("images", "--json")
    assert done.code == 0, done.text
    return [json.loads(line) for line in done.out.splitlines()]


def test_a_manual_start_builds_and_pushes_to_the_registry_of_this_machine(
    docked: Place, engine: Engine, lab: Lab
):
    done = lab.run(docked, "run", "workflow_dispatch", "--plain")
    assert done.code == 0, done.text
    (image,) = images(docked)
    digest = image["digest"]
    assert (image["repository"], image["tag"]) == (lab.image, "master")
    (built,) = image["built"]
    (run_id,) = docked.runs()
    assert built["commit"] == lab.commit
    assert (built["run_id"], built["workflow"]) == (run_id, "Build container")
    base = engine.docker("inspect", "--format", "{{.Id}}", "busybox:1.36")
    assert (built["base_name"], built["base_digest"]) == ("busybox:1.36", base)
    rehearsed = (
        f"build | Rehearsal: pushed to the local registry as {lab.image}:master ({digest}), "
    )
    wanted = [
        f"{rehearsed}not to ghcr.io; --publish sends it there",
        f"image {lab.image}:master in the local registry: {digest}",
    ]
    assert not missing(wanted, done.out.splitlines()), done.text
    told = lab.run(docked, "images").out
    assert [
        each for each in (lab.image, "master", digest, lab.commit[:12]) if each not in told
    ] == []


def test_the_image_carries_the_labels_of_its_metadata(docked: Place, engine: Engine, lab: Lab):
    assert lab.run(docked, "run", "--plain").code == 0
    text = engine.docker("inspect", "--format", "{{json .Config.Labels}}", f"{lab.image}:master")
    labels = json.loads(text)
    assert labels["org.opencontainers.image.revision"] == lab.commit
    assert labels["org.opencontainers.image.source"] == f"https://github.com/{lab.name}"
    assert labels["org.opencontainers.image.version"] == "master"


def test_a_push_on_master_does_the_same_and_a_second_one_moves_no_layer(docked: Place, lab: Lab):
    first = lab.run(docked, "run", "--plain")
    assert first.code == 0, first.text
    before = layers(docked)
    assert before
    again = lab.run(docked, "run", "--plain")
    assert again.code == 0, again.text
    assert layers(docked) == before
    (image,) = [each for each in images(docked) if each["tag"]]
    assert [each["number"] for each in image["built"]] == [2]


def layers(place: Place) -> dict[str, int]:
    """Return the large files that the machine keeps, and when each came."""
    found = [path for path in place.state.rglob("*") if path.is_file()]
    large = [path for path in found if path.stat().st_size > 500_000]
    return {str(path): path.stat().st_mtime_ns for path in large}


def test_a_push_on_a_feature_branch_runs_nothing_and_says_why(docked: Place, lab: Lab):
    git(lab.root, "checkout", "-q", "-b", "feature/colours")
    done = lab.run(docked, "run", "--plain")
    assert done.code == 0, done.text
    why = (
        f"{WORKFLOW} is not started: branch 'feature/colours' matches none of branches: master, dev"
    )
    assert why in done.text
    assert docked.runs() == []


@contextmanager
def serving(place: Place, root: Path) -> Iterator[str]:
    """Serve the registry of the machine; yield its address."""
    process = place.start("registry", "--listen", "127.0.0.1:0", cwd=root)
    try:
        assert process.stdout is not None
        line = process.stdout.readline().decode()
        found = re.search(r"127\.0\.0\.1:\d+", line)
        assert found, line
        yield found.group()
    finally:
        process.send_signal(signal.SIGINT)
        finish(process)


def test_a_pull_by_digest_runs_the_very_image(docked: Place, engine: Engine, lab: Lab):
    done = lab.run(docked, "run", "workflow_dispatch", "--plain")
    assert done.code == 0, done.text
    digest = images(docked)[0]["digest"]
    pushed = engine.docker("inspect", "--format", "{{.Id}}", f"{lab.image}:master")
    engine.forget(lab.image)
    with serving(docked, lab.root) as address:
        reference = f"{address}/{lab.image}@{digest}"
        engine.docker("pull", reference)
        assert engine.docker("inspect", "--format", "{{.Id}}", reference) == pushed
        name = f"trunkline-test-{uuid.uuid1()}"
        try:
            engine.docker("run", "--detach", "--name", name, reference)
            assert page(engine, name) == (EXAMPLE / "site/index.html").read_text("utf-8").strip()
        finally:
            engine.docker("rm", "--force", name)
            engine.forget(f"{address}/{lab.image}")


def page(engine: Engine, container: str) -> str:
    """Return what the image's server serves, once its health check says that it does."""
    end = time.monotonic() + PATIENCE
    health = "inspect", "--format", "{{.State.Health.Status}}", container
    while (state := engine.docker(*health)) != "healthy":
        assert time.monotonic() < end, state
        time.sleep(0.1)
    return engine.docker("exec", container, "wget", "-q", "-O", "-", "http://127.0.0.1:8080/")


def test_a_dockerfile_s_error_is_told_and_nothing_is_pushed(docked: Place, lab: Lab):
    commit(lab.root, {"Dockerfile": "FROM busybox:1.36\nCOPY not-there /www\n"})
    done = lab.run(docked, "run", "--plain")
    assert done.code == 1, done.text
    assert "not-there" in done.out
    assert not missing(["build: failure in …"], done.out.splitlines()), done.text
    assert images(docked) == []


def test_without_an_engine_it_says_what_is_missing(place: Place, tmp_path: Path):
    lab = Lab(tmp_path / "lab")
    place.env["DOCKER_HOST"] = f"unix://{place.root}/nothing.sock"
    done = lab.run(place, "run", "--plain")
    assert done.code in {1, 3}, done.text
    assert "nothing.sock" in done.text
