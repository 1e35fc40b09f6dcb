"""A rehearsal sends nothing to another registry, whatever its steps do; with --publish it does."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from tests.commands import Done, Place, assert_no_traceback, missing
from tests.docker_engine import Engine
from tests.engine import needed
from tests.images import Lacking
from tests.ports import await_listener, reserved_port
from tests.repositories import repository

WORKFLOW = """
name: Elsewhere
on: push
env:
  REGISTRY: {registry}
jobs:
  push:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Log in
        uses: docker/login-action@v3
        with:
          registry: ${{{{ env.REGISTRY }}}}
          username: ada
          password: ${{{{ secrets.PASSWORD }}}}
      - name: Build and push
        id: built
        uses: docker/build-push-action@v6
        with:
          context: .
          push: true
          tags: ${{{{ env.REGISTRY }}}}/{name}:built
      - run: echo "digest ${{{{ steps.built.outputs.digest }}}}"
"""
BY_HAND = """
name: By hand
on: push
env:
  REGISTRY: {registry}
jobs:
  push:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: echo "$PASSWORD" | docker login --username ada --password-stdin $REGISTRY
        env:
          PASSWORD: ${{{{ secrets.PASSWORD }}}}
      - run: docker build -t $REGISTRY/{name}:by-hand .
      - run: docker push $REGISTRY/{name}:by-hand
"""
BY_DIGEST = """
  inside:
    needs: push
    runs-on: ubuntu-latest
    container: {image}
    steps:
      - run: cat /answer
  beside:
    needs: push
    runs-on: ubuntu-latest
    services:
      built:
        image: {image}
        command: sh -c 'cat /answer && sleep 600'
    steps:
      - run: until docker logs ${{{{ job.services.built.id }}}} | grep 42; do sleep 0.1; done
"""
# Any loopback address but 127.0.0.1 is another machine to a rehearsal.
FAR = "127.0.0.2"
# The password is `engine`.
USERS = "ada:$2b$04$/Kg99NboNNRj5mn5iFGoX.q6bBhL5UqiVEm.H8rqF/vY3dUiud.Km\n"
ADA = "YWRhOmVuZ2luZQ=="


class Remote:
    """Debian's registry on an address that a rehearsal takes for another machine's."""

    def __init__(self, address: str) -> None:
        self.address = address

    def tags(self, name: str) -> list[str]:
        """Return the tags of a repository, none of one that is not there."""
        url = f"http://{self.address}/v2/{name}/tags/list"
        request = urllib.request.Request(url, headers={"Authorization": f"Basic {ADA}"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return sorted(json.load(answer)["tags"] or [])
        except urllib.error.HTTPError as error:
            with error:
                return [] if error.code == HTTPStatus.NOT_FOUND else [f"status {error.code}"]


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Remote]:
    program = shutil.which("docker-registry") or ""
    with needed():
        if not program:
            raise Lacking("Debian's docker-registry is not installed")
    config, quiet = tmp_path / "registry.yml", subprocess.DEVNULL
    with reserved_port(FAR) as port:
        config.write_text(json.dumps(remote_settings(tmp_path, port)), encoding="utf-8")
        argv = [program, "serve", str(config)]
        with subprocess.Popen(argv, stdout=quiet, stderr=quiet) as process:
            try:
                await_listener(port, process, FAR)
                yield Remote(f"{FAR}:{port}")
            finally:
                process.terminate()


def remote_settings(folder: Path, port: int) -> dict[str, Any]:
    """Return what a registry is told that keeps all below a folder."""
    (folder / "users").write_text(USERS, encoding="utf-8")
    return {
        "version": "0.1",
        "log": {"level": "error"},
        "http": {"addr": f"{FAR}:{port}"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "registry")}},
        "auth": {"htpasswd": {"realm": "test", "path": str(folder / "users")}},
    }


@pytest.fixture
def name(engine: Engine, remote: Remote) -> Iterator[str]:
    """Yield the name of an image that no other test has."""
    found = f"octo/image-{uuid.uuid1().hex[:12]}"
    yield found
    engine.forget(f"{remote.address}/{found}")


def run(place: Place, workflow: str, image: str, *args: str) -> Done:
    files = {
        ".github/workflows/push.yml": workflow,
        # Tests beside each other must not share layers: what one removes the other may be building on.
        "Dockerfile": f"FROM {image}\nLABEL test={uuid.uuid1()}\nCOPY answer /\nCMD cat /answer\n",
        "answer": "42\n",
    }
    root = repository(place.root / "demo", files)
    done = place.run("run", "--plain", "-s", "PASSWORD=engine", *args, cwd=root)
    assert_no_traceback(done)
    return done


@pytest.mark.parametrize(("workflow", "tag"), [(WORKFLOW, "built"), (BY_HAND, "by-hand")])
def test_a_rehearsal_s_push_stays_here_under_the_same_name(
    docked: Place, busybox_image: str, remote: Remote, name: str, workflow: str, tag: str
):
    text = workflow.format(registry=remote.address, name=name)
    done = run(docked, text, busybox_image)
    assert done.code == 0, done.text
    assert remote.tags(name) == []
    kept = f"{remote.address.replace(':', '_')}/{name}"
    listed = docked.run("images", cwd=docked.root / "demo").out
    assert kept in listed
    assert tag in listed
    assert kept in done.out, done.out


@pytest.mark.parametrize(("workflow", "tag"), [(WORKFLOW, "built"), (BY_HAND, "by-hand")])
def test_publish_sends_it_there_with_the_credentials_given(
    docked: Place, busybox_image: str, remote: Remote, name: str, workflow: str, tag: str
):
    text = workflow.format(registry=remote.address, name=name)
    done = run(docked, text, busybox_image, "--publish")
    assert done.code == 0, done.text
    assert remote.tags(name) == [tag]


def test_publish_with_wrong_credentials_is_denied_and_told(
    docked: Place, busybox_image: str, remote: Remote, name: str
):
    text = WORKFLOW.format(registry=remote.address, name=name)
    done = run(docked, text, busybox_image, "--publish", "-s", "PASSWORD=wrong")
    assert done.code == 1, done.text
    assert not missing(["push: failure in …, in step … 'Log in'…"], done.out.splitlines()), done.out
    assert remote.tags(name) == []


def test_what_was_pushed_runs_by_its_digest_in_the_next_jobs(
    docked: Place, busybox_image: str, remote: Remote, name: str
):
    text = WORKFLOW.format(registry=remote.address, name=name)
    text = text.replace(
        "    steps:\n",
        "    outputs: {digest: '${{ steps.built.outputs.digest }}'}\n    steps:\n",
    )
    image = f"{remote.address}/{name}@${{{{ needs.push.outputs.digest }}}}"
    done = run(docked, text + BY_DIGEST.format(image=image), busybox_image)
    assert done.code == 0, done.text
    assert {"inside | 42", "beside | 42"} <= set(done.out.splitlines()), done.out
    assert remote.tags(name) == []
