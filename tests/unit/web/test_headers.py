"""Headers: what is taken, and what is refused because servers read it differently."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.web.headers import HeaderReader, Unsupported, body_length, stays_open

HOST = {b"Host": b"here"}


def read(text: bytes) -> dict[bytes, bytes]:
    return HeaderReader()(io.BytesIO(text), {})


def test_names_are_written_alike_and_values_trimmed() -> None:
    found = read(b"content-TYPE:  a/b \r\nX:\r\n\r\n")
    assert found == {b"Content-Type": b"a/b", b"X": b""}


def test_lists_over_several_lines_are_joined() -> None:
    found = read(b"Accept: a\r\naccept: b\r\nCookie: c=1\r\nCookie: d=2\r\n\r\n")
    assert found == {b"Accept": b"a, b", b"Cookie": b"c=1; d=2"}


def test_names_that_wsgi_would_confuse_are_left_out() -> None:
    assert read(b"Content_Length: 5\r\nContent-Length: 4\r\n\r\n") == {b"Content-Length": b"4"}


@pytest.mark.parametrize(
    "text",
    [
        b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"Host: a\r\nHost: b\r\n\r\n",
        b"Authorization: a\r\nAuthorization: b\r\n\r\n",
        b"Content-Length : 5\r\n\r\n",
        b"Folded: a\r\n b\r\n\r\n",
        b"Bare: a\n\r\n",
        b"No colon\r\n\r\n",
        b": no name\r\n\r\n",
        b"Nul: a\x00b\r\n\r\n",
        b"Return: a\rb\r\n\r\n",
        b"Ends: here\r\n",
        b"Ends: in the mid",
        b"".join(b"H%d: x\r\n" % n for n in range(300)) + b"\r\n",
    ],
)
def test_headers_that_are_malformed_are_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match="header"):
        read(text)


@given(st.binary(max_size=200))
def test_any_bytes_are_headers_or_an_error(text: bytes) -> None:
    try:
        found = read(text + b"\r\n\r\n")
    except ValueError:
        return
    assert all(b"\n" not in name + value for name, value in found.items())


@pytest.mark.parametrize(
    ("fields", "length"),
    [
        ({}, 0),
        ({b"Content-Length": b"12"}, 12),
        ({b"Transfer-Encoding": b"chunked"}, None),
        ({b"Transfer-Encoding": b" Chunked "}, None),
    ],
)
def test_the_length_of_a_body(fields: dict[bytes, bytes], length: int | None) -> None:
    assert body_length({**HOST, **fields}, "HTTP/1.1") == length


@pytest.mark.parametrize(
    "fields",
    [
        {b"Content-Length": b"-5"},
        {b"Content-Length": b"+5"},
        {b"Content-Length": b"1_0"},
        {b"Content-Length": b"5, 5"},
        {b"Content-Length": b""},
        {b"Content-Length": b"9" * 30},
        {b"Content-Length": b"5", b"Transfer-Encoding": b"chunked"},
        {b"Transfer-Encoding": b"gzip, chunked"},
        {b"Transfer-Encoding": b"chunked, chunked"},
        {b"Transfer-Encoding": b"identity"},
    ],
)
def test_a_length_that_servers_could_read_differently_is_refused(
    fields: dict[bytes, bytes],
) -> None:
    with pytest.raises(ValueError, match=r"Length|Encoding"):
        body_length({**HOST, **fields}, "HTTP/1.1")


def test_other_codings_are_known_and_not_done() -> None:
    with pytest.raises(Unsupported):
        body_length({**HOST, b"Transfer-Encoding": b"gzip"}, "HTTP/1.1")


def test_a_host_is_needed_since_http_1_1() -> None:
    with pytest.raises(ValueError, match="Host"):
        body_length({}, "HTTP/1.1")
    assert body_length({}, "HTTP/1.0") == 0


def test_http_1_0_knows_no_chunks() -> None:
    with pytest.raises(ValueError, match="Transfer-Encoding"):
        body_length({b"Transfer-Encoding": b"chunked"}, "HTTP/1.0")


def test_who_keeps_the_connection() -> None:
    assert stays_open({}, "HTTP/1.1")
    assert not stays_open({b"Connection": b"Upgrade, Close"}, "HTTP/1.1")
    assert not stays_open({}, "HTTP/1.0")
    assert stays_open({b"Connection": b"keep-alive"}, "HTTP/1.0")
