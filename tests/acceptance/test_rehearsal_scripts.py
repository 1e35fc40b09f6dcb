"""Scripts that speak to the engine themselves: what they push stays here, what they make goes."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import Done, Place, assert_no_traceback, missing
from tests.docker_engine import RUN_LABEL, Engine
from tests.ports import reserved_port
from tests.repositories import repository

# To a rehearsal any name but localhost is another machine's registry.
FAR = "127.0.0.3"
SCRIPT = """
      - name: Build and push
        run: |
          echo "$PASSWORD" | docker login --username ada --password-stdin {host}
          docker build --quiet --tag {image}:1 .
          docker tag {image}:1 {image}:2
          docker push {image}:1
          docker push --quiet {image}:2
        env:
          PASSWORD: ${{{{ secrets.PASSWORD }}}}
      - name: Tell the digest
        id: told
        run: >-
          docker inspect --format '{{{{ index .RepoDigests 0 }}}}' {image}:1 |
          sed s/^/name=/ >>$GITHUB_OUTPUT
      - name: Pull by digest and run
        run: |
          docker rmi {image}:1 {image}:2
          docker pull ${{{{ steps.told.outputs.name }}}}
          docker run --rm ${{{{ steps.told.outputs.name }}}}
      - name: Pull by tag and run
        run: docker run --rm {image}:2 cat /answer
      - name: Build on it
        run: |
          docker rmi --force {image}:2
          printf 'FROM {image}:1\\nRUN echo derived >/derived\\n' |
            docker build --pull --tag {image}:3 -
          docker run --rm {image}:3 cat /derived
      - name: Build on it by digest
        run: |
          docker rmi {image}:3 {image}:1
          printf 'ARG BASE\\nFROM $BASE\\nRUN echo pinned >/pinned\\n' |
            docker build --build-arg BASE=${{{{ steps.told.outputs.name }}}} --tag {image}:4 -
          docker run --rm {image}:4 cat /pinned
      - run: echo "login $(cat ~/.docker/config.json | tr -d '[:space:]')"
"""
LEAVING = """
      - run: |
          docker network create left-network-{token}
          docker volume create left-volume-{token}
          docker run --detach --name left-{token} --volume left-bind-{token}:/data \\
            --network left-network-{token} {base} sleep 1000
          docker run --detach --volume left-second-{token}:/data {base} sleep 1000
          docker create --mount source=left-mount-{token},target=/data {base}
          docker ps --quiet | wc -l | sed 's/^/running: /'
          docker volume ls --quiet | wc -l | sed 's/^/volumes: /'
          docker exec left-{token} echo heard
          echo fed | docker run --rm --interactive {base} cat
