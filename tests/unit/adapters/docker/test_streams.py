"""The raw stream of a process: frames come in any pieces, answers in any shape."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.adapters.docker.streams import Connection, Output
from trunkline.base.errors import Unavailable


def frame(stream: int, payload: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(payload).to_bytes(4, "big") + payload


def read_all(output: Output) -> bytes:
    found = b""
    while data := output.read(60):
        assert len(data) <= 1 << 20
        found += data
    return found


@given(
    st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=200)), max_size=8),
    st.lists(st.integers(1, 50), min_size=1, max_size=8),
)
def test_frames_come_whole_however_they_are_cut(
    frames: list[tuple[int, bytes]], sizes: list[int]
) -> None:
    whole = b"".join(frame(stream, payload) for stream, payload in frames)
    ours, theirs = socket.socketpair()
    output = Output(Connection(ours))
    seen = b""
    position = index = 0
    with theirs:
        while position < len(whole):
            size = sizes[index % len(sizes)]
            theirs.sendall(whole[position : position + size])
            position, index = position + size, index + 1
            seen += output.read(0) or b""
    seen += read_all(output)
    assert seen == b"".join(payload for _, payload in frames)
    assert output.is_over


def test_a_silent_stream_is_not_waited_for() -> None:
    ours, theirs = socket.socketpair()
    output = Output(Connection(ours))
    with theirs:
        assert output.read(0.01) is None
        theirs.sendall(frame(1, b"x"))
        assert output.read(60) == b"x"
    assert output.read(60) == b""
    output.close()


def test_what_is_given_to_a_process_that_has_gone_is_lost() -> None:
    ours, theirs = socket.socketpair()
    output = Output(Connection(ours))
    theirs.close()
    output.write(b"x")
    assert output.read(60) == b""
    output.write(b"y")


def answered(answer: bytes, parts: int = 1) -> Connection:
    """Return a connection whose request was answered so, in as many packets."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with theirs, suppress(BrokenPipeError):  # not every answer is read to its end
            theirs.recv(65536)
            size = max(1, len(answer) // parts)
            for start in range(0, len(answer), size):
                theirs.sendall(answer[start : start + size])

    threading.Thread(target=serve).start()
    connection = Connection(ours)
    try:
        connection.upgrade("/exec/1/start", b"{}")
    except Unavailable:
        connection.close()
        raise
    return connection


@pytest.mark.parametrize("parts", [1, 7, 60])
def test_what_comes_with_the_head_is_not_lost(parts: int) -> None:
    head = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
    output = Output(answered(head + frame(1, b"early ") + frame(2, b"bird"), parts))
    assert read_all(output) == b"early bird"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b'HTTP/1.1 409 Conflict\r\nContent-Length: 17\r\n\r\n{"message":"off"}', "off"),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 5\r\n\r\nplain", "plain"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 404 Not Found"),
        (b"", "closed the connection"),
        (b"HTTP/1.1 101 UPGR", "closed the connection"),
        (b"x" * 100000, "closed the connection"),
    ],
)
def test_a_refusal_is_told_in_the_engine_s_words(answer: bytes, message: str) -> None:
    with pytest.raises(Unavailable) as raised:
        answered(answer)
    assert message in raised.value.message
