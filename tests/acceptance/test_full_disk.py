"""A disk that fills up while real clients upload: they soon end with an error, and nothing is left."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.test_artifact_clients import NEWEST, OLDEST, Client
from tests.acceptance.test_cache_clients import V1, V2, Machine
from tests.actions_services import RUN, job_of
from tests.actions_services import served as serve_actions
from tests.npm_packages import package
from tests.served_caches import job
from tests.served_caches import served as serve_caches

pytestmark = pytest.mark.registry
SIZE = "24m"
TOO_MUCH = 40_000_000
# No client may go on trying for longer (seconds); who is not told at all gives up after 300.
SOON = 240


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a small disk of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "trunkline-test", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        pytest.skip(f"a disk of its own can't be mounted (root alone may): {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], timeout=30, check=True)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Return a file that is larger than the disk, whatever packs it."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "large").write_bytes(os.urandom(TOO_MUCH))
    (folder / "small").write_bytes(b"small")
    return folder


def used(disk: Path) -> int:
    """Return how many bytes of a disk are used."""
    found = os.statvfs(disk)
    return (found.f_blocks - found.f_bfree) * found.f_frsize


def await_room(disk: Path, before: int) -> None:
    """Wait until a disk has as much room as before; what a request still writes goes with it."""
    end = time.monotonic() + SOON
    while used(disk) >= before + 100_000:
        assert time.monotonic() < end, f"{used(disk)} bytes are used, {before} were before"
        time.sleep(0.05)


@pytest.mark.parametrize("version", [NEWEST, OLDEST])
def test_an_artifact(disk: Path, large: Path, tmp_path: Path, version: str):
    package("@actions/artifact", version)  # not a part of what is measured
    with serve_actions(disk) as services:
        services.run(RUN)
        before = used(disk)
        client = Client(version, "20", services.open(job_of()), tmp_path)
        began = time.monotonic()
        failed, listed = client.ask(
            ["upload", "dist", str(large), {}, str(large / "large")],
            ["list"],
        )
        assert time.monotonic() - began < SOON
        assert "The disk is full" in str(failed["error"])
        assert listed == {"artifacts": []}
        assert services.stored == []
        services.services.close(job_of())
        await_room(disk, before)
        again = client._replace(access=services.open(job_of(number=2)))
        (made,) = again.ask(["upload", "dist", str(large), {}, str(large / "small")])
        assert made["size"]


@pytest.mark.parametrize(
    ("major", "protocol", "said"),
    [
        ("6", V2, "::warning::Failed to save: The disk is full."),
        # It shows no more of any answer, and tries twice; at a status where it does not, it closes
        # the file that its other chunks read, and crashes.
        ("4", V1, "::warning::Failed to save: uploadChunk (start: 0, end: 33554431) failed"),
    ],
)
def test_a_cache(disk: Path, large: Path, tmp_path: Path, major: str, protocol: str, said: str):
    package("@actions/cache", major)
    with serve_caches(disk) as services:
        machine = Machine(tmp_path / "machine", services)
        machine.write("large", (large / "large").read_bytes())
        before = used(disk)
        began = time.monotonic()
        told = machine.run(
            job(),
            [["saveCache", ["large"], "k"], ["restoreCache", ["large"], "k"]],
            major,
            protocol,
        )
        assert time.monotonic() - began < SOON
        assert told.results[1] is None
        assert said in told.log
        assert "Attempt 3" not in told.log
        services.end(job())
        await_room(disk, before)
