"""@actions/artifact itself against our services: its newest and older majors, on two nodes."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from tests.actions_services import RUN, Served, job_of, served
from tests.npm_packages import node, package
from trunkline.ports.job_services import ServicesAccess

pytestmark = pytest.mark.registry

CLIENT = Path(__file__).with_name("artifact_client.mjs")
PATIENCE = 300
NEWEST = "6.2.1"
OLDEST = "2.3.2"
NODES = ["20", "24"]
# The newest on both nodes and the oldest speak for all; the others follow in `make test-long`.
CLIENTS = [
    pytest.param(
        version,
        major,
        id=f"{version}-{major}",
        marks=() if version == NEWEST or (version, major) == (OLDEST, "20") else pytest.mark.long,
    )
    for version in (NEWEST, "5.0.3", "4.0.0", OLDEST)
    for major in NODES
]


class Client(NamedTuple):
    """A version of the client on a version of node, as a step of a job has it."""

    version: str
    node: str
    access: ServicesAccess
    place: Path

    def ask(self, *calls: Sequence[object]) -> list[dict[str, object]]:
        """Have it do things; return what each returns, `error` when it throws."""
        packages = package("@actions/artifact", self.version)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.place),
            "RUNNER_TEMP": str(self.place),
            "GITHUB_WORKSPACE": str(self.place),
            "GITHUB_SERVER_URL": "https://github.com",
            **self.access.actions,
        }
        done = subprocess.run(
            [node(self.node), str(CLIENT), str(packages), msgspec.json.encode(calls).decode()],
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
        results = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
        assert len(results) == len(calls), done.stdout
        return [
            msgspec.json.decode(line.removeprefix("RESULT "), type=dict[str, object])
            for line in results
        ]


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as found:
        found.run(RUN)
        yield found


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Return a folder with a small and a larger file, which takes several blocks of 8 MiB."""
    folder = tmp_path / "files"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("hello\n")
    (folder / "sub" / "b.bin").write_bytes(os.urandom(20_000_000))
    return folder


@pytest.mark.parametrize(("version", "major"), CLIENTS)
def test_up_and_down(services: Served, files: Path, tmp_path: Path, version: str, major: str):
    first = Client(version, major, services.open(job_of(number=1)), tmp_path)
    later = first._replace(access=services.open(job_of(number=2)))
    names = [str(files / "a.txt"), str(files / "sub" / "b.bin")]
    options = {"retentionDays": 5, "compressionLevel": 0}
    (made,) = first.ask(["upload", "dist", str(files), options, *names])
    (info,) = services.stored
    assert (info.name, info.files, info.job, str(made["id"])) == ("dist", 2, "1", info.id)
    assert made["size"] == info.size == Path(info.path).stat().st_size
    assert f"sha256:{made['digest']}" == info.digest
    assert 0 < info.expires - info.created <= 5 * 24 * 60 * 60
    listed, got, _, again, removed, empty, gone = later.ask(
        ["list"],
        ["get", "dist"],
        ["download", "dist", str(tmp_path / "out")],
        ["upload", "dist", str(files), {}, names[0]],
        ["remove", "dist"],
        ["list"],
        ["get", "dist"],
    )
    (found,) = msgspec.convert(listed["artifacts"], list[dict[str, object]])
    assert (found["name"], found["id"], found["size"]) == ("dist", made["id"], made["size"])
    assert got["artifact"] == found
    for name in ("a.txt", "sub/b.bin"):
        assert (tmp_path / "out" / name).read_bytes() == (files / name).read_bytes()
    assert again == {
        "error": "Failed to CreateArtifact: Received non-retryable error: Failed request: (409) "
        "Conflict: an artifact with this name already exists on the workflow run"
    }
    assert removed == {"id": made["id"]}
    assert empty == {"artifacts": []}
    assert "Artifact not found for name: dist" in str(gone["error"])


@pytest.mark.parametrize("major", NODES)
def test_a_file_as_it_is(services: Served, files: Path, tmp_path: Path, major: str):
    client = Client(NEWEST, major, services.open(job_of()), tmp_path)
    made, done = client.ask(
        ["upload", "unused", str(files), {"skipArchive": True}, str(files / "a.txt")],
        ["download", "a.txt", str(tmp_path / "out")],
    )
    (info,) = services.stored
    assert (info.name, info.archived, info.content_type) == ("a.txt", False, "text/plain")
    assert Path(info.path).read_text() == "hello\n"
    assert made["digest"] == hashlib.sha256(b"hello\n").hexdigest()
    assert done["digestMismatch"] is False
    assert (tmp_path / "out" / "a.txt").read_text() == "hello\n"


def test_a_changed_file_is_noticed(services: Served, files: Path, tmp_path: Path):
    client = Client(NEWEST, "20", services.open(job_of()), tmp_path)
    (made,) = client.ask(
        ["upload", "unused", str(files), {"skipArchive": True}, str(files / "a.txt")]
    )
    Path(services.stored[0].path).write_text("HELLO\n")
    options = {"expectedHash": f"sha256:{made['digest']}"}
    (done,) = client.ask(["download", "a.txt", str(tmp_path / "out"), options])
    assert done["digestMismatch"] is True


def test_a_job_that_ended_uploads_nothing(services: Served, files: Path, tmp_path: Path):
    job = job_of()
    client = Client(NEWEST, "20", services.open(job), tmp_path)
    services.services.close(job)
    (done,) = client.ask(["upload", "dist", str(files), {}, str(files / "a.txt")])
    assert "(401) Unauthorized: the job of this token has ended" in str(done["error"])
    assert services.stored == []