"""
# Tests beside each other must not share images: what one removes the other may be building on.
FILES = {
    "Dockerfile": "FROM {base}\nLABEL test={token}\nCOPY answer /\nCMD cat /answer\n",
    "answer": "42\n",
}


class Nobody:
    """A registry that must not be asked: it counts who comes, and says nothing."""

    def __init__(self) -> None:
        self._server = socket.create_server((FAR, 0))
        self.host = f"{FAR}:{self._server.getsockname()[1]}"
        self.visitors = 0
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.visitors += 1
            connection.close()

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()


@pytest.fixture
def nobody() -> Iterator[Nobody]:
    found = Nobody()
    yield found
    found.close()


@pytest.fixture
def image(engine: Engine, nobody: Nobody) -> Iterator[str]:
    """Yield the name of an image in a registry that must not be asked."""
    name = f"{nobody.host}/octo/image-{uuid.uuid1().hex[:12]}"
    yield name
    tags = engine.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", name).split()
    if tags:
        engine.docker("rmi", *sorted(tags, reverse=True))


def job(steps: str, container: str = "") -> str:
    """Return a workflow of one job."""
    return (
        "name: CI\non: push\njobs:\n  push:\n    runs-on: ubuntu-latest\n"
        f"    timeout-minutes: 5\n{container}    steps:\n      - uses: actions/checkout@v4\n{steps}"
    )


def run(place: Place, workflow: str, base: str, *args: str) -> Done:
    """Run a workflow to its end."""
    token = uuid.uuid1().hex
    files = {name: text.format(base=base, token=token) for name, text in FILES.items()}
    root = repository(place.root / "demo", {".github/workflows/ci.yml": workflow, **files})
    done = place.run("run", "--plain", "-s", "PASSWORD=engine", *args, cwd=root)
    assert_no_traceback(done)
    return done


def in_container(base: str) -> str:
    """Return a job's container that has Docker's client (a program without libraries)."""
    client = shutil.which("docker") or ""
    return f"    container:\n      image: {base}\n      volumes: ['{client}:/bin/docker:ro']\n"


@pytest.mark.parametrize("where", ["host", "container"])
def test_a_script_s_push_stays_here_and_is_found_again(
    docked: Place, busybox_image: str, nobody: Nobody, image: str, where: str
):
    container = in_container(busybox_image) if where == "container" else ""
    workflow = job(SCRIPT.format(host=nobody.host, image=image), container)
    done = run(docked, workflow, busybox_image)
    assert done.code == 0, done.text
    kept = f"{nobody.host.replace(':', '_')}/{image.partition('/')[2]}"
    lines = [
        f"push | Login Succeeded (rehearsal: {nobody.host} was not asked)",
        f"push | The push refers to repository [{image}]",
        "push | 1: digest: sha256:… size: …",
        f"push | Rehearsal: pushed to the local registry as {kept}:1 (sha256:…), not to {nobody.host}; --publish sends it there",
        f"push | {image}@sha256:…: Pulling from {image.partition('/')[2]}",
        f"push | Rehearsal: taken from the local registry as {kept}@sha256:…, not from …",
        "push | 42",
        "push | 42",
        "push | derived",
        "push | pinned",
    ]
    assert not missing(lines, done.out.splitlines()), done.out
    assert nobody.visitors == 0
    listed = docked.run("images", "--json", cwd=docked.root / "demo").out.splitlines()
    assert {(kept, "1"), (kept, "2")} == {
        (found["repository"], found["tag"]) for found in map(json.loads, listed)
    }


def test_podman_s_pushes_stay_here_and_are_found_again(
    place: Place, podman: Engine, podman_busybox: str, nobody: Nobody
):
    place.env["DOCKER_HOST"] = podman.host
    image = f"{nobody.host}/octo/image-{uuid.uuid1().hex[:12]}"
    done = run(place, job(SCRIPT.format(host=nobody.host, image=image)), podman_busybox)
    assert done.code == 0, done.text
    kept = f"{nobody.host.replace(':', '_')}/{image.partition('/')[2]}"
    lines = [
        f"push | Rehearsal: pushed to the local registry as {kept}:1 (sha256:…), not to …",
        f"push | Rehearsal: taken from the local registry as {kept}@sha256:…, not from …",
        "push | 42",
        "push | 42",
        "push | derived",
        "push | pinned",
    ]
    assert not missing(lines, done.out.splitlines()), done.out
    assert nobody.visitors == 0
    assert not podman.owned()


def test_a_job_s_files_hold_no_password(
    docked: Place, busybox_image: str, nobody: Nobody, image: str
):
    done = run(docked, job(SCRIPT.format(host=nobody.host, image=image)), busybox_image)
    told = next(line for line in done.out.splitlines() if "| login {" in line)
    logins = json.loads(told.partition("login ")[2])["auths"]
    # It is known there, and asks without credentials.
    assert logins[nobody.host] == {}


@pytest.mark.parametrize("where", ["host", "container"])
def test_nothing_is_left_of_what_a_script_makes(
    docked: Place, engine: Engine, busybox_image: str, where: str
):
    token = uuid.uuid1().hex[:12]
    container = in_container(busybox_image) if where == "container" else ""
    workflow = job(LEAVING.format(token=token, base=busybox_image), container)
    done = run(docked, workflow, busybox_image)
    assert done.code == 0, done.text
    running = 2 if where == "host" else 3
    wanted = [f"push | running: {running}", "push | volumes: 4", "push | heard", "push | fed"]
    assert not missing(wanted, done.out.splitlines()), done.out
    assert not [name for name in engine.owned() if token in name]
    listed = engine.docker("volume", "ls", "--quiet") + engine.docker("network", "ls", "--quiet")
    assert token not in listed


def test_the_job_s_own_folders_are_found_by_containers_that_it_starts(
    docked: Place, busybox_image: str
):
    steps = f"""
      - run: |
          echo written >here
          docker run --rm --volume "$PWD:/src" {busybox_image} cat /src/here
          docker run --rm --volume /var/run/docker.sock:/s {busybox_image} test -S /s
          docker run --rm --mount type=bind,source=$GITHUB_WORKSPACE,target=/src \\
            {busybox_image} sh -c 'echo back >/src/back'
          cat back
