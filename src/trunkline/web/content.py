"""Content that goes through a request or a response, piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, TypeVar

import msgspec
from werkzeug.wrappers import Request

from trunkline.ports.image_store import BrokenOff

PIECE = 1 << 19
Value = TypeVar("Value")


class Incoming:
    """A request's body. Reading raises BrokenOff when the client goes away in the middle."""

    def __init__(self, request: Request) -> None:
        self._input: BinaryIO = request.environ["wsgi.input"]
        self.length = _length(request)
        # Without a length the server knows where the body ends, or there is none.
        ends = bool(request.environ.get("wsgi.input_terminated"))
        self._left = self.length if self.length is not None or ends else 0

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; b'' at the end."""
        wanted = size if self._left is None else min(size, self._left)
        if wanted == 0:
            return b""
        try:
            data = self._input.read(wanted)
        except (OSError, ValueError) as error:
            raise BrokenOff(str(error)) from error
        if self._left is not None:
            if not data:
                raise BrokenOff(f"{self._left} bytes are missing")
            self._left -= len(data)
        return data

    def read_at_most(self, limit: int) -> bytes:
        """Return the whole body, or its first `limit` + 1 bytes or so when it is longer."""
        parts: list[bytes] = []
        total = 0
        while total <= limit and (data := self.read(PIECE)):
            parts.append(data)
            total += len(data)
        return b"".join(parts)


def json_of(data: bytes, kind: type[Value]) -> Value:
    """Return what JSON says. Raises msgspec.DecodeError for whatever else a client sends."""
    try:
        return msgspec.json.decode(data, type=kind)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError("JSON is malformed: it is not UTF-8") from error
    except RecursionError as error:
        raise msgspec.DecodeError("JSON is nested too deeply") from error


class FilePart:
    """A part of an open file as a response's body, piece by piece; the server closes it."""

    def __init__(self, file: BinaryIO, first: int, length: int) -> None:
        self._file = file
        self._left = length
        file.seek(first)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the pieces."""
        while self._left > 0 and (data := self._file.read(min(PIECE, self._left))):
            self._left -= len(data)
            yield data

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _length(request: Request) -> int | None:
    text = request.environ.get("CONTENT_LENGTH") or ""
    return int(text) if text.isascii() and text.isdigit() else None
