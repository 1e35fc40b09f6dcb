"""Builds by BuildKit in a rehearsal: what it would push by itself is taken out, and pushed after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.adapters.docker.proxy import frames
from trunkline.adapters.docker.proxy.buildkit import (
    BY_DIGEST,
    ELSEWHERE,
    BuildKitStream,
    ExecStream,
    PushByDigest,
    rewritten,
)
from trunkline.adapters.docker.proxy.forwarding import Refused
from trunkline.adapters.docker.proxy.frames import (
    DATA,
    END_STREAM,
    HEADERS,
    PREFACE,
    BadFrame,
    Frame,
    FrameReader,
    data_frames,
    fields,
    frame,
    message_field,
)
from trunkline.adapters.docker.publishing import Publisher, Tell
from trunkline.adapters.docker.wire import Wire
from trunkline.base.errors import Unavailable
from trunkline.ports.containers import ImagePush


class Pushes(Publisher):
    """Pushes that are only told."""

    def __init__(self) -> None:
        super().__init__(Wire("unix:///nobody", {}), None)
        self.names: list[str] = []

    def push(
        self, reference: str, login: Mapping[str, str], tell: Tell, meant: str = ""
    ) -> ImagePush:
        del login, tell, meant
        if reference.endswith(":full"):
            raise Unavailable("the disk is full")
        self.names.append(reference)
        return ImagePush(reference=reference, digest="")


def entries(number: int, attributes: Mapping[str, str]) -> bytes:
    pairs = (
        message_field(1, key.encode()) + message_field(2, value.encode())
        for key, value in attributes.items()
    )
    return b"".join(message_field(number, pair) for pair in pairs)


def solve(attributes: Mapping[str, str], caches: Sequence[Mapping[str, str]] = ()) -> bytes:
    """Return a request as Buildx sends it: attributes in the old place and in the new one."""
    exporter = message_field(1, b"moby") + entries(2, attributes)
    exports = b"".join(
        message_field(4, message_field(1, b"registry") + entries(2, each)) for each in caches
    )
    cache = exports + message_field(5, message_field(1, b"registry"))
    return grpc(
        message_field(1, b"k4bpn0w3fp7w0808jln0olee3")
        + message_field(3, b"moby")
        + entries(4, attributes)
        + message_field(5, b"session")
        + entries(7, {"filename": "Dockerfile", "push": "true"})
        + message_field(8, cache)
        + b"\x58\x01"
        + message_field(13, exporter)
    )


def grpc(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4, "big") + message


def read(data: bytes) -> list[Frame]:
    return list(FrameReader().feed(data))


def through(stream: BuildKitStream, data: bytes, size: int = 1 << 20) -> bytes:
    parts = (data[at : at + size] for at in range(0, len(data), size))
    return b"".join(map(stream.to_engine, parts))


PUSH = {"name": "ghcr.io/o/n:1,ghcr.io/o/n:2", "push": "true"}
KEPT = {"name": "ghcr.io/o/n:1,ghcr.io/o/n:2"}


# --- the request ------------------------------------------------------------------------


def test_a_push_to_another_machine_is_taken_out() -> None:
    found = rewritten(solve(PUSH))
    assert found.message == solve(KEPT)
    assert found.names == ("ghcr.io/o/n:1", "ghcr.io/o/n:2")


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"name": "ghcr.io/o/n:1"},
        {"name": "ghcr.io/o/n:1", "push": "false"},
        {"push": "true"},
        {"name": "localhost:5000/n:1", "push": "true"},
    ],
)
def test_what_pushes_nowhere_else_stays_as_it_is(attributes: dict[str, str]) -> None:
    assert rewritten(solve(attributes)).message == solve(attributes)


def test_a_cache_for_another_machines_registry_is_not_sent() -> None:
    ours, theirs = {"ref": "localhost:5000/c", "mode": "max"}, {"ref": "ghcr.io/o/n:cache"}
    assert rewritten(solve({}, [ours, theirs])).message == solve({}, [ours])


def test_a_push_by_digest_alone_is_refused() -> None:
    with pytest.raises(PushByDigest, match="by its digest alone"):
        rewritten(solve({"name": "ghcr.io/o/n", "push": "true", "push-by-digest": "true"}))


@given(st.binary(max_size=300))
def test_other_messages_stay_as_they_are(message: bytes) -> None:
    assert rewritten(message).names == ()
    assert rewritten(message).message == message


# --- the connection ---------------------------------------------------------------------


@given(st.integers(1, 400), st.booleans())
def test_frames_come_through_whatever_pieces_they_come_in(size: int, splits: bool) -> None:  # noqa: FBT001
    message = solve(PUSH)
    settings, headers = frame(4, 0, 0, b""), frame(HEADERS, 4, 15, b"\x83\x86")
    body = data_frames(15, message, ends_stream=True)
    if splits:
        body = frame(DATA, 0, 15, message[:50]) + frame(DATA, END_STREAM, 15, message[50:])
    stream = BuildKitStream(Pushes())
    other = data_frames(13, grpc(b"\x0a\x03ref"), ends_stream=False)
    sent = through(stream, PREFACE + settings + other + headers + body, size)
    assert sent.startswith(PREFACE + settings + other + headers)
    last = read(sent.removeprefix(PREFACE))[-1]
    assert last.data == solve(KEPT)
    assert last.ends_stream


def test_images_are_pushed_after_the_build_and_before_its_end_is_told() -> None:
    pushes = Pushes()
    stream = BuildKitStream(pushes)
    through(stream, PREFACE + data_frames(15, solve(PUSH), ends_stream=True))
    answer = data_frames(15, grpc(b""), ends_stream=False)
    trailers = frame(HEADERS, END_STREAM | 4, 15, b"\xbf")
    begun = stream.to_client(frame(HEADERS, 4, 15, b"\x88") + answer + trailers)
    told = [next(begun), next(begun)]
    assert told[1] == answer
    assert not pushes.names
    assert next(begun) == trailers
    assert pushes.names == ["ghcr.io/o/n:1", "ghcr.io/o/n:2"]
    assert list(stream.to_client(trailers)) == [trailers]
    assert len(pushes.names) == 2


def test_a_build_that_failed_pushes_nothing() -> None:
    pushes = Pushes()
    stream = BuildKitStream(pushes)
    through(stream, PREFACE + data_frames(15, solve(PUSH), ends_stream=True))
    failed = frame(HEADERS, END_STREAM | 4, 15, b"\x88")
    assert b"".join(stream.to_client(failed)) == failed
    assert not pushes.names


def test_a_push_that_fails_fails_the_build_in_its_words() -> None:
    stream = BuildKitStream(Pushes())
    message = solve({"name": "ghcr.io/o/n:full", "push": "true"})
    through(stream, PREFACE + data_frames(15, message, ends_stream=True))
    answer = data_frames(15, grpc(b""), ends_stream=False)
    with pytest.raises(
        Refused, match=r"failed to push ghcr\.io/o/n:full: the disk is full"
    ) as told:
        list(stream.to_client(answer + frame(HEADERS, END_STREAM | 4, 15, b"")))
    (farewell,) = read(told.value.farewell)
    assert farewell.stream == 15
    assert farewell.ends_stream
    text = unquote(farewell.payload.decode("latin-1"))
    assert "failed to push ghcr.io/o/n:full: the disk is full" in text
    assert b"content-type" not in farewell.payload


def test_a_refusal_is_an_answer_of_its_own() -> None:
    message = solve({"name": "ghcr.io/o/n", "push": "1", "push-by-digest": "true"})
    with pytest.raises(Refused) as told:
        through(BuildKitStream(Pushes()), PREFACE + data_frames(3, message, ends_stream=True))
    (farewell,) = read(told.value.farewell)
    assert farewell.payload.startswith(b"\x88\0\x0ccontent-type")
    # The text is longer than 127 bytes: its length takes a second byte.
    assert BY_DIGEST in unquote(farewell.payload.decode("latin-1"))


# --- BuildKit in a container ------------------------------------------------------------


def chunks(data: bytes, size: int) -> Iterable[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_a_builder_of_its_own_may_build_and_not_push(size: int) -> None:
    builds = PREFACE + data_frames(1, solve(KEPT), ends_stream=True)
    stream = ExecStream()
    assert b"".join(map(stream.to_engine, chunks(builds, size))) == builds
    pushes = PREFACE + data_frames(1, solve(PUSH), ends_stream=True)
    stream = ExecStream()
    with pytest.raises(Refused, match="a builder of its own") as told:
        list(map(stream.to_engine, chunks(pushes, size)))
    farewell = told.value.farewell
    assert farewell[:4] == b"\1\0\0\0"
    (frame,) = read(farewell[8:])
    assert int.from_bytes(farewell[4:8], "big") == len(frame.raw)
    assert ELSEWHERE in unquote(frame.payload.decode("latin-1"))


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_other_programs_get_what_they_are_sent(parts: list[bytes]) -> None:
    stream = ExecStream()
    assert [stream.to_engine(part) for part in parts] == parts
    assert list(stream.to_client(b"x")) == [b"x"]


# --- frames and fields ------------------------------------------------------------------


@given(st.binary(max_size=200))
def test_fields_are_all_of_a_message(message: bytes) -> None:
    try:
        found = fields(message)
    except BadFrame:
        return
    assert b"".join(field.raw for field in found) == message


@given(st.integers(1, 1 << 20), st.binary(max_size=300))
def test_a_field_is_read_as_it_was_written(number: int, value: bytes) -> None:
    (found,) = fields(message_field(number, value))
    assert (found.number, found.value) == (number, value)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 255), st.binary(max_size=50))))
def test_frames_are_read_as_they_were_written(sent: list[tuple[int, int, bytes]]) -> None:
    data = b"".join(frame(kind, flags, 7, payload) for kind, flags, payload in sent)
    found = [(each.kind, each.flags, each.payload) for each in read(data)]
    assert found == sent


def test_a_long_message_takes_several_frames_and_padding_is_no_data() -> None:
    found = read(data_frames(1, b"x" * 40000, ends_stream=True))
    assert [len(each.payload) for each in found] == [16384, 16384, 7232]
    assert [each.ends_stream for each in found] == [False, False, True]
    (padded,) = read(frame(DATA, frames.PADDED, 1, b"\x02abc\0\0"))
    assert padded.data == b"abc"
    (wrong,) = read(frame(DATA, frames.PADDED, 1, b"\x09abc"))
    with pytest.raises(BadFrame):
        _ = wrong.data
