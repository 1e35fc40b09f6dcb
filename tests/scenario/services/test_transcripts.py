"""What clients were seen to send to the services, sent again, one file each.

A file is a list of exchanges: `send` (method and address; `<name>` is something kept), `as` (the job
that sends: `main`, `change`, `stranger`, `ended`; a forged token: `forged`; no token: `nobody`),
`headers`, `json`, `text`, or `bytes`: how many, with `from`: where in the content they begin; `chunked`
sends them without a length. `answers` is the status; `with` is what JSON is answered (`<name>` keeps a
value, other fields may be there), `carries` what headers; `sends` is [first, length] of the content.
"""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from tests.served_caches import ServedCaches, job, served
from trunkline.ports.job_services import ServicesJob

FOLDER = Path(__file__).parent
PLACE = re.compile(r"<(\w+)>")
CONTENT = bytes(range(256)) * 4096  # 1 MiB, and no two neighbours alike
MAIN, CHANGE = "refs/heads/main", "refs/pull/7/merge"
JOBS = {
    "main": job(MAIN),
    "other": job(MAIN, number=2),
    "change": job(CHANGE, MAIN, number=3),
    "stranger": job(MAIN, number=4, cache_mode="read"),
    "ended": job(MAIN, number=5),
    "elsewhere": job(MAIN, number=6, repository="octo/other"),
}


class Exchange(msgspec.Struct, forbid_unknown_fields=True, rename={"by": "as", "start": "from"}):
    """One request and what must be answered."""

    send: str
    answers: int
    by: str = "main"
    headers: dict[str, str] = {}
    json: Any = None
    text: str | None = None
    bytes: int | None = None
    start: int = 0
    chunked: bool = False
    carries: dict[str, str] = {}
    sends: tuple[int, int] | None = None
    with_: Any = msgspec.field(name="with", default=None)


class Client:
    """Sends exchanges and remembers what answers said."""

    def __init__(self, services: ServedCaches) -> None:
        self._tokens = {name: self._token(services, each) for name, each in JOBS.items()}
        services.end(JOBS["ended"])
        head, body, _ = self._tokens["main"].split(".")
        self._tokens["forged"] = f"{head}.{body}.{'A' * 43}"
        self._host = services.url.partition("//")[2]
        self._kept: dict[str, str] = {}

    def _token(self, services: ServedCaches, made: ServicesJob) -> str:
        return services.begin(made)["ACTIONS_RUNTIME_TOKEN"]

    def play(self, exchange: Exchange) -> None:
        """Send a request; compare what is answered."""
        method, _, address = self._filled(exchange.send).partition(" ")
        headers = {name: self._filled(value) for name, value in exchange.headers.items()}
        if exchange.by in self._tokens and not address.startswith("http"):
            headers["Authorization"] = f"Bearer {self._tokens[exchange.by]}"
        connection = http.client.HTTPConnection(self._host, timeout=120)
        parts = urlsplit(address)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        body = self._body(exchange)
        if exchange.json is not None:
            headers["Content-Type"] = "application/json"
        connection.request(
            method, target, body, headers, encode_chunked=exchange.chunked and body is not None
        )
        response = connection.getresponse()
        data = response.read()
        connection.close()
        assert response.status == exchange.answers, (exchange.send, data)
        self._compare(exchange, dict(response.headers), data)

    def _body(self, exchange: Exchange) -> Any:
        if exchange.json is not None:
            return msgspec.json.encode(exchange.json)
        if exchange.text is not None:
            return self._filled(exchange.text).encode()
        if exchange.bytes is None:
            return None
        content = CONTENT[exchange.start : exchange.start + exchange.bytes]
        return iter([content[:1000], content[1000:]]) if exchange.chunked else content

    def _compare(self, exchange: Exchange, headers: dict[str, str], data: bytes) -> None:
        for name, value in exchange.carries.items():
            assert headers.get(name) == self._filled(value), (name, headers)
        if exchange.sends is not None:
            first, length = exchange.sends
            assert data == CONTENT[first : first + length]
        if exchange.with_ is not None:
            self._match(exchange.with_, msgspec.json.decode(data), exchange.send)
        if exchange.answers == 204:
            assert data == b""

    def _match(self, wanted: Any, found: Any, where: str) -> None:
        if isinstance(wanted, dict):
            for name, value in wanted.items():
                assert name in found, (where, found)
                self._match(value, found[name], f"{where} {name}")
        elif isinstance(wanted, list):
            assert len(wanted) == len(found), (where, found)
            for one, other in zip(wanted, found, strict=True):
                self._match(one, other, where)
        elif isinstance(wanted, str) and (name := PLACE.fullmatch(wanted)):
            assert found, where
            kept = self._kept.setdefault(name[1], str(found))
            assert kept == str(found), where
        else:
            assert found == wanted, (where, found)

    def _filled(self, text: str) -> str:
        return PLACE.sub(lambda found: self._kept.get(found[1], found[0]), text)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with served(tmp_path) as services:
        yield Client(services)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yml")), ids=lambda path: path.stem)
def test_transcript(path: Path, client: Client) -> None:
    for exchange in msgspec.yaml.decode(path.read_bytes(), type=list[Exchange]):
        client.play(exchange)
