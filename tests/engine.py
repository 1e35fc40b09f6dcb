"""A Docker Engine for tests: its client, images made here, and proof that nothing is left on it.

Where no engine answers, tests are skipped with the reason; with TRUNKLINE_REQUIRE_CONTAINERS set,
as in continuous integration, they fail instead.
"""

from __future__ import annotations

import fcntl
import functools
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.images import BUILDERS, Lacking, recipe

DEFAULT_HOST = "unix:///var/run/docker.sock"
# Every container, network and volume of a job carries these labels.
LABEL = "trunkline.job"
RUN_LABEL = "trunkline.run"
PREFIX = "trunkline-test"


class Engine:
    """A Docker Engine that answers at `host`, spoken to by Docker's own client."""

    def __init__(self, host: str) -> None:
        self.host = host

    def docker(self, *args: str, patience: float = 120) -> str:
        """Run a command of the client; return what it prints. Fails the test when it fails."""
        argv = ["docker", "--host", self.host, *args]
        done = subprocess.run(argv, check=False, capture_output=True, timeout=patience)
        assert done.returncode == 0, f"{argv}: {done.stderr.decode(errors='replace')}"
        return done.stdout.decode().strip()

    def image(self, name: str) -> str:
        """Return the tag of an image that `tests.images` tells how to make, made when missing."""
        tag = f"{PREFIX}/{name}:{recipe()}"
        with locked(f"image-{name}"):
            if not self.docker("image", "ls", "--quiet", tag):
                self._make(name, tag)
        return tag

    def _make(self, name: str, tag: str) -> None:
        try:
            tarball, changes = BUILDERS[name](cache_folder())
        except Lacking as lack:
            lacking(str(lack))
        else:
            told = [word for change in changes for word in ("--change", change)]
            self.docker("import", *told, str(tarball), tag)

    def owned(self, label: str = LABEL) -> set[str]:
        """Return what carries a label (`name` or `name=value`): `container NAME`, `volume NAME`."""
        label = f"label={label}"
        containers = self.docker("ps", "--all", "--filter", label, "--format", "{{.Names}}")
        networks = self.docker("network", "ls", "--filter", label, "--format", "{{.Name}}")
        volumes = self.docker("volume", "ls", "--filter", label, "--format", "{{.Name}}")
        listed = {"container": containers, "network": networks, "volume": volumes}
        return {f"{kind} {name}" for kind, names in listed.items() for name in names.split()}


@functools.cache
def engine_trouble() -> str:
    """Return why tests have no Docker Engine, '' when one answers."""
    if shutil.which("docker") is None:
        return "Docker's client is not installed"
    argv = ["docker", "version", "--format", "{{.Server.Version}}"]
    try:
        done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=20)
    except subprocess.TimeoutExpired:
        return "the Docker Engine gave no answer in 20 seconds"
    told = done.stderr.strip().splitlines() or ["docker says nothing"]
    return told[-1] if done.returncode else ""


def lacking(what: str) -> None:
    """Skip the test that asked, or fail it where containers are required."""
    if os.environ.get("TRUNKLINE_REQUIRE_CONTAINERS"):
        pytest.fail(f"containers are required here, but {what}", pytrace=False)
    pytest.skip(f"no containers here: {what}")


def cache_folder() -> Path:
    """Return where what takes long to make is kept between test runs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    folder = Path(base, "trunkline-tests")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Let one process at a time do what `name` stands for."""
    with (cache_folder() / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


# --- fixtures ---------------------------------------------------------------------------


@pytest.fixture(scope="session")
def engine() -> Engine:
    """Return a Docker Engine that answers."""
    if trouble := engine_trouble():
        lacking(trouble)
    return Engine(os.environ.get("DOCKER_HOST") or DEFAULT_HOST)


@pytest.fixture(scope="session")
def docker_host(engine: Engine) -> str:
    """Return the address of a Docker Engine that answers."""
    return engine.host


@pytest.fixture(scope="session")
def busybox_image(engine: Engine) -> str:
    """Return a small image: busybox with all its applets, a root user, /tmp. It has no bash."""
    return engine.image("busybox")


@pytest.fixture(scope="session")
def debian_image(engine: Engine) -> str:
    """Return an image of Debian's smallest system with bash and what node needs to run."""
    return engine.image("debian")


@pytest.fixture(scope="session")
def redis_image(engine: Engine) -> str:
    """Return an image of Debian's Redis: it serves on 6379 and has `redis-cli`."""
    return engine.image("redis")


@pytest.fixture(scope="session")
def postgres_image(engine: Engine) -> str:
    """Return an image of Debian's PostgreSQL on 5432, told by the variables of Docker Hub's.

    POSTGRES_PASSWORD is needed; POSTGRES_USER and POSTGRES_DB are honoured; it has `pg_isready`
    and `psql`.
    """
    return engine.image("postgres")


@pytest.fixture
def no_leftovers(engine: Engine) -> Iterator[None]:
    """Assert that the test leaves no container, network or volume of a job on the engine."""
    before = engine.owned()
    yield
    assert engine.owned() - before == set()