"""
    for container in ("", in_container(busybox_image)):
        done = run(docked, job(steps, container), busybox_image)
        assert done.code == 0, done.text
        wanted = ["push | written", "push | back"]
        assert not missing(wanted, done.out.splitlines()), done.out
        shutil.rmtree(docked.root / "demo")


def test_pruning_takes_what_is_the_job_s_alone(docked: Place, engine: Engine, busybox_image: str):
    token = uuid.uuid1().hex[:12]
    engine.docker("volume", "create", f"mine-{token}")
    mine = engine.docker("create", "--name", f"mine-{token}", busybox_image)
    steps = f"""
      - run: |
          docker volume create its-{token}
          docker system prune --all --force --volumes
          docker ps --all --quiet | wc -l | sed 's/^/left: /'
"""
    try:
        done = run(docked, job(steps), busybox_image)
        assert done.code == 0, done.text
        assert "push | left: 0" in done.out
        assert f"mine-{token}" in engine.docker("volume", "ls", "--quiet")
        assert engine.docker("inspect", "--format", "{{.Id}}", mine) == mine
        assert engine.docker("image", "ls", "--quiet", busybox_image)
    finally:
        engine.docker("rm", mine)
        engine.docker("volume", "rm", f"mine-{token}")


@pytest.mark.usefixtures("killed_engines")
def test_what_a_killed_engine_s_scripts_made_goes_with_the_next_run(
    docked: Place, engine: Engine, busybox_image: str
):
    token = uuid.uuid1().hex[:12]
    leaving = LEAVING.format(token=token, base=busybox_image)
    steps = f"{leaving}      - run: echo made; exec sleep 300\n"
    files = {".github/workflows/ci.yml": job(steps), "Dockerfile": "", "answer": ""}
    root = repository(docked.root / "demo", files)
    with docked.start("run", "--plain", cwd=root) as process:
        assert process.stdout is not None
        said = iter(process.stdout.readline, b"")
        # Nothing is being made any more, which a sweep could miss.
        assert any(b"| made" in line for line in said)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    assert [name for name in engine.owned() if token in name]
    (root / ".github/workflows/ci.yml").write_text(job("      - run: echo again\n"))
    assert docked.run("run", "--plain", cwd=root).code == 0
    assert not [name for name in engine.owned() if token in name]
    runs = [engine.owned(f"{RUN_LABEL}={run_id}") for run_id in docked.runs()]
    assert not any(runs)


def test_a_push_of_something_that_is_not_there_fails_as_docker_s(
    docked: Place, busybox_image: str, nobody: Nobody
):
    steps = f"      - run: docker push {nobody.host}/octo/nothing:1\n"
    done = run(docked, job(steps), busybox_image)
    assert done.code == 1, done.text
    wanted = f"push | An image does not exist locally with the tag: {nobody.host}/octo/nothing"
    assert wanted in done.out
    assert nobody.visitors == 0


@pytest.fixture
def port() -> Iterator[int]:
    """Yield a port that only the registry asks for."""
    with reserved_port() as found:
        yield found


def test_a_registry_of_the_user_s_own_gets_what_is_pushed_to_it(
    docked: Place, busybox_image: str, engine: Engine, tmp_path: Path, port: int
):
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("Debian's docker-registry is not installed")
    name = f"octo/image-{uuid.uuid1().hex[:12]}"
    config = tmp_path / "registry.yml"
    settings = {
        "version": "0.1",
        "log": {"level": "error"},
        "http": {"addr": f"127.0.0.1:{port}"},
        "storage": {"filesystem": {"rootdirectory": str(tmp_path / "registry")}},
    }
    config.write_text(json.dumps(settings), encoding="utf-8")
    steps = f"""
      - run: |
          # Podman's variable is a setting of this program as well.
          env -u REGISTRY_AUTH_FILE {program} serve {config} &
          until (exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null; do sleep 0.1; done
          docker build --quiet --tag localhost:{port}/{name}:1 .
          docker push localhost:{port}/{name}:1
          docker rmi localhost:{port}/{name}:1
          docker pull localhost:{port}/{name}:1
"""
    try:
        done = run(docked, job(steps), busybox_image)
    finally:
        engine.forget(f"localhost:{port}/{name}")
    assert done.code == 0, done.text
    assert "Rehearsal" not in done.out
    assert f"push | The push refers to repository [localhost:{port}/{name}]" in done.out
    assert (tmp_path / "registry/docker/registry/v2/repositories" / name).is_dir()
