"""A Docker Engine spoken to by its own client, and the images that tests and benchmarks run on it."""

from __future__ import annotations

import fcntl
import functools
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.images import BUILDERS, Lacking, recipe

DEFAULT_HOST = "unix:///var/run/docker.sock"
# Every container, network and volume of a job carries these labels.
LABEL = "trunkline.job"
RUN_LABEL = "trunkline.run"
PREFIX = "trunkline-test"
# What images of Docker actions are named.
ACTIONS = "trunkline-action/*"
ALONE = "alone"
PATIENCE = 60


class Engine:
    """A Docker Engine that answers at `host`, spoken to by Docker's own client."""

    def __init__(self, host: str) -> None:
        self.host = host

    def docker(self, *args: str, patience: float = 300) -> str:
        """Run a command of the client; return what it prints. Raises AssertionError if it fails."""
        argv = ["docker", "--host", self.host, *args]
        done = subprocess.run(argv, check=False, capture_output=True, timeout=patience)
        assert done.returncode == 0, f"{argv}: {done.stderr.decode(errors='replace')}"
        return done.stdout.decode().strip()

    def image(self, name: str) -> str:
        """Return the tag of an image that `tests.images` tells how to make, made when missing.

        Raises Lacking when this machine does not have what it is made of.
        """
        tag = f"{PREFIX}/{name}:{recipe()}"
        with locked(f"image-{name}"):
            if not self.docker("image", "ls", "--quiet", tag):
                self._make(name, tag)
        return tag

    def _make(self, name: str, tag: str) -> None:
        tarball, changes = BUILDERS[name](cache_folder())
        told = [word for change in changes for word in ("--change", change)]
        self.docker("import", *told, str(tarball), tag)

    @contextmanager
    def named(self, image: str, name: str) -> Iterator[None]:
        """Give an image the name that a workflow uses; nobody else has it meanwhile.

        An image that had the name before has it again afterwards.
        """
        with locked(name.replace("/", "_").replace(":", "_")):
            before = self.docker("image", "ls", "--quiet", "--no-trunc", name)
            self.docker("tag", image, name)
            try:
                yield
            finally:
                self.docker("tag", before, name) if before else self.docker("rmi", name)

    def untag(self, name: str) -> None:
        """Take a name from an image, which goes with its last one."""
        self.docker("rmi", name)

    def forget(self, repository: str, label: str = "") -> None:
        """Take a repository's names from its images, and remove those with a label that have none.

        An image goes with its last name: a test beside us may have given it another one.
        """
        form = "{{.Repository}}:{{.Tag}} {{.Repository}}@{{.Digest}}"
        while names := self.docker(
            "image", "ls", "--digests", "--format", form, repository
        ).split():
            self.docker("rmi", "--force", next(name for name in names if "<none>" not in name))
        if label:
            with locked("image-prune"):  # the engine prunes once at a time, and refuses a second
                self.docker("image", "prune", "--force", "--filter", f"label={label}")

    def action_images(self) -> set[str]:
        """Return the names of the images that were built for Docker actions."""
        listed = ("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", ACTIONS)
        return set(self.docker(*listed).split())

    def forget_actions(self, kept: set[str]) -> None:
        """Remove the images that were built for Docker actions, but for those to be kept.

        What a test beside us removes by itself is left to it: it is named after ALONE.
        """
        names = self.action_images() - kept
        for name in (name for name in names if f"/{ALONE}-" not in name):
            with suppress(AssertionError):  # another worker has removed it
                self.docker("rmi", name)

    def owned(self, label: str = LABEL) -> set[str]:
        """Return what carries a label (`name` or `name=value`): `container NAME`, `volume NAME`."""
        label = f"label={label}"
        containers = self.docker("ps", "--all", "--filter", label, "--format", "{{.Names}}")
        networks = self.docker("network", "ls", "--filter", label, "--format", "{{.Name}}")
        volumes = self.docker("volume", "ls", "--filter", label, "--format", "{{.Name}}")
        listed = {"container": containers, "network": networks, "volume": volumes}
        return {f"{kind} {name}" for kind, names in listed.items() for name in names.split()}


@functools.cache
def found() -> Engine:
    """Return the engine at DOCKER_HOST or at the usual socket. Raises Lacking when none answers."""
    if trouble := _trouble():
        raise Lacking(trouble)
    return Engine(os.environ.get("DOCKER_HOST") or DEFAULT_HOST)


def _trouble() -> str:
    if shutil.which("docker") is None:
        return "Docker's client is not installed"
    argv = ["docker", "version", "--format", "{{.Server.Version}}"]
    try:
        done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return f"the Docker Engine gave no answer in {PATIENCE} seconds"
    told = done.stderr.strip().splitlines() or ["docker says nothing"]
    return told[-1] if done.returncode else ""


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
