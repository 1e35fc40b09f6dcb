"""One end of a proxied connection: heads, bodies and raw bytes, never more of them than a buffer."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress

from trunkline.adapters.docker.proxy.heads import BadHead, Framing

# Takes the next bytes.
Sink = Callable[[bytes], None]

BUFFER = 64 << 10
LARGEST_HEAD = 256 << 10
LONGEST_LINE = 8 << 10


class Ended(Exception):
    """The other side closed the connection in the middle of something."""


class Connection:
    """A socket that is read message by message. One thread reads, one writes."""

    def __init__(self, endpoint: socket.socket) -> None:
        self.socket = endpoint
        # Called before waiting for more from the other side.
        self.before_reading: Callable[[], None] = _nothing
        # Called when the other side has ended.
        self.at_end: list[Callable[[], None]] = []
        self._buffer = bytearray()

    def head(self) -> bytes:
        """Return the next message's head, without its empty line; b'' when there is none more.

        Raises Ended in its middle, BadHead when it has no end.
        """
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > LARGEST_HEAD:
                raise BadHead("the head is too long")
            if not self._fill():
                if self._buffer:
                    raise Ended
                return b""
        head = bytes(self._buffer[:end])
        del self._buffer[: end + 4]
        # Empty lines before a message are to be skipped (RFC 9112, 2.2).
        return head.lstrip(b"\r\n")

    def raw(self, framing: Framing) -> Iterator[bytes]:
        """Yield a body as it comes, its chunks' heads with it. Raises Ended, BadHead."""
        if framing.chunked:
            yield from self._raw_chunks()
        else:
            yield from self._some(framing.length)

    def content(self, framing: Framing) -> Iterator[bytes]:
        """Yield what a body holds. Raises Ended, BadHead."""
        if not framing.chunked:
            yield from self._some(framing.length)
            return
        while True:
            size, _ = self._chunk_head()
            if size == 0:
                self._trailer()
                return
            yield from self._some(size)
            self._line()

    def rest(self) -> Iterator[bytes]:
        """Yield everything until the other side ends."""
        yield from self._some(None)

    def send(self, data: bytes) -> None:
        """Send bytes. Raises OSError."""
        self.socket.sendall(data)

    def end_sending(self) -> None:
        """Tell the other side that no more will come; it may still send."""
        with suppress(OSError):  # it is gone
            self.socket.shutdown(socket.SHUT_WR)

    def end(self) -> None:
        """End both ways; whoever reads or writes at this moment is woken. Thread-safe."""
        with suppress(OSError):  # it is gone
            self.socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End both ways and let go of the socket, when no thread uses it any more."""
        self.end()
        self.socket.close()

    def has_ended(self) -> bool:
        """Tell whether the other side will send nothing more; waits when it is silent."""
        if self._buffer:
            return False
        try:
            return not self.socket.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def _fill(self) -> bool:
        self.before_reading()
        data = self.socket.recv(BUFFER)
        self._buffer += data
        return bool(data)

    def _some(self, length: int | None) -> Iterator[bytes]:
        left = length
        while left is None or left > 0:
            if not self._buffer and not self._fill():
                if left is None:
                    return
                raise Ended
            size = len(self._buffer) if left is None else min(left, len(self._buffer))
            data = bytes(self._buffer[:size])
            del self._buffer[:size]
            left = None if left is None else left - size
            yield data

    def _raw_chunks(self) -> Iterator[bytes]:
        while True:
            size, line = self._chunk_head()
            yield line
            if size == 0:
                yield self._trailer()
                return
            yield from self._some(size)
            yield self._line()

    def _chunk_head(self) -> tuple[int, bytes]:
        line = self._line()
        digits = line.partition(b";")[0].strip()
        if not 0 < len(digits) <= 16 or digits.strip(b"0123456789abcdefABCDEF"):
            raise BadHead("not the head of a chunk")
        return int(digits, 16), line

    def _trailer(self) -> bytes:
        lines = bytearray()
        while not lines.endswith(b"\r\n\r\n") and lines != b"\r\n":
            lines += self._line()
            if len(lines) > LARGEST_HEAD:
                raise BadHead("the trailer is too long")
        return bytes(lines)

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > LONGEST_LINE:
                raise BadHead("the line is too long")
            if not self._fill():
                raise Ended
        line = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        return line


def _nothing() -> None:
    """Do nothing."""
