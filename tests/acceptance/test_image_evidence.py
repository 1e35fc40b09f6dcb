"""What is known of an image that a run pushed: its source, its run, its base; by action or script."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.commands import Done, Place, assert_no_traceback
from tests.docker_engine import Engine
from tests.repositories import commit, git, repository, write
from tests.sid_clients import client

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
WORKFLOW = """\
name: Images
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - id: push
        uses: docker/build-push-action@v6
        with:
          push: true
          tags: IMAGE:1,IMAGE:latest
      - run: |
          docker pull IMAGE@${{ steps.push.outputs.digest }}
          docker run --rm IMAGE@${{ steps.push.outputs.digest }} cat /hello
  script:
    needs: build
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: docker build --label by=hand -t IMAGE-by-hand . && docker push IMAGE-by-hand
"""
# Tests beside each other must not share layers: what one removes the other may be building on.
DOCKERFILE = "ARG BASE\nFROM BASE AS base\nFROM base\nLABEL test=IMAGE\nCOPY hello /hello\n"


class Project:
    """A repository whose images have a name that no other test has."""

    def __init__(self, root: Path, base: str) -> None:
        self.image = f"ghcr.io/octo/evidence-{uuid.uuid1().hex[:12]}"
        self.base = base
        self.root = repository(root)
        git(self.root, "remote", "add", "origin", "https://github.com/octo/evidence.git")
        files = {
            ".github/workflows/images.yml": WORKFLOW.replace("IMAGE", self.image),
            "Dockerfile": DOCKERFILE.replace("FROM BASE", f"FROM {base}").replace(
                "IMAGE", self.image
            ),
            "hello": "hello\n",
        }
        self.commit = commit(self.root, files)

    def run(self, place: Place, *args: str) -> Done:
        done = place.run(*args, cwd=self.root)
        assert_no_traceback(done)
        assert done.code == 0, done.text
        return done

    def images(self, place: Place, *args: str) -> list[dict[str, Any]]:
        told = self.run(place, "images", "--json", *args).out
        return [json.loads(line) for line in told.splitlines()]


@pytest.fixture
def project(tmp_path: Path, engine: Engine, busybox_image: str) -> Iterator[Project]:
    made = Project(tmp_path / "project", busybox_image)
    yield made
    for name in (f"{made.image}-by-hand", made.image):
        engine.forget(name)


def test_every_push_is_known_with_its_source_its_run_and_its_base(
    docked: Place, engine: Engine, project: Project
):
    write(project.root, {"hello": "uncommitted\n"})
    done = project.run(docked, "run", "--plain")
    assert "build | uncommitted" in done.out
    (run_id,) = docked.runs()
    base = engine.docker("inspect", "--format", "{{.Id}}", project.base)
    found = {f"{each['repository']}:{each['tag']}": each for each in project.images(docked)}
    assert sorted(found) == [
        f"{project.image}-by-hand:latest",
        f"{project.image}:1",
        f"{project.image}:latest",
    ]
    for name, job in (
        (f"{project.image}:1", "build"),
        (f"{project.image}-by-hand:latest", "script"),
    ):
        newest = found[name]["built"][0]
        expected = {
            "digest": found[name]["digest"],
            "repository": found[name]["repository"],
            "source": "octo/evidence",
            "commit": project.commit,
            "dirty": True,
            "ref": "refs/heads/main",
            "run_id": run_id,
            "number": 1,
            "workflow": "Images",
            "job": job,
            "base_name": project.base,
            "base_digest": base,
            "published": False,
        }
        assert {key: newest[key] for key in expected} == expected
    assert found[f"{project.image}:1"]["digest"] == found[f"{project.image}:latest"]["digest"]


def test_the_run_and_the_list_tell_the_same(docked: Place, project: Project):
    done = project.run(docked, "run", "--plain")
    (run_id,) = docked.runs()
    shown = project.run(docked, "show", "latest").out
    listed = project.run(docked, "images", project.image.removeprefix("ghcr.io/")).out
    (digest,) = set(DIGEST.findall(listed))
    pushed = f"image {project.image}:1, {project.image}:latest in the local registry: {digest}"
    assert pushed in done.out.splitlines()
    assert pushed in shown.splitlines()
    assert f"from octo/evidence@{project.commit[:12]}\n" in listed
    assert f"show {run_id}" in listed
    assert project.images(docked, "--run", run_id[-6:], "--commit", project.commit[:8])
    told = json.loads(project.run(docked, "show", "--json").out)["images"]
    assert {each["digest"] for each in told if each["key"] == "build"} == {digest}


def test_layers_are_stored_once_and_deleted_images_give_theirs_back(
    docked: Place, project: Project
):
    project.run(docked, "run", "--plain")
    first, *_ = project.images(docked, f"{project.image}:1")
    assert first["unique"] < first["size"] / 2
    project.run(docked, "images", "rm", f"{project.image}:1")
    assert [each["tag"] for each in project.images(docked, project.image)] == ["latest"]
    project.run(
        docked, "images", "rm", f"{project.image}:latest", f"{project.image}-by-hand:latest"
    )
    assert project.images(docked) == []
    assert "no images yet" in project.run(docked, "images").out


def test_buildx_builds_when_the_job_has_it(docked: Place, project: Project):
    plugin = client("docker-buildx")
    workflow = f"""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: mkdir -p ~/.docker/cli-plugins && ln -s {plugin} ~/.docker/cli-plugins/docker-buildx
      - id: push
        uses: docker/build-push-action@v6
        with:
          context: .
          push: true
          tags: {project.image}:1
          no-cache: true
          secrets: "KEY=a secret of nine words that nobody else knows"
      - run: docker run --rm {project.image}@${{{{ steps.push.outputs.digest }}}} cat /counted
      - uses: docker/build-push-action@v6
        with:
          context: .
          outputs: type=local,dest=out
          secrets: KEY=short
          no-cache: true
      - run: cat out/counted
"""
    dockerfile = (
        f"FROM {project.base}\nRUN --mount=type=secret,id=KEY wc -w </run/secrets/KEY >/counted\n"
    )
    files = {".github/workflows/images.yml": workflow, "Dockerfile": dockerfile}
    sha = commit(project.root, files)
    done = project.run(docked, "run", "--plain")
    assert "build | 9" in done.out.splitlines()
    assert "build | 1" in done.out.splitlines()
    assert "github.com/docker/buildx" in done.out
    (found,) = project.images(docked)
    assert found["built"][0]["commit"] == sha
    assert found["built"][0]["base_name"] == project.base
