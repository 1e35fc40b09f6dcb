"""What some actions need around them: Buildx for Docker's client, an AWS on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.aws import served_cloud
from tests.sid_clients import client


def surroundings(name: str, scratch: Path) -> AbstractContextManager[tuple[str, ...]]:
    """Return what has a surrounding for a while ('' needs none), and gives options of a run."""
    return SURROUNDINGS[name](scratch)


@contextmanager
def _none(_scratch: Path) -> Iterator[tuple[str, ...]]:
    yield ()


@contextmanager
def _buildx(scratch: Path) -> Iterator[tuple[str, ...]]:
    """Give Docker's client Debian's Buildx, in a configuration of its own."""
    folder = scratch / "docker"
    plugin = folder / "cli-plugins" / "docker-buildx"
    if not plugin.exists():
        plugin.parent.mkdir(parents=True)
        plugin.symlink_to(client("docker-buildx"))
    os.environ["DOCKER_CONFIG"] = str(folder)
    yield ("--pass-env", "DOCKER_CONFIG")
    del os.environ["DOCKER_CONFIG"]


@contextmanager
def _aws(_scratch: Path) -> Iterator[tuple[str, ...]]:
    with served_cloud() as address:
        yield ("--env", f"AWS_ENDPOINT_URL={address}")


SURROUNDINGS: Mapping[str, Callable[[Path], AbstractContextManager[tuple[str, ...]]]] = {
    "": _none,
    "aws": _aws,
    "buildx": _buildx,
}
