"""Requests on their way through the proxy: bodies, streams, upgrades, and sides that go."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from trunkline.adapters.docker.proxy import forwarding
from trunkline.adapters.docker.proxy.connection import Connection, Ended
from trunkline.adapters.docker.proxy.forwarding import Forwarding
from trunkline.adapters.docker.proxy.heads import BadHead, Framing, parse_request

PATIENCE = 60


class Sides:
    """A client and an engine, with the proxy between them in a thread of its own."""

    def __init__(self) -> None:
        self.client, proxied = socket.socketpair()
        self.engine, upstream = socket.socketpair()
        self.client.settimeout(PATIENCE)
        self.engine.settimeout(PATIENCE)
        self._near, self._far = Connection(proxied), Connection(upstream)
        self._thread = threading.Thread(target=self._forward, daemon=True)
        self.goes_on: bool | None = None
        self.error: Exception | None = None

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> bool | None:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        return self.goes_on

    def close(self) -> None:
        for each in (self.client, self.engine, self._near.socket, self._far.socket):
            each.close()

    def is_running(self) -> bool:
        return self._thread.is_alive()

    def _forward(self) -> None:
        try:
            request = parse_request(self._near.head())
            self.goes_on = Forwarding(self._near, self._far, request).run()
        except (Ended, OSError, BadHead) as error:
            self.error = error


@pytest.fixture
def sides(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sides]:
    monkeypatch.setattr(forwarding, "LAST_BYTES", PATIENCE)
    made = Sides()
    try:
        yield made
    finally:
        made.close()
        made.finish()


def until(source: socket.socket, end: bytes) -> bytes:
    found = b""
    while not found.endswith(end):
        data = source.recv(65536)
        assert data, found
        found += data
    return found


def everything(source: socket.socket) -> bytes:
    found = b""
    while data := source.recv(65536):
        found += data
    return found


@contextmanager
def together(work: Callable[[], None]) -> Iterator[None]:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_a_request_and_its_answer_pass_as_they_are(sides: Sides) -> None:
    sent = b"GET /v1.41/info HTTP/1.1\r\nHost: docker\r\nX-Odd:  caf\xe9\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nServer: x\r\n\r\n{}"
    sides.client.sendall(sent)
    sides.start()
    assert until(sides.engine, b"\r\n\r\n") == sent.replace(b":  ", b": ")
    sides.engine.sendall(answer)
    assert until(sides.client, b"{}") == answer
    assert sides.finish() is True


def test_chunks_pass_as_they_come_without_waiting_for_the_next(sides: Sides) -> None:
    sides.client.sendall(b"GET /events HTTP/1.1\r\n\r\n")
    sides.start()
    until(sides.engine, b"\r\n\r\n")
    sides.engine.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    until(sides.client, b"\r\n\r\n")
    for chunk in (b"3\r\nabc\r\n", b"2;x=y\r\nde\r\n"):
        sides.engine.sendall(chunk)
        assert until(sides.client, chunk) == chunk
    end = b"0\r\nTrailer: 1\r\n\r\n"
    sides.engine.sendall(end)
    assert until(sides.client, end) == end
    assert sides.finish() is True


def test_a_large_body_passes_while_the_answer_is_on_its_way(sides: Sides) -> None:
    head = b"POST /build HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"%x\r\n%s\r\n" % (1 << 20, b"x" * (1 << 20))
    body = chunk * 8 + b"0\r\n\r\n"
    sides.client.sendall(head)
    sides.start()
    with together(lambda: sides.client.sendall(body)):
        received = b""
        while len(received) <= 1 << 20:
            received += sides.engine.recv(1 << 20)
        sides.engine.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nA\r\n")
        until(sides.client, b"1\r\nA\r\n")
        while len(received) < len(head) + len(body):
            received += sides.engine.recv(1 << 20)
    assert received == head + body
    sides.engine.sendall(b"0\r\n\r\n")
    until(sides.client, b"0\r\n\r\n")
    assert sides.finish() is not None


def test_an_answer_may_come_before_the_body_is_whole(sides: Sides) -> None:
    sides.client.sendall(b"POST /build HTTP/1.1\r\nContent-Length: 1000\r\n\r\nabc")
    sides.start()
    until(sides.engine, b"abc")
    answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno"
    sides.engine.sendall(answer)
    sides.engine.shutdown(socket.SHUT_RDWR)
    assert until(sides.client, b"no") == answer
    sides.client.sendall(b"x" * 997)
    assert sides.finish() is not None


def test_an_interim_answer_is_passed_on(sides: Sides) -> None:
    sides.client.sendall(
        b"POST /build HTTP/1.1\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    )
    sides.start()
    until(sides.engine, b"\r\n\r\n")
    sides.engine.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert until(sides.client, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    sides.client.sendall(b"abc")
    assert until(sides.engine, b"abc") == b"abc"
    sides.engine.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
    until(sides.client, b"\r\n\r\n")
    assert sides.finish() is True


def test_an_upgraded_connection_carries_bytes_both_ways_and_half_closes(sides: Sides) -> None:
    sides.client.sendall(
        b"POST /exec/1/start HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
        b"Content-Length: 2\r\n\r\n{}"
    )
    sides.start()
    until(sides.engine, b"{}")
    sides.engine.sendall(
        b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nfirst"
    )
    assert until(sides.client, b"first").endswith(b"\r\n\r\nfirst")
    sides.client.sendall(b"input")
    sides.client.shutdown(socket.SHUT_WR)
    assert everything(sides.engine) == b"input"
    sides.engine.sendall(b"output after the input's end")
    sides.engine.shutdown(socket.SHUT_WR)
    assert everything(sides.client) == b"output after the input's end"
    assert sides.finish() is False


def test_a_stream_without_a_protocols_name_is_one_as_well(sides: Sides) -> None:
    sides.client.sendall(b"POST /containers/1/attach?stream=1 HTTP/1.1\r\n\r\n")
    sides.start()
    until(sides.engine, b"\r\n\r\n")
    sides.engine.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n"
    )
    until(sides.client, b"\r\n\r\n")
    sides.client.sendall(b"ping")
    assert until(sides.engine, b"ping") == b"ping"
    sides.engine.sendall(b"pong")
    assert until(sides.client, b"pong") == b"pong"
    sides.engine.close()
    assert everything(sides.client) == b""
    sides.client.close()
    assert sides.finish() is False


def test_the_engine_hears_at_once_when_a_waiting_client_goes(sides: Sides) -> None:
    sides.client.sendall(b"GET /events HTTP/1.1\r\n\r\n")
    sides.start()
    until(sides.engine, b"\r\n\r\n")
    sides.engine.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    until(sides.client, b"\r\n\r\n")
    sides.client.close()
    assert sides.engine.recv(1) == b""
    sides.engine.close()
    sides.finish()
    assert isinstance(sides.error, Ended | OSError)


def test_a_client_that_goes_in_its_body_ends_the_request(sides: Sides) -> None:
    sides.client.sendall(b"POST /build HTTP/1.1\r\nContent-Length: 1000\r\n\r\nabc")
    sides.start()
    until(sides.engine, b"abc")
    sides.client.close()
    assert everything(sides.engine) == b""
    sides.finish()
    assert isinstance(sides.error, Ended | OSError)


def test_an_engine_that_goes_in_its_answer_ends_the_connection(sides: Sides) -> None:
    sides.client.sendall(b"GET /x HTTP/1.1\r\n\r\n")
    sides.start()
    until(sides.engine, b"\r\n\r\n")
    sides.engine.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
    sides.engine.close()
    sides.finish()
    assert isinstance(sides.error, Ended)


def test_the_answer_to_head_has_no_body(sides: Sides) -> None:
    sides.client.sendall(b"HEAD /_ping HTTP/1.1\r\n\r\n")
    sides.start()
    until(sides.engine, b"\r\n\r\n")
    sides.engine.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
    until(sides.client, b"\r\n\r\n")
    assert sides.finish() is True


@pytest.mark.parametrize(
    ("sent", "content"),
    [
        (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5;name=value\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: x\r\n\r\n", b"hello!"),
        (b"0\r\n\r\n", b""),
    ],
)
def test_chunked_content_is_read_and_passed(sent: bytes, content: bytes) -> None:
    chunked = Framing(chunked=True, length=None)
    for read, expected in ((Connection.content, content), (Connection.raw, sent)):
        near, far = socket.socketpair()
        with near, far:
            far.sendall(sent + b"NEXT")
            connection = Connection(near)
            assert b"".join(read(connection, chunked)) == expected
            far.close()
            assert b"".join(connection.rest()) == b"NEXT"


@pytest.mark.parametrize("sent", [b"x\r\n", b"-1\r\n", b"\r\n", b"1" * 9000])
def test_broken_chunks_are_refused(sent: bytes) -> None:
    near, far = socket.socketpair()
    with near, far:
        far.sendall(sent)
        far.shutdown(socket.SHUT_WR)
        with pytest.raises((BadHead, Ended)):
            list(Connection(near).content(Framing(chunked=True, length=None)))


def test_a_head_without_an_end_is_refused() -> None:
    near, far = socket.socketpair()

    def send() -> None:
        with suppress(OSError):  # nobody reads to its end
            far.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * (1 << 20))

    with near, far, together(send):
        with pytest.raises(BadHead):
            Connection(near).head()
        near.close()
