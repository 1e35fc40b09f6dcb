"""An application that echoes, and clients that send it bytes on real sockets."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from trunkline.web.body import BodyError
from trunkline.web.server import Server

Start = Callable[[str, list[tuple[str, str]]], Any]


class Echo:
    """Answers with the body's length; its paths do other things. Keeps what went wrong."""

    def __init__(self) -> None:
        self.errors: list[BodyError] = []
        self.entered = threading.Event()
        self.leave = threading.Event()

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/refuse":
            return self._text(start, "no", "401 Unauthorized")
        if path == "/fault":
            raise RuntimeError("a fault of the application")
        if path == "/stream":
            start("200 OK", [])
            return iter([b"one", b"", b"two"])
        if path == "/break":
            start("200 OK", [("Content-Length", "1000000")])
            return self._broken()
        if path == "/wait":
            self.entered.set()
            self.leave.wait(10)
        if path == "/accept":
            return self._text(start, environ.get("HTTP_ACCEPT", ""))
        if path.startswith("/told"):
            told = (path, environ["QUERY_STRING"], environ["REQUEST_URI"])
            return self._text(start, ascii(told))
        try:
            return self._text(start, str(len(environ["wsgi.input"].read())))
        except BodyError as error:
            self.errors.append(error)
            raise

    def _text(self, start: Start, text: str, status: str = "200 OK") -> Iterable[bytes]:
        start(status, [("Content-Length", str(len(text)))])
        return [text.encode()]

    def _broken(self) -> Iterator[bytes]:
        yield b"x" * 1000
        raise RuntimeError("a fault in the middle")


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=60)


def everything(sock: socket.socket) -> bytes:
    """Read until the other side closes."""
    found = b""
    while data := sock.recv(1 << 16):
        found += data
    return found


def answer_of(sock: socket.socket) -> bytes:
    """Read one answer of a known length."""
    found = b""
    while not (length := re.search(rb"Content-Length: ([0-9]+)\r\n(?s:.*?)\r\n\r\n", found)) or (
        len(found) < length.end() + int(length[1])
    ):
        data = sock.recv(1 << 16)
        assert data, found
        found += data
    return found


def exchange(server: Server, data: bytes) -> bytes:
    """Send bytes on a connection of their own, end our side, return the answer."""
    with connect(server) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        return everything(sock)


HEAD = b"Host: here\r\n"
GET = b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n"
