"""The clients that actions have, @actions/cache in three majors, against our cache service."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.commands import Place
from tests.npm_packages import node, package
from tests.repositories import git, repository
from tests.served_caches import ServedCaches, job, served
from trunkline.ports.job_services import ServicesJob

pytestmark = pytest.mark.registry
CLIENT = Path(__file__).with_name("cache_client.mjs")
PATIENCE = 300
MAJORS = ("6", "5", "4")
V1, V2 = "v1", "v2"
# The newest and the oldest speak for all; the other majors follow in `make test-long`.
CLIENTS = [
    pytest.param(
        major,
        protocol,
        id=f"{major}-{protocol}",
        marks=() if (major, protocol) in {("6", V2), ("4", V1)} else pytest.mark.long,
    )
    for major in MAJORS
    for protocol in (V2, V1)
]


class Told(NamedTuple):
    """What a client's calls returned, and what it said meanwhile."""

    results: list[Any]
    log: str


class Machine:
    """A job's folders, and the client in it."""

    def __init__(self, root: Path, services: ServedCaches) -> None:
        self.workspace = root / "work"
        self.temp = root / "temp"
        self.services = services
        for folder in (self.workspace, self.temp):
            folder.mkdir(parents=True)

    def write(self, name: str, content: bytes) -> None:
        path = self.workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def run(
        self,
        made_by: ServicesJob,
        operations: Sequence[Sequence[Any]],
        major: str = MAJORS[0],
        protocol: str = V2,
        runtime: str = "20",
    ) -> Told:
        """Let a job's action call the client; the job goes on."""
        env = {
            **self.services.begin(made_by),
            "PATH": os.environ["PATH"],
            "HOME": str(self.temp),
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REF": made_by.scopes[0],
        }
        if protocol == V1:
            del env["ACTIONS_CACHE_SERVICE_V2"]
        folder = package("@actions/cache", major)
        done = subprocess.run(
            [node(runtime), CLIENT, folder, json.dumps(operations)],
            cwd=self.workspace,
            env=env,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        *log, last = done.stdout.splitlines()
        return Told(json.loads(last), "\n".join(log))


@pytest.fixture
def services(tmp_path: Path) -> Iterator[ServedCaches]:
    with served(tmp_path / "state") as found:
        yield found
        assert list((tmp_path / "state" / "uploads").glob("*")) == []


@pytest.fixture
def machine(tmp_path: Path, services: ServedCaches) -> Machine:
    return Machine(tmp_path / "machine", services)


@pytest.mark.parametrize("runtime", ["20", "24"])
@pytest.mark.parametrize(("major", "protocol"), CLIENTS)
def test_a_cache_and_its_life(machine: Machine, major: str, protocol: str, runtime: str) -> None:
    machine.write("data/a.txt", b"kept")
    told = machine.run(
        job(),
        [
            ["restoreCache", ["data"], "deps-1", ["deps-"]],
            ["saveCache", ["data"], "deps-1"],
            ["saveCache", ["data"], "deps-1"],
            ["remove", "data"],
            ["restoreCache", ["data"], "deps-1"],
            ["restoreCache", ["data"], "deps-2", ["none-", "deps-"]],
            ["restoreCache", ["data"], "deps-1", [], {"lookupOnly": True}],
            ["restoreCache", ["other"], "deps-1"],
        ],
        major,
        protocol,
        runtime,
    )
    missed, number, again, *restored = told.results
    (entry,) = machine.services.store.entries("octo/demo")
    assert (missed, number, again) == (None, int(entry.id), -1)
    assert restored == ["deps-1", "deps-1", "deps-1", None]
    assert (machine.workspace / "data/a.txt").read_bytes() == b"kept"
    assert "Unable to reserve cache with key deps-1" in told.log
    assert "::warning" not in told.log
    machine.services.end(job())


@pytest.mark.parametrize("protocol", [V2, V1])
def test_both_versions_of_the_service_have_the_same_caches(machine: Machine, protocol: str) -> None:
    machine.write("data/a.txt", b"kept")
    machine.run(job(), [["saveCache", ["data"], "k"]], protocol=protocol)
    other = V1 if protocol == V2 else V2
    told = machine.run(job(), [["restoreCache", ["data"], "k"]], protocol=other)
    assert told.results == ["k"]


@pytest.mark.parametrize("protocol", [V2, pytest.param(V1, marks=pytest.mark.long)])
def test_a_change_finds_its_branches_caches_and_hides_its_own(
    machine: Machine, protocol: str
) -> None:
    main, change = job("refs/heads/main"), job("refs/pull/7/merge", "refs/heads/main", number=2)
    machine.write("data/a.txt", b"of main")
    machine.run(main, [["saveCache", ["data"], "k"]], protocol=protocol)
    machine.write("data/a.txt", b"of the change")
    told = machine.run(
        change, [["restoreCache", ["data"], "k"], ["saveCache", ["data"], "own"]], protocol=protocol
    )
    assert told.results[0] == "k"
    assert told.results[1] > 0
    assert (machine.workspace / "data/a.txt").read_bytes() == b"of main"
    lookup: list[list[Any]] = [["restoreCache", ["data"], "own", [], {"lookupOnly": True}]]
    assert machine.run(change, lookup, protocol=protocol).results == ["own"]
    assert machine.run(main, lookup, protocol=protocol).results == [None]


@pytest.mark.parametrize(("major", "protocol"), CLIENTS)
def test_a_job_that_is_not_trusted_reads_alone(machine: Machine, major: str, protocol: str) -> None:
    machine.write("data/a.txt", b"kept")
    machine.run(job(), [["saveCache", ["data"], "k"]], major, protocol)
    stranger = job(number=2, cache_mode="read")
    calls = [["restoreCache", ["data"], "k"], ["saveCache", ["data"], "poison"]]
    told = machine.run(stranger, calls, major, protocol)
    assert told.results == ["k", -1]
    assert "cache with key poison" in told.log
    if major == MAJORS[0]:
        assert "::warning::Failed to save: Unable to reserve cache with key poison" in told.log
        assert (
            "cache write denied: the effective cache-mode 'read' does not permit writes."
            in told.log
        )
    assert len(machine.services.store.entries("octo/demo")) == 1


@pytest.mark.parametrize(("major", "protocol"), CLIENTS)
def test_a_job_that_may_not_read_misses(machine: Machine, major: str, protocol: str) -> None:
    machine.write("data/a.txt", b"kept")
    machine.run(job(), [["saveCache", ["data"], "k"]], major, protocol)
    blind = job(number=2, cache_mode="write-only")
    calls = [["restoreCache", ["data"], "k"], ["saveCache", ["data"], "fresh"]]
    told = machine.run(blind, calls, major, protocol)
    assert told.results[0] is None
    assert told.results[1] != -1
    assert len(machine.services.store.entries("octo/demo")) == 2


def test_when_the_job_has_ended_nothing_is_had(machine: Machine) -> None:
    machine.write("data/a.txt", b"kept")
    machine.run(job(), [["saveCache", ["data"], "k"]])
    ended = job(number=2)
    begin = machine.services.begin

    def begin_and_end(made: ServicesJob) -> dict[str, str]:
        env = begin(made)
        machine.services.end(made)
        return env

    machine.services.begin = begin_and_end  # type: ignore[method-assign]
    told = machine.run(ended, [["restoreCache", ["data"], "k"], ["saveCache", ["data"], "k2"]])
    assert told.results == [None, -1]
    assert "the job of this token has ended" in told.log


@pytest.mark.long
@pytest.mark.parametrize("protocol", [V2, V1])
def test_a_large_cache_in_parallel_parts(machine: Machine, protocol: str) -> None:
    large = b"".join(os.urandom(1 << 20) for _ in range(150))  # v2: 3 blocks, v1: 5 chunks
    machine.write("data/large", large)
    calls: list[list[Any]] = [
        ["saveCache", ["data"], "k"],
        ["remove", "data"],
        ["restoreCache", ["data"], "k"],
    ]
    assert machine.run(job(), calls, protocol=protocol).results[1] == "k"
    assert (machine.workspace / "data/large").read_bytes() == large


WORKFLOW = """\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - id: cache
        uses: actions/cache@v4
        with: {path: data, key: k}
      - run: |
          echo "hit: ${{ steps.cache.outputs.cache-hit }}"
          [ -e data/a.txt ] || { mkdir data; echo native > data/a.txt; }
          cat data/a.txt
"""


class TestNative:
    """The native actions/cache has the same caches."""

    @pytest.fixture
    def demo(self, tmp_path: Path) -> Path:
        root = repository(tmp_path / "demo", {".github/workflows/ci.yml": WORKFLOW})
        git(root, "remote", "add", "origin", "https://github.com/octo/demo.git")
        return root

    def test_what_it_saved_is_found_by_the_client(
        self, place: Place, demo: Path, tmp_path: Path
    ) -> None:
        done = place.run("run", cwd=demo)
        assert done.code == 0, done.text
        with served(place.state) as services:
            machine = Machine(tmp_path / "machine", services)
            assert machine.run(job(), [["restoreCache", ["data"], "k"]]).results == ["k"]
        assert (machine.workspace / "data/a.txt").read_text() == "native\n"

    def test_it_finds_what_the_client_saved(self, place: Place, demo: Path, tmp_path: Path) -> None:
        with served(place.state) as services:
            machine = Machine(tmp_path / "machine", services)
            machine.write("data/a.txt", b"of the client\n")
            machine.run(job(), [["saveCache", ["data"], "k"]])
        done = place.run("run", cwd=demo)
        assert done.code == 0, done.text
        assert "hit: true" in done.out
        assert "of the client" in done.out
