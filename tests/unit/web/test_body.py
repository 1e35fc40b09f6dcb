"""Bodies of requests: they end where they say, or with an error."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.web.body import PIECE, Body, BodyError


def chunked(parts: list[bytes], trailers: bytes = b"") -> bytes:
    coded = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts if part)
    return coded + b"0\r\n" + trailers + b"\r\n"


def connection(data: bytes) -> io.BufferedReader:
    return io.BufferedReader(io.BytesIO(data))


@given(st.lists(st.binary(max_size=300), max_size=8), st.lists(st.integers(1, 500), min_size=1))
def test_chunks_become_one_stream(parts: list[bytes], sizes: list[int]) -> None:
    incoming = connection(chunked(parts) + b"NEXT")
    body = Body(incoming, None)
    whole = b"".join(parts)
    read = b""
    while data := body.read(sizes[len(read) % len(sizes)]):
        read += data
    assert read == whole
    assert body.is_read
    assert incoming.read() == b"NEXT"


@given(st.binary(max_size=400))
def test_any_bytes_are_a_body_or_an_error(data: bytes) -> None:
    try:
        Body(connection(data), None).read()
    except BodyError:
        return
    assert data.lstrip(b"0123456789abcdefABCDEF").startswith((b"\r\n", b" ", b"\t", b";"))


def test_a_length_ends_the_body() -> None:
    incoming = connection(b"0123456789")
    body = Body(incoming, 4)
    assert body.read() == b"0123"
    assert body.read() == b""
    assert incoming.read() == b"456789"


def test_a_body_of_no_bytes_is_read() -> None:
    assert Body(connection(b""), 0).is_read


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"5\r\nabc",
        b"5\r\nabcde",
        b"5\r\nabcde\r\n",
        b"5\r\nabcde\r\n0\r\n",
        b"5\r\nabcdeXX0\r\n\r\n",
        b"-5\r\nabcde\r\n0\r\n\r\n",
        b"+5\r\nabcde\r\n0\r\n\r\n",
        b"0x5\r\nabcde\r\n0\r\n\r\n",
        b"1_0\r\nabcde\r\n0\r\n\r\n",
        b"\r\n",
        b"5\nabcde\n0\n\n",
        b"fffffffffffffffff\r\nabc",
        b"5;" + b"x" * 5000 + b"\r\nabcde\r\n0\r\n\r\n",
        b"0\r\n" + b"a: b\r\n" * 70 + b"\r\n",
    ],
)
def test_broken_chunks_are_an_error_and_stay_one(data: bytes) -> None:
    body = Body(connection(data), None)
    for _ in range(2):
        with pytest.raises(BodyError):
            body.read()
    assert not body.is_read


def test_a_body_that_ends_early_is_an_error() -> None:
    body = Body(connection(b"abc"), 5)
    assert body.read(3) == b"abc"
    with pytest.raises(BodyError, match="ended early"):
        body.read(3)


def test_extensions_and_trailers_are_skipped() -> None:
    incoming = connection(b"3;name=value\r\nabc\r\n0\r\nExpires: never\r\n\r\nNEXT")
    assert Body(incoming, None).read() == b"abc"
    assert incoming.read() == b"NEXT"


def test_a_chunk_of_any_size_is_read_piece_by_piece() -> None:
    asked = []

    class Endless:
        def read1(self, size: int) -> bytes:
            asked.append(size)
            return b"x" * size

        def readline(self, size: int) -> bytes:
            return b"ffffffffffff\r\n"[:size]

    body = Body(Endless(), None)
    assert len(body.read(10 * PIECE)) == 10 * PIECE
    assert max(asked) == PIECE


def test_the_client_is_invited_once_and_only_when_something_is_read() -> None:
    invited: list[int] = []
    body = Body(connection(b"abcd"), 4, lambda: invited.append(1))
    assert body.is_held_back
    assert not invited
    assert body.read(1) + body.read() == b"abcd"
    assert invited == [1]
    assert not body.is_held_back


def test_a_rest_is_discarded_up_to_a_limit() -> None:
    assert Body(connection(b"x" * 100), 100).discard(PIECE)
    assert not Body(connection(b"x" * 3 * PIECE), 3 * PIECE).discard(PIECE)
    assert not Body(connection(b"x"), 2).discard(PIECE)


def test_lines_and_buffers_are_read_too() -> None:
    body = Body(connection(chunked([b"one\ntw", b"o\n"])), None)
    assert body.readline() == b"one\n"
    buffer = bytearray(10)
    read = body.readinto(buffer)
    assert bytes(buffer[:read]) == b"tw"
    assert list(body) == [b"o\n"]
