"""Connections and requests as cheroot serves them, with bounds on memory and on time."""

from __future__ import annotations

import _pyio  # type: ignore[import-not-found] # what cheroot's streams are made of
import re
import socket
import ssl
import time
from http import HTTPStatus
from typing import Any

from cheroot import makefile, wsgi
from cheroot.server import HTTPConnection, HTTPRequest

from trunkline.web.body import PIECE, Body
from trunkline.web.headers import HeaderReader, Lines, Unsupported, body_length, stays_open

# The first byte of a TLS handshake, which clients try first on ports that they call insecure.
TLS_HANDSHAKE = b"\x16"
# A client has a minute for every 64 KiB: slower ones would keep a thread for ever.
PATIENCE = 60.0
# Seconds from a request's first byte to the end of its headers, or for a TLS handshake.
HEAD_PATIENCE = 10.0
# Bytes of a request's first line and headers. The parser reads lines in parts of 256: what it asks for
# before it refuses is in the reader's buffer, so that it never waits.
LONGEST_HEAD = PIECE - 256
NOT_ASCII = re.compile(rb"[\x80-\xff]")
# What is left of a body that nobody wanted is read, when it is little, so that the connection can stay.
SMALL_REST = 1 << 18
# How long, and how much, a client may go on sending after it was refused.
LINGER = 5.0
LONGEST_REST = 1 << 24


class PacedSocket(socket.SocketIO):
    """The reading side of a connection; raises TimeoutError for a client that drips."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock, "r")
        self.ended = False
        self._moved = 0
        self._waited = 0.0

    def restart(self) -> None:
        """Begin to measure anew."""
        self._moved, self._waited = 0, 0.0

    def readinto(self, buffer: Any, /) -> int | None:
        """Read what there is, waiting for it."""
        started = time.monotonic()
        count = super().readinto(buffer)
        self._waited += time.monotonic() - started
        self.ended = count == 0
        self._moved += count or 0
        if self._moved >= PIECE:
            self.restart()
        elif self._waited > PATIENCE:
            raise TimeoutError("timed out")
        return count


class Reader(makefile.StreamReader):
    """Buffers what a connection sends."""

    def __init__(self, sock: socket.socket) -> None:
        self.paced = PacedSocket(sock)
        _pyio.BufferedReader.__init__(self, self.paced, PIECE)
        self.bytes_read = 0

    @property
    def is_empty(self) -> bool:
        """Tell whether all that has come was read."""
        return not super().has_data()  # type: ignore[no-untyped-call]

    def has_data(self) -> bool:
        """Tell whether there is something to answer, without waiting: a whole head, or no head at all."""
        held = self._held()
        first, end, _ = held.partition(b"\n")
        is_none = held.startswith(TLS_HANDSHAKE) or len(held) == PIECE
        return is_none or b"\n\r\n" in held or bool(end and not first.endswith(b"\r"))

    def receive(self) -> bool:
        """Take what has come to a socket that does not wait; tell whether it is to be answered.

        Raises OSError when the connection is broken, SSLWantReadError when TLS waits for more.
        """
        while not self.has_data() and not self.paced.ended:
            before = len(self._held())
            if len(self.peek(before + 1)) == before and not self.paced.ended:
                return False
        return True

    def _held(self) -> bytes:
        return b"" if self.is_empty else self.peek(0)  # which reads when there is nothing


class RequestLine:
    """A request's first line as URLs are written: clients send what they were given, as it is."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def readline(self) -> bytes:
        """Return the next line, bytes beyond ASCII percent-encoded (RFC 3986, section 2.1)."""
        return NOT_ASCII.sub(lambda found: b"%%%02X" % found[0][0], self._lines.readline())


def _stream(sock: socket.socket, mode: str, size: int) -> object:
    return Reader(sock) if "r" in mode else makefile.StreamWriter(sock, mode, size)


class Request(HTTPRequest):
    """One request: strict headers, a bounded body, and a response whatever the application does."""

    header_reader = HeaderReader()

    def __init__(self, server: Any, conn: Any) -> None:
        super().__init__(server, conn)
        self.body = Body(conn.rfile, 0)
        self.started = time.monotonic()
        self.sent = 0

    def parse_request(self) -> None:
        """Read what stands before the body; `ready` tells whether it was a request."""
        super().parse_request()
        if not self.ready:
            self.conn.lingers = True

    def read_request_line(self) -> bool:
        """Read the first line; answer and return False when it is none."""
        if self.conn.rfile.peek(1)[:1] == TLS_HANDSHAKE:
            self.started_request = True
            self.simple_response("400 Bad Request", "This port speaks HTTP without TLS.")
            return False
        lines = self.rfile
        self.rfile = RequestLine(lines)
        try:
            return bool(super().read_request_line())  # type: ignore[no-untyped-call]
        except ValueError:
            self.simple_response("400 Bad Request", "Malformed Request-URI")
            return False
        finally:
            self.rfile = lines

    def read_request_headers(self) -> bool:
        """Read the headers; answer and return False when they make no sense."""
        protocol = self.response_protocol
        try:
            fields = self.header_reader(self.rfile, self.inheaders)
            length = body_length(fields, protocol)
        except Unsupported as error:
            self.simple_response("501 Not Implemented", str(error))
            return False
        except ValueError as error:
            self.simple_response("400 Bad Request", str(error))
            return False
        self.chunked_read = length is None
        self.close_connection = not stays_open(fields, protocol)
        expects = fields.get(b"Expect", b"").lower() == b"100-continue" and length != 0
        self.body = Body(self.conn.rfile, length, self._invite if expects else None)
        return True

    def respond(self) -> None:
        """Let the application answer."""
        self.rfile = self.body
        try:
            self.server.gateway(self).respond()
            self.ensure_headers_sent()
            if self.chunked_write:
                self.conn.wfile.write(b"0\r\n\r\n")
        finally:
            self.conn.lingers = not self.body.is_read
            self.server.tell_request(self)

    def send_headers(self) -> None:
        """Send status and headers, after a small rest of the body."""
        if self.body.is_held_back or not self.body.discard(SMALL_REST):
            self.close_connection = True
        # A response that ends with the connection, or has no body, is told by its status alone.
        super().send_headers()

    def write(self, chunk: bytes) -> None:
        """Send a part of the response's body, in pieces that each have their time.

        Raises TimeoutError for a client that does not read.
        """
        if self.method == b"HEAD":
            return
        self.sent += len(chunk)
        data = b"%x\r\n%b\r\n" % (len(chunk), chunk) if self.chunked_write and chunk else chunk
        with memoryview(data) as view:
            for start in range(0, len(view), PIECE):
                self.conn.socket.sendall(view[start : start + PIECE])

    @property
    def code(self) -> str:
        """Return the status code that was sent."""
        status: object = self.status
        return status[:3].decode() if isinstance(status, bytes) else "-"

    def _invite(self) -> None:
        if not self.sent_headers:
            self.conn.wfile.write(f"HTTP/1.1 100 {HTTPStatus.CONTINUE.phrase}\r\n\r\n".encode())


