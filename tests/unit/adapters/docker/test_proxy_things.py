"""What of a job's requests for containers, networks and volumes an engine is asked more than once."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer

import pytest

from trunkline.adapters.docker.proxy import things
from trunkline.adapters.docker.proxy.belongings import Belongings
from trunkline.adapters.docker.proxy.call import Call
from trunkline.adapters.docker.proxy.connection import Connection
from trunkline.adapters.docker.proxy.heads import parse_request
from trunkline.adapters.docker.proxy.labelling import Place
from trunkline.adapters.docker.proxy.things import IS_PRUNING, ThingRoutes
from trunkline.adapters.docker.publishing import Publisher
from trunkline.adapters.docker.wire import EngineRefused, Wire

PRUNE = b"POST /v1.41/volumes/prune HTTP/1.1\r\nHost: docker\r\nContent-Length: 0\r\n\r\n"
FILTERS = "?filters=%7B%22label%22%3A%5B%22mine%3D1%22%5D%7D"


class Pruning(ThreadingUnixStreamServer):
    """An engine that gives these answers, one after the other."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), Answering)
        self.answers: list[tuple[int, object]] = []
        self.asked: list[str] = []


class Answering(BaseHTTPRequestHandler):
    """Gives one of them."""

    server: Pruning

    def do_POST(self) -> None:
        self.server.asked.append(self.path)
        status, value = self.server.answers.pop(0)
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pruning]:
    monkeypatch.setattr(things, "PAUSE", 0)
    with Pruning(tmp_path / "sock") as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def prune(engine: Pruning) -> bytes:
    """Have a job's volumes pruned; return what its client hears."""
    wire = Wire(f"unix://{engine.server_address}", {})
    place = Place(labels={"mine": "1"}, outside=lambda path: path, socket="")
    routes = ThingRoutes(Publisher(wire, None), place, Belongings(wire, place.labels), None)
    client, proxied = socket.socketpair()
    with client, proxied:
        client.sendall(PRUNE)
        connection = Connection(proxied)
        routes.prune(Call(connection, parse_request(connection.head()), wire))
        return client.recv(65536)


def test_another_job_s_pruning_is_waited_for(engine: Pruning) -> None:
    gone = {"VolumesDeleted": ["a"], "SpaceReclaimed": 1}
    engine.answers = [(409, {"message": IS_PRUNING})] * 3 + [(200, gone)]
    head, _, body = prune(engine).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert json.loads(body) == gone
    assert engine.asked == [f"/v1.41/volumes/prune{FILTERS}"] * 4


def test_what_the_engine_refuses_otherwise_is_refused_at_once(engine: Pruning) -> None:
    engine.answers = [(409, {"message": "no"})]
    with pytest.raises(EngineRefused, match="no"):
        prune(engine)


def test_it_is_not_waited_for_without_end(engine: Pruning, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(things, "PATIENCE", -1)
    engine.answers = [(409, {"message": IS_PRUNING})]
    with pytest.raises(EngineRefused, match=IS_PRUNING):
        prune(engine)
