"""The services of actions as a job reaches them: served on loopback, with a job that is let in.

`python -m tests.actions_services FOLDER` serves them in a process of its own: see `apart`.
"""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from trunkline import settings
from trunkline.app import System
from trunkline.ports.artifacts import ArtifactInfo
from trunkline.ports.job_services import JobServices, ServicesAccess, ServicesJob, Written

RUN = "77"
ARTIFACTS = "/twirp/github.actions.results.api.v1.ArtifactService"
FAR = 4_000_000_000.0


class Answer(NamedTuple):
    """A response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def record(self) -> dict[str, object]:
        """Return the JSON object that the body is."""
        assert self.headers["content-type"] == "application/json", self
        return msgspec.json.decode(self.body, type=dict[str, object])


def job_of(
    run_id: str = RUN,
    number: int = 1,
    *,
    deadline: float = FAR,
    permissions: Mapping[str, str] | None = None,
) -> ServicesJob:
    """Return a job of a run."""
    return ServicesJob(
        run_id=run_id,
        key=f"job{number}",
        number=number,
        repository="octo/demo",
        github={"repository": "octo/demo", "run_id": run_id, "ref": "refs/heads/main"},
        permissions=permissions or {"contents": "read"},
        scopes=("refs/heads/main",),
        deadline=deadline,
    )


class Served:
    """The services of a system, and what they told of artifacts."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.services: JobServices = system.job_services
        self.stored: list[ArtifactInfo] = []
        self.written: list[Written] = []
        self._lock = threading.Lock()

    def open(self, job: ServicesJob) -> ServicesAccess:
        """Let a job in."""
        return self.services.open(job, self._hear)

    def run(self, run_id: str) -> None:
        """Make the folder of a run."""
        (Path(self.system.settings.state) / "runs" / run_id).mkdir(parents=True)

    def _hear(self, info: ArtifactInfo | Written) -> None:
        with self._lock:
            if isinstance(info, Written):
                self.written.append(info)
            else:
                self.stored.append(info)


@contextmanager
def served(place: Path) -> Iterator[Served]:
    """Yield the services of a system whose folders are below `place`."""
    system = System(settings.read({"HOME": str(place), "PATH": "/usr/bin:/bin"}))
    try:
        yield Served(system)
    finally:
        system.close()


class Apart(NamedTuple):
    """Services in a process of their own: its id, and the environment of a job's actions."""

    pid: int
    actions: dict[str, str]

    def peak(self) -> int:
        """Return the process's largest resident set so far, in bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmHWM:\s*(\d+) kB", status)
        assert found is not None
        return int(found[1]) << 10


@contextmanager
def apart(place: Path) -> Iterator[Apart]:
    """Serve below `place` in a process of its own, with one job that is let in."""
    argv = [sys.executable, "-m", __spec__.name, str(place)]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield Apart(process.pid, json.loads(process.stdout.readline()))
        finally:
            process.terminate()


def main(place: Path) -> None:
    """Serve until the standard input ends; print the environment of the job's actions."""
    with served(place) as services:
        services.run(RUN)
        print(json.dumps(dict(services.open(job_of()).actions)), flush=True)
        sys.stdin.read()


def ask(
    method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Answer:
    """Send a request; return what is answered."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=120)
    try:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(method, target, body or None, dict(headers or {}))
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, response.read())
    finally:
        connection.close()


def call(access: ServicesAccess, path: str, record: object, *, token: str = "") -> Answer:
    """Call a method of a Twirp service."""
    url = access.actions["ACTIONS_RESULTS_URL"].rstrip("/") + path
    bearer = token or access.actions["ACTIONS_RUNTIME_TOKEN"]
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {bearer}"}
    return ask("POST", url, msgspec.json.encode(record), headers)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
