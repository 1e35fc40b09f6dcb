"""Clients that send or read slowly, or not at all: they hold nobody up, and are cut off in time."""

from __future__ import annotations

import contextlib
import http.client
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.certificates import Certificate, trusting
from tests.web_clients import GET, HEAD, Echo, Start, answer_of, connect, everything, exchange
from trunkline.web import connection
from trunkline.web import server as web_server
from trunkline.web.server import Server, Tls, serve


def drip(sock: socket.socket) -> bytes:
    """Send a byte now and then until the other side answers or closes; return what it said."""
    for _ in range(3000):
        if select.select([sock], [], [], 0.02)[0]:
            break
        sock.sendall(b"x")
    try:
        return everything(sock)
    except ConnectionResetError:  # a byte was on its way
        return b""


def test_heads_that_drip_are_cut_off(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_PATIENCE", 0.3)
    with connect(server) as sock:
        sock.sendall(b"GET / HT")
        assert not drip(sock).startswith(b"HTTP/1.1 2")


def test_bodies_that_drip_are_cut_off(
    server: Server, echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "PATIENCE", 0.3)
    with connect(server) as sock:
        sock.sendall(b"PUT / HTTP/1.1\r\nHost: here\r\nContent-Length: 99999\r\n\r\n")
        assert not drip(sock).startswith(b"HTTP/1.1 2")
    assert [str(error) for error in echo.errors] == ["timed out"]


def test_a_head_that_stops_coming_is_refused_and_others_have_their_time(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect(server) as idle, connect(server) as answered, connect(server) as slow:
        answered.sendall(GET)
        assert answer_of(answered).startswith(b"HTTP/1.1 200")
        slow.sendall(b"PUT / HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\na")
        monkeypatch.setattr(connection, "HEAD_PATIENCE", 0.3)
        for begun in (b"G", b"GET / HTTP/1.1\r\nHost: he", b"GET / HTTP/1.1\r\nHost: here\r\n"):
            with connect(server) as late:
                late.sendall(begun)
                assert everything(late).startswith(b"HTTP/1.1 408 ")
        slow.sendall(b"b")
        assert answer_of(slow).startswith(b"HTTP/1.1 200")
        for sock in (idle, answered):
            sock.sendall(GET)
            assert answer_of(sock).startswith(b"HTTP/1.1 200")


def test_half_sent_heads_hold_no_thread(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_PATIENCE", 1000.0)
    with serve(echo, threads=1) as server, contextlib.ExitStack() as opened:
        half_sent = [opened.enter_context(connect(server)) for _ in range(60)]
        for sock in half_sent:
            sock.sendall(GET[:-2])
        assert exchange(server, GET).startswith(b"HTTP/1.1 200")
        for sock in half_sent:
            sock.sendall(b"\r\n")
            assert answer_of(sock).startswith(b"HTTP/1.1 200")


class Endless:
    """A response of a gigabyte, whose end is noted."""

    def __init__(self, *, known: bool) -> None:
        self._known = known
        self.sent = 0
        self.ended = threading.Event()

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterator[bytes]:
        length = [("Content-Length", str(1 << 30))] if self._known else []
        if environ["PATH_INFO"] == "/short":
            start("200 OK", [("Content-Length", "2")])
            return iter((b"ok",))
        start("200 OK", length)
        return self._pieces()

    def _pieces(self) -> Iterator[bytes]:
        try:
            for _ in range(1 << 11):
                self.sent += 1 << 19
                yield b"x" * (1 << 19)
        finally:
            self.ended.set()


@pytest.mark.parametrize("known", [True, False])
def test_clients_that_do_not_read_are_cut_off(monkeypatch: pytest.MonkeyPatch, known: bool) -> None:  # noqa: FBT001
    monkeypatch.setattr(web_server, "IDLE", 0.5)
    endless = Endless(known=known)
    with serve(endless, threads=1) as server, connect(server) as sock:
        sock.sendall(GET)
        assert endless.ended.wait(60)
        assert endless.sent < 1 << 25
        with connect(server) as other:  # the one thread is free again
            other.sendall(b"GET /short HTTP/1.1\r\n" + HEAD + b"Connection: close\r\n\r\n")
            assert everything(other).endswith(b"ok")


def test_connections_that_say_nothing_hold_no_thread(echo: Echo) -> None:
    with serve(echo, threads=1) as server:
        idle = [connect(server) for _ in range(20)]
        assert exchange(server, GET).startswith(b"HTTP/1.1 200")
        for sock in idle:
            sock.close()


# --- TLS ---


def test_clients_that_do_not_shake_hands_hold_no_thread(
    echo: Echo, certificate: Certificate
) -> None:
    tls = Tls(str(certificate.certificate), str(certificate.key))
    with serve(echo, tls=tls, threads=1) as secure, contextlib.ExitStack() as opened:
        for _ in range(20):
            opened.enter_context(connect(secure))
            opened.enter_context(connect(secure)).sendall(b"\x16\x03\x01")
        context = trusting(certificate)
        client = http.client.HTTPSConnection("127.0.0.1", secure.port, timeout=60, context=context)
        client.request("GET", "/")
        assert client.getresponse().read() == b"0"
        client.close()


def test_heads_within_tls_hold_no_thread_and_come_in_time(
    echo: Echo, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = Tls(str(certificate.certificate), str(certificate.key))
    context = trusting(certificate)
    with serve(echo, tls=tls, threads=1) as secure, contextlib.ExitStack() as opened:

        def greeted() -> socket.socket:
            sock = opened.enter_context(connect(secure))
            return opened.enter_context(context.wrap_socket(sock, server_hostname="127.0.0.1"))

        def asks(sock: socket.socket) -> None:
            sock.sendall(GET)
            assert answer_of(sock).startswith(b"HTTP/1.1 200")

        half_sent, idle, late = greeted(), greeted(), greeted()
        half_sent.sendall(GET[:-2])
        asks(late)
        half_sent.sendall(b"\r\n")
        assert answer_of(half_sent).startswith(b"HTTP/1.1 200")
        # The one thread has seen the greetings of all.
        monkeypatch.setattr(connection, "HEAD_PATIENCE", 0.3)
        late.sendall(b"G")
        assert everything(late).startswith(b"HTTP/1.1 408 ")
        asks(idle)


def test_a_head_that_begins_with_the_end_of_the_greeting_has_its_time_too(
    echo: Echo, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HEAD_PATIENCE", 3.0)
    monkeypatch.setattr(web_server, "IDLE", 1000)
    tls = Tls(str(certificate.certificate), str(certificate.key))
    context = trusting(certificate)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with serve(echo, tls=tls) as secure, connect(secure) as sock:
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                sock.sendall(outgoing.read())
                incoming.write(sock.recv(1 << 16))
        client.write(b"G")
        sock.sendall(outgoing.read())
        assert everything(sock)  # before we give up
