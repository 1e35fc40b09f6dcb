"""Real clients that are killed in the middle of a push: nothing half is seen, and the next one works."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import NamedTuple

import pytest

from tests.commands import Place
from tests.docker_engine import Engine
from tests.image_layouts import MANIFEST, Layout
from tests.registry_shop import Shop, tool

# Noise is what a registry takes longest for: it can't be packed.
SIZE = 40 << 20
# How much of it comes through before the client is killed, and how much is waited for.
MOST, SOME = 4 << 20, 1 << 20
PATIENCE = 60


class Gate(ThreadingTCPServer):
    """A way to a registry by which no push comes through whole before it is open."""

    def __init__(self, address: str) -> None:
        super().__init__(("127.0.0.1", 0), Passing)
        host, _, port = address.rpartition(":")
        self.there = host, int(port)
        self.address = f"127.0.0.1:{self.server_address[1]}"
        self.is_open = False
        # Somebody sends more than comes through; and has hung up.
        self.holds, self.is_left = threading.Event(), threading.Event()
        self.clients: list[socket.socket] = []


class Passing(BaseRequestHandler):
    """Passes on what one client and the registry say; what is too much goes nowhere."""

    server: Gate
    request: socket.socket

    def handle(self) -> None:
        gate, client = self.server, self.request
        gate.clients.append(client)
        with socket.create_connection(gate.there) as registry:
            back = threading.Thread(target=_pass_back, args=(registry, client))
            back.start()
            passed = 0
            while data := _received(client):
                passed += len(data)
                if gate.is_open or passed <= MOST:
                    _send(registry, data)
                else:
                    gate.holds.set()
            _hang_up(registry)
            back.join()
        if passed > MOST:
            gate.is_left.set()


def _pass_back(registry: socket.socket, client: socket.socket) -> None:
    while data := _received(registry):
        _send(client, data)
    _hang_up(client)


def _received(peer: socket.socket) -> bytes:
    try:
        return peer.recv(1 << 16)
    except OSError:
        return b""


def _send(peer: socket.socket, data: bytes) -> None:
    with suppress(OSError):  # the other side has gone
        peer.sendall(data)


def _hang_up(peer: socket.socket) -> None:
    with suppress(OSError):  # it has gone, or was ended before
        peer.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def gate(open_shop: Shop) -> Iterator[Gate]:
    with Gate(open_shop.address) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()
        for client in made.clients:
            _hang_up(client)


class Client(NamedTuple):
    """How a client pushes an image as `team/app:1` of a registry."""

    push: list[str]


@pytest.fixture(params=["docker", "skopeo"])
def client(
    request: pytest.FixtureRequest, gate: Gate, engine: Engine, tmp_path: Path
) -> Iterator[Client]:
    name = f"{gate.address}/team/app:1"
    if request.param == "skopeo":
        layout = Layout(tmp_path / "large")
        layout.tag(layout.image([{"noise": os.urandom(SIZE)}]), "1")
        argv = [tool("skopeo"), "copy", "--dest-tls-verify=false", f"oci:{layout.folder}:1"]
        yield Client([*argv, f"docker://{name}"])
        return
    (tmp_path / "noise").write_bytes(os.urandom(SIZE))
    (tmp_path / "Dockerfile").write_text(
        f"FROM scratch\nCOPY noise /\nENV A={secrets.token_hex()}\n"
    )
    engine.docker("build", "--quiet", "--tag", name, str(tmp_path))
    yield Client(["docker", "--host", engine.host, "push", name])
    engine.docker("rmi", name)


def test_a_client_that_is_killed_in_mid_push_leaves_nothing_to_see(
    place: Place, open_shop: Shop, gate: Gate, client: Client
) -> None:
    pushing = subprocess.Popen(client.push, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        assert gate.holds.wait(PATIENCE)
        await_upload(place)
        assert pushing.poll() is None
    finally:
        os.killpg(pushing.pid, signal.SIGKILL)
        pushing.wait(PATIENCE)
    assert gate.is_left.wait(PATIENCE)
    assert asked(open_shop, "/v2/team/app/manifests/1") == 404
    assert asked(open_shop, "/v2/team/app/tags/list") == 404
    assert place.run("images", "--json").out == ""
    gate.is_open = True
    open_shop.run(*client.push)
    assert asked(open_shop, "/v2/team/app/manifests/1") == 200
    image = json.loads(place.run("images", "--json").out)
    assert image["size"] >= SIZE


def await_upload(place: Place) -> None:
    """Wait until a part of a layer has come."""
    end = time.monotonic() + PATIENCE
    while not any(size_of(path) > SOME for path in place.root.rglob("uploads/*")):
        assert time.monotonic() < end
        time.sleep(0.005)


def size_of(path: Path) -> int:
    """Return a file's size, 0 when what came is whole and elsewhere by now."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def asked(shop: Shop, path: str) -> int:
    """Return a registry's status for a path."""
    client = http.client.HTTPConnection(shop.address, timeout=PATIENCE)
    client.request("GET", path, headers={"Accept": MANIFEST + ", */*"})
    with client.getresponse() as answer:
        answer.read()
    client.close()
    return answer.status
