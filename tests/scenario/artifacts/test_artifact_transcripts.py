"""What real actions send, replayed: each file is one exchange of a client with the services.

A file is YAML: `data` (names of content, with its length), `exchanges` in order. A `call` of the
artifact service has `with` (its message, beside the ids of the `job`'s run and job); `put` and `get`
have an address. `status` (200), `record` (a JSON answer), `headers` (of the request to `put`, of the
answer to `get`) and `data` (content sent or answered) are expected. `$name` is what the first answer
that holds it said; `<name name>` is the SHA-256 of content.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.actions_services import ARTIFACTS, RUN, Served, ask, call, job_of, served

SCENARIOS = sorted(Path(__file__).parent.glob("*.yml"))
# What the SDK for blobs sends beside what a scenario says.
SDK = {
    "Content-Type": "application/octet-stream",
    "x-ms-version": "2026-02-06",
    "Accept": "application/xml",
    "User-Agent": "azsdk-js-azure-storage-blob/12.29.1 core-rest-pipeline/1.22.1 Node/20",
    "x-ms-client-request-id": "8f2b0d8a-5f5c-4a43-9a7c-2d8a1f6f3b11",
}
NAME = re.compile(r"\$[a-z-]+")
DIGEST = re.compile(r"<([a-z ]+)>")


class Replay:
    """A client, as far as it has come."""

    def __init__(self, services: Served, data: Mapping[str, int]) -> None:
        self.services = services
        self.data = {name: hashlib.shake_128(name.encode()).digest(n) for name, n in data.items()}
        self.known = {"$run": RUN}

    def play(self, exchange: Mapping[str, Any]) -> None:
        """Send one request and look at its answer."""
        if "call" in exchange:
            self.call(exchange)
        elif "put" in exchange:
            self.put(exchange)
        else:
            self.get(exchange)

    def call(self, exchange: Mapping[str, Any]) -> None:
        job = job_of(number=exchange.get("job", 1))
        ids = {"workflow_run_backend_id": RUN, "workflow_job_run_backend_id": str(job.number)}
        message = {**ids, **self.filled(exchange["with"])}
        answer = call(self.services.open(job), f"{ARTIFACTS}/{exchange['call']}", message)
        assert answer.status == exchange.get("status", 200), answer
        self.learn(exchange["record"], answer.record)
        assert answer.record == self.filled(exchange["record"])

    def put(self, exchange: Mapping[str, Any]) -> None:
        body = self.data[exchange["data"]] if "data" in exchange else exchange["body"].encode()
        headers = {**SDK, **exchange.get("headers", {})}
        answer = ask("PUT", self.filled(exchange["put"]), body, headers)
        assert answer.status == exchange["status"], answer
        for name in ("etag", "last-modified", "x-ms-request-id", "x-ms-version", "date"):
            assert answer.headers[name]

    def get(self, exchange: Mapping[str, Any]) -> None:
        headers = {"User-Agent": "@actions/artifact-6.2.1"}
        answer = ask("GET", self.filled(exchange["get"]), headers=headers)
        assert answer.status == exchange.get("status", 200), answer
        assert answer.headers.items() >= exchange["headers"].items(), answer.headers
        assert answer.body == self.data[exchange["data"]]

    def learn(self, expected: Any, found: Any) -> None:
        """Take what an answer says under names that nothing was known of."""
        if isinstance(expected, dict) and isinstance(found, dict):
            for name in expected.keys() & found.keys():
                self.learn(expected[name], found[name])
        elif isinstance(expected, list) and isinstance(found, list):
            for each, other in zip(expected, found, strict=True):
                self.learn(each, other)
        elif isinstance(expected, str) and NAME.fullmatch(expected):
            self.known.setdefault(expected, found)

    def filled(self, value: Any) -> Any:
        """Return a value with what is known in the place of names."""
        if isinstance(value, dict):
            return {name: self.filled(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self.filled(each) for each in value]
        if not isinstance(value, str):
            return value
        with_names = NAME.sub(lambda found: self.known[found[0]], value)
        return DIGEST.sub(lambda found: self.digest(found[1].split()), with_names)

    def digest(self, names: list[str]) -> str:
        """Return the SHA-256 of content."""
        return hashlib.sha256(b"".join(self.data[name] for name in names)).hexdigest()


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario(path: Path, tmp_path: Path):
    scenario = yaml.safe_load(path.read_text(encoding="utf-8"))
    with served(tmp_path) as services:
        services.run(RUN)
        replay = Replay(services, scenario["data"])
        for exchange in scenario["exchanges"]:
            replay.play(exchange)