class Connection(HTTPConnection):
    """One connection of a client."""

    RequestHandlerClass = Request
    rbufsize = PIECE

    def __init__(self, server: Any, sock: socket.socket, _makefile: object = None) -> None:
        super().__init__(server, sock, _stream)
        self.lingers = False
        self._greeted = not isinstance(sock, ssl.SSLSocket)
        self._begun: float | None = None  # when what is not whole yet began to come
        self._last_used: float | None = None

    @property
    def last_used(self) -> float | None:
        """When this began to wait without a thread: cheroot ends it `server.timeout` seconds later.

        One that waits for the rest of a head is told to have waited so long that HEAD_PATIENCE holds.
        """
        return self._last_used

    @last_used.setter
    def last_used(self, now: float) -> None:
        if self._begun is None and not self.rfile.is_empty:
            self._begun = now
        begun = self._begun
        self._last_used = now if begun is None else begun + HEAD_PATIENCE - self.server.timeout

    def communicate(self) -> bool:
        """Answer the request that has come; tell whether the connection stays.

        What is not whole yet goes back to wait without a thread, until its time is over.
        """
        try:
            if not self._receive():
                return self._begun is None or time.time() < self._begun + HEAD_PATIENCE
        except OSError:  # the client went away, or breaks TLS: there is nobody to tell
            self._begun = None
            return False
        self._begun = None
        self.rfile.paced.restart()
        return bool(super().communicate())  # type: ignore[no-untyped-call]

    def _receive(self) -> bool:
        """Take what has come, and tell whether it is to be answered. Raises OSError."""
        if self._begun is None:
            self._begun = time.time()  # cheroot's clock
        self.socket.settimeout(0)
        try:
            self._greet()
            return bool(self.rfile.receive())
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        finally:
            self.socket.settimeout(self.server.timeout)

    def _greet(self) -> None:
        """Shake hands when TLS asks for it, here and not where connections are accepted. Raises OSError."""
        if self._greeted:
            return
        try:
            self.socket.do_handshake()
        except ssl.SSLError as error:
            if error.reason == "HTTP_REQUEST":
                self.lingers = True
                answer = _told("400 Bad Request", "This port speaks HTTPS.")
                socket.socket.sendall(self.socket, answer)  # beneath TLS
            raise
        self._greeted = True
        self._begun = None  # the request may come later

    def close(self) -> None:
        """Close; a client that was refused gets time to hear why, one that came too late none."""
        if self._begun is not None:
            self._refuse_late()
        if self.lingers:
            self.lingers = False
            _linger(self.socket)
        super().close()

    def _refuse_late(self) -> None:
        try:
            self.socket.settimeout(0)
            self.socket.sendall(_told("408 Request Timeout", "The request did not come in time."))
        except OSError:  # who does not hear it is gone, or does not speak TLS
            return


def _told(status: str, text: str) -> bytes:
    head = f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: text/plain\r\n"
    return f"{head}Content-Length: {len(text)}\r\n\r\n{text}".encode()


def _linger(sock: socket.socket) -> None:
    """End our side, and read on for a while: closing at once would take the answer back."""
    until = time.monotonic() + LINGER
    rest = LONGEST_REST
    try:
        sock.settimeout(1.0)
        sock.shutdown(socket.SHUT_WR)
        while rest > 0 and time.monotonic() < until and (data := sock.recv(PIECE)):
            rest -= len(data)
    except OSError:
        return


class Gateway(wsgi.Gateway_10):
    """A request as a WSGI application sees it."""

    def get_environ(self) -> dict[str, Any]:  # type: ignore[override]
        """Return the environment of PEP 3333; the body tells its own end."""
        found: dict[str, Any] = super().get_environ()  # type: ignore[no-untyped-call]
        found["SERVER_NAME"] = str(self.req.server.bind_addr[0])
        found["wsgi.input_terminated"] = True
        return found
