"""HTTP/2 frames (RFC 9113, 4.1), and the gRPC messages and protobuf fields in them."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import msgspec

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD = 9
DATA, HEADERS = 0x0, 0x1
END_STREAM, END_HEADERS, PADDED = 0x1, 0x4, 0x8
# What every peer takes in one frame (SETTINGS_MAX_FRAME_SIZE's least).
LARGEST_PAYLOAD = 16384
# A gRPC message begins with whether it is compressed, and its length.
MESSAGE_HEAD = 5
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
# `:status: 200` in HPACK's static table; gRPC's code for an error of no other kind.
STATUS_200, UNKNOWN = b"\x88", "2"


class BadFrame(ValueError):
    """Bytes that are not what they should be."""


class Frame(msgspec.Struct, frozen=True):
    """One frame; `raw` is all of it as it came."""

    kind: int
    flags: int
    stream: int
    payload: bytes
    raw: bytes

    @property
    def ends_stream(self) -> bool:
        """Tell whether its sender sends nothing more on the stream."""
        return self.kind in {DATA, HEADERS} and bool(self.flags & END_STREAM)

    @property
    def data(self) -> bytes:
        """Return the data of a DATA frame, without padding. Raises BadFrame."""
        if not self.flags & PADDED:
            return self.payload
        if not self.payload or self.payload[0] >= len(self.payload):
            raise BadFrame("padding longer than its frame")
        return self.payload[1 : len(self.payload) - self.payload[0]]


class FrameReader:
    """Cuts bytes into frames, whatever pieces they come in."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield the frames that are whole now."""
        self._buffer += data
        while len(self._buffer) >= HEAD:
            end = HEAD + int.from_bytes(self._buffer[:3], "big")
            if len(self._buffer) < end:
                return
            raw = bytes(self._buffer[:end])
            del self._buffer[:end]
            stream = int.from_bytes(raw[5:9], "big") & 0x7FFFFFFF
            yield Frame(raw[3], raw[4], stream, raw[HEAD:], raw)


def data_frames(stream: int, data: bytes, *, ends_stream: bool) -> bytes:
    """Return DATA frames that carry `data`."""
    parts = [data[at : at + LARGEST_PAYLOAD] for at in range(0, len(data), LARGEST_PAYLOAD)]
    parts = parts or [b""]
    last = len(parts) - 1
    return b"".join(
        frame(DATA, END_STREAM if ends_stream and number == last else 0, stream, part)
        for number, part in enumerate(parts)
    )


def grpc_error(stream: int, message: str, *, has_begun: bool) -> bytes:
    """Return the frame that ends a stream with an error (gRPC over HTTP/2, responses).

    `has_begun` says that the client has the beginning of an answer already.
    """
    # Literal fields without indexing (RFC 7541, 6.2.2) leave the client's table as it is.
    begin = b"" if has_begun else STATUS_200 + _literal("content-type", "application/grpc")
    status = _literal("grpc-status", UNKNOWN) + _literal("grpc-message", quote(message, safe=" "))
    return frame(HEADERS, END_STREAM | END_HEADERS, stream, begin + status)


def _literal(name: str, value: str) -> bytes:
    return b"\0" + _text(name) + _text(value)


def _text(text: str) -> bytes:
    """Return a string literal, not compressed (RFC 7541, 5.2)."""
    data = text.encode("ascii")
    if len(data) < 0x7F:
        return bytes((len(data),)) + data
    return b"\x7f" + _as_varint(len(data) - 0x7F) + data


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """Return a frame's bytes."""
    return (
        len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload
    )


# --- protobuf (encoding: https://protobuf.dev/programming-guides/encoding/) --------------


class Field(msgspec.Struct, frozen=True):
    """A field of a message: `value` are the bytes of a string or message; `raw` all of it."""

    number: int
    kind: int
    value: bytes
    raw: bytes


def fields(message: bytes) -> list[Field]:
    """Return the fields of a message in their order. Raises BadFrame."""
    found: list[Field] = []
    at = 0
    while at < len(message):
        start = at
        tag, at = _varint(message, at)
        kind = tag & 7
        value, at = _value(message, at, kind)
        found.append(Field(tag >> 3, kind, value, message[start:at]))
    return found


def message_field(number: int, value: bytes) -> bytes:
    """Return a field that holds a string or a message."""
    return _as_varint(number << 3 | BYTES) + _as_varint(len(value)) + value


def entry(field: Field) -> tuple[str, str]:
    """Return a map's entry as text. Raises BadFrame."""
    parts = {part.number: part.value for part in fields(field.value)}
    return parts.get(1, b"").decode("utf-8", "replace"), parts.get(2, b"").decode(
        "utf-8", "replace"
    )


def _value(message: bytes, at: int, kind: int) -> tuple[bytes, int]:
    if kind == VARINT:
        _, end = _varint(message, at)
        return message[at:end], end
    if kind == BYTES:
        length, at = _varint(message, at)
    elif kind in {FIXED64, FIXED32}:
        length = 8 if kind == FIXED64 else 4
    else:
        raise BadFrame("a field of an unknown kind")
    if at + length > len(message):
        raise BadFrame("a field longer than its message")
    return message[at : at + length], at + length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise BadFrame("a number without an end")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise BadFrame("a number that is too long")


def _as_varint(value: int) -> bytes:
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
