"""The images that tests run do what tests expect of them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import pytest

from tests.docker_engine import Engine


@pytest.fixture
def container(engine: Engine) -> Iterator[str]:
    """Yield a container's name; remove the container afterwards."""
    name = f"trunkline-test-{uuid.uuid1()}"
    yield name
    engine.docker("rm", "--force", "--volumes", name)


def until(engine: Engine, *command: str) -> str:
    """Run a command until it succeeds; return what it prints."""
    deadline = time.monotonic() + 120
    while True:
        try:
            return engine.docker(*command)
        except AssertionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def test_busybox_has_a_shell_and_no_bash(engine: Engine, busybox_image: str):
    script = "id -un; test -e /bin/bash || echo no bash; stat -c %a /tmp; /usr/bin/env | grep PATH"
    told = engine.docker("run", "--rm", busybox_image, "sh", "-ec", script)
    assert told.split("\n")[:3] == ["root", "no bash", "1777"]


def test_debian_has_bash_and_what_node_needs(engine: Engine, debian_image: str):
    script = "bash -c 'echo $((6 * 7))'; ls /usr/lib/*/libstdc++.so.6; cat /etc/debian_version"
    told = engine.docker("run", "--rm", debian_image, "sh", "-ec", script)
    assert told.startswith("42\n/usr/lib/")


def test_redis_serves(engine: Engine, redis_image: str, container: str):
    engine.docker("run", "--detach", "--name", container, redis_image)
    assert until(engine, "exec", container, "redis-cli", "ping") == "PONG"
    assert engine.docker("exec", container, "redis-cli", "set", "colour", "green") == "OK"
    assert engine.docker("exec", container, "redis-cli", "get", "colour") == "green"


def test_postgres_serves_whom_it_is_told(engine: Engine, postgres_image: str, container: str):
    told = {"POSTGRES_USER": "ada", "POSTGRES_PASSWORD": "engine", "POSTGRES_DB": "notes"}
    env = [word for name, value in told.items() for word in ("--env", f"{name}={value}")]
    engine.docker("run", "--detach", "--name", container, *env, postgres_image)
    until(engine, "exec", container, "pg_isready", "-h", "localhost")
    query = ["psql", "postgresql://ada:engine@localhost/notes", "-Atc", "select 6 * 7"]
    assert engine.docker("exec", container, *query) == "42"
    query[1] = "postgresql://ada:wrong@localhost/notes"
    with pytest.raises(AssertionError, match="password authentication failed"):
        engine.docker("exec", container, *query)


def test_podman_speaks_as_an_engine(podman: Engine, podman_busybox: str):
    assert podman.docker("run", "--rm", podman_busybox, "echo", "it runs") == "it runs"
