"""A request's body as a stream: plain or chunked (RFC 9112, sections 6 and 7), in bounded memory."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Protocol

PIECE = 1 << 16
# A chunk's size with its extensions, and a trailer field: more than anybody sends.
LONGEST_LINE = 4096
MOST_TRAILERS = 64
CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}")


class Incoming(Protocol):
    """What a body is read from: the connection."""

    def read1(self, size: int, /) -> bytes:
        """Return up to `size` bytes as soon as there are some; b'' at the end."""
        ...

    def readline(self, size: int, /) -> bytes:
        """Return up to the next line feed, at most `size` bytes."""
        ...


class BodyError(OSError):
    """A body ended before its end, broke the chunked coding, or came too slowly.

    Whoever reads a body gets this instead of an end: what was read so far is not the whole.
    """


class Body(io.RawIOBase):
    """The stream that an application reads as `wsgi.input`. It ends where the body ends.

    `length` is the number of bytes that were announced, None when they come in chunks. `invite` is
    called once before the first read: it tells a client to send what it holds back.
    """

    def __init__(
        self, incoming: Incoming, length: int | None, invite: Callable[[], None] | None = None
    ) -> None:
        super().__init__()
        self._incoming = incoming
        self._chunked = length is None
        self._left = length or 0  # of the body, or of the chunk
        self._ended = length == 0
        self._begun = False
        self._invite = invite
        self._broken = ""

    @property
    def is_read(self) -> bool:
        """Tell whether nothing of the body is left on the connection."""
        return self._ended

    @property
    def is_held_back(self) -> bool:
        """Tell whether the client waits to be invited."""
        return self._invite is not None

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: object, /) -> int:
        """Fill a buffer with what is there, at least one byte before the end. Raises BodyError."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        data = self._some(min(len(view), PIECE))
        view[: len(data)] = data
        return len(data)

    def read(self, size: int | None = -1, /) -> bytes:
        """Return `size` bytes, fewer only at the end; all that is left for -1. Raises BodyError."""
        wanted = -1 if size is None else size
        parts: list[bytes] = []
        while wanted:
            data = self._some(PIECE if wanted < 0 else min(wanted, PIECE))
            if not data:
                break
            parts.append(data)
            wanted -= len(data) if wanted > 0 else 0
        return b"".join(parts)

    def discard(self, most: int) -> bool:
        """Read up to `most` bytes and forget them; tell whether the body has been read whole.

        A body that announced more is not waited for.
        """
        if not self._chunked and self._left > most:
            return False
        while most > 0 and not self._ended:
            try:
                most -= len(self._some(PIECE))
            except BodyError:
                return False
        return self._ended

    def _some(self, most: int) -> bytes:
        if self._broken:
            raise BodyError(self._broken)
        if self._ended or not most:
            return b""
        if self._invite is not None:
            invite, self._invite = self._invite, None
            invite()
        try:
            return self._next(most)
        except OSError as error:
            self._broken = str(error)
            if isinstance(error, BodyError):
                raise
            raise BodyError(self._broken) from error

    def _next(self, most: int) -> bytes:
        if self._chunked and not self._left:
            self._open_chunk()
            if self._ended:
                return b""
        data = self._incoming.read1(min(most, self._left))
        if not data:
            raise BodyError("the request's body ended early")
        self._left -= len(data)
        if not self._left and not self._chunked:
            self._ended = True
        return data

    def _open_chunk(self) -> None:
        if self._begun and self._line():
            raise BodyError("a chunk of the request's body is longer than it says")
        self._begun = True
        size = self._line().split(b";", 1)[0].strip(b" \t")
        if not CHUNK_SIZE.fullmatch(size):
            raise BodyError("a chunk of the request's body has no size")
        self._left = int(size, 16)
        if not self._left:
            self._skip_trailers()
            self._ended = True

    def _skip_trailers(self) -> None:
        for _ in range(MOST_TRAILERS):
            if not self._line():
                return
        raise BodyError("the request's body has too many trailers")

    def _line(self) -> bytes:
        line = self._incoming.readline(LONGEST_LINE)
        if not line.endswith(b"\r\n"):
            raise BodyError("the request's body ended early, or is not in chunks")
        return line[:-2]
