"""The raw stream of a process in a container: a connection, and the output in its frames."""

from __future__ import annotations

import json
import select
import socket
import time

from trunkline.base.errors import Unavailable

CHUNK = 1 << 16
MOST = 1 << 20
# Engine API, "Stream format": stream number, three zero bytes, the length as big-endian uint32.
HEADER = 8
HEAD_LIMIT = 1 << 16


class Connection:
    """A connection that was a request and became a stream."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._rest = b""
        self._poll = select.poll()
        self._poll.register(connected, select.POLLIN)

    def upgrade(self, path: str, body: bytes) -> None:
        """Send the request and read the answer's head. Raises Unavailable, OSError."""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
        )
        self._socket.sendall(head.encode() + body)
        answer = b""
        while b"\r\n\r\n" not in answer:
            data = self._socket.recv(CHUNK)
            if not data or len(answer) > HEAD_LIMIT:
                raise Unavailable("The container engine closed the connection.")
            answer += data
        head_bytes, _, self._rest = answer.partition(b"\r\n\r\n")
        status = head_bytes.split(b" ", 2)[1:2]
        if status not in ([b"101"], [b"200"]):
            raise Unavailable(f"Error response from daemon: {self._message(head_bytes)}")

    def _message(self, head: bytes) -> str:
        length = 0
        for line in head.decode("latin-1").split("\r\n")[1:]:
            name, _, value = line.partition(":")
            if name.lower() == "content-length" and value.strip().isdecimal():
                length = min(int(value), HEAD_LIMIT)
        while len(self._rest) < length and (data := self._socket.recv(CHUNK)):
            self._rest += data
        text = self._rest.decode("utf-8", "replace").strip()
        try:
            return str(json.loads(text)["message"])
        except (ValueError, KeyError, TypeError):
            return text or head.decode("latin-1").partition("\r\n")[0]

    def send(self, data: bytes) -> None:
        """Give the process input; nothing happens when it reads no more."""
        try:
            self._socket.sendall(data)
        except OSError:  # it has ended
            return

    def receive(self, timeout: float | None) -> bytes | None:
        """Return what came, b'' at the end, None when `timeout` seconds passed."""
        if self._rest:
            data, self._rest = self._rest, b""
            return data
        if not self._is_pending():
            wait = None if timeout is None else max(0.0, timeout) * 1000
            if not self._poll.poll(wait):
                return None
        try:
            return self._socket.recv(CHUNK)
        except ConnectionError:
            return b""

    def _is_pending(self) -> bool:
        pending = getattr(self._socket, "pending", None)  # TLS has read ahead
        return bool(pending and pending())

    def close(self) -> None:
        """Let go of it."""
        self._socket.close()


class Output:
    """What a process writes, without the frames around it. One reader."""

    def __init__(self, connection: Connection, *, framed: bool = True) -> None:
        self._connection = connection
        self._framed = framed
        self._buffer = bytearray()
        self._left = 0
        self.is_over = False

    def read(self, timeout: float | None) -> bytes | None:
        """Return the next output, at most 1 MiB; b'' at the end; None when the time passed."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self.is_over:
            if found := self._take():
                return found
            left = None if deadline is None else deadline - time.monotonic()
            data = self._connection.receive(left)
            if data is None:
                return None
            if not data:
                self.is_over = True
                self._connection.close()
            self._buffer += data
        return b""

    def _take(self) -> bytes:
        """Return the payload that has come, of as many frames as there are."""
        if not self._framed:
            found = bytes(self._buffer[:MOST])
            del self._buffer[: len(found)]
            return found
        parts: list[bytes] = []
        position = 0
        while position < len(self._buffer) and position < MOST - HEADER:
            if not self._left:
                if len(self._buffer) - position < HEADER:
                    break
                size = self._buffer[position + 4 : position + HEADER]
                self._left = int.from_bytes(size, "big")
                position += HEADER
            piece = bytes(self._buffer[position : position + self._left])
            position += len(piece)
            self._left -= len(piece)
            parts.append(piece)
        del self._buffer[:position]
        return b"".join(parts)

    def write(self, data: bytes) -> None:
        """Give the process input."""
        if not self.is_over:
            self._connection.send(data)

    def close(self) -> None:
        """Let go of the connection."""
        if not self.is_over:
            self.is_over = True
            self._connection.close()
