"""Builds by the engine's BuildKit: what it would push by itself is left to the job's own pushes.

Buildx speaks gRPC through an upgraded connection (`POST /grpc`). A request to solve says in the
attributes of its exporters whether to push (moby/buildkit `api/services/control/control.proto`).
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from trunkline.adapters.docker.proxy import frames
from trunkline.adapters.docker.proxy.forwarding import PlainStream, Refused
from trunkline.adapters.docker.proxy.frames import (
    BYTES,
    DATA,
    HEADERS,
    MESSAGE_HEAD,
    PREFACE,
    BadFrame,
    Field,
    Frame,
    FrameReader,
)
from trunkline.adapters.docker.publishing import Publisher, read_reference
from trunkline.adapters.docker.wire import Message
from trunkline.base.errors import Unavailable
from trunkline.oci.hosts import is_this_machine

# Fields of SolveRequest, and of what is in it.
EXPORTER_ATTRS, CACHE, EXPORTERS = 4, 8, 13
OLD_CACHE_EXPORT, CACHE_EXPORTS = 1, 4
TYPE, ATTRS = 1, 2
# How the output of a program in a container begins, before its length (Engine API, attach).
STDOUT = b"\x01\0\0\0"
TRUE = frozenset({"1", "t", "true"})
# BuildKit takes no larger requests.
LARGEST_MESSAGE = 16 << 20
BY_DIGEST = (
    "Rehearsal: an image can't be pushed by its digest alone. Give it a tag, or run with --publish."
)
ELSEWHERE = (
    "Rehearsal: a builder of its own would push without the local registry. Use the engine's "
    "builder (`docker buildx use default`), or run with --publish."
)


class PushByDigest(Exception):
    """A push without a tag, which can't be made in its place."""


class Solve(msgspec.Struct, frozen=True):
    """What a request to solve becomes: its message, and the names to push after it."""

    message: bytes
    names: tuple[str, ...] = ()


class BuildKitStream:
    """One connection to the engine's BuildKit, in a rehearsal. Each way is used by one thread."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._preface = bytearray()
        self._requests = FrameReader()
        self._answers = FrameReader()
        self._held: dict[int, list[Frame]] = {}
        # By stream: what to push once its answer is there.
        self._to_push: dict[int, tuple[str, ...]] = {}
        self._answered: set[int] = set()

    def to_engine(self, data: bytes) -> bytes:
        """Return what the engine is to get for bytes of the client. Raises Refused."""
        head = b""
        if len(self._preface) < len(PREFACE):
            missing = len(PREFACE) - len(self._preface)
            head, data = data[:missing], data[missing:]
            self._preface += head
        return head + b"".join(map(self._passed, self._requests.feed(data)))

    def _passed(self, frame: Frame) -> bytes:
        """Hold a message's frames back until it is whole."""
        if frame.kind != DATA:
            return frame.raw
        held = self._held.setdefault(frame.stream, [])
        held.append(frame)
        content = b"".join(each.data for each in held)
        if not _is_whole(content) and not frame.ends_stream and len(content) <= LARGEST_MESSAGE:
            return b""
        del self._held[frame.stream]
        try:
            solve = rewritten(content)
        except PushByDigest as error:
            farewell = frames.grpc_error(frame.stream, str(error), has_begun=False)
            raise Refused(str(error), farewell) from error
        if solve.message == content:
            return b"".join(each.raw for each in held)
        self._to_push[frame.stream] = solve.names
        return frames.data_frames(frame.stream, solve.message, ends_stream=frame.ends_stream)

    def to_client(self, data: bytes) -> Iterator[bytes]:
        """Yield what the client is to get for bytes of the engine; pushes come before an end.

        Raises Refused when a push fails.
        """
        for frame in self._answers.feed(data):
            if frame.stream in self._to_push:
                if frame.kind == DATA:
                    self._answered.add(frame.stream)
                if frame.kind in {DATA, HEADERS} and frame.ends_stream:
                    self._push(frame.stream)
            yield frame.raw

    def _push(self, stream: int) -> None:
        names = self._to_push.pop(stream)
        if stream not in self._answered:  # the build failed
            return
        for name in names:
            try:
                self._publisher.push(name, {}, _hear_nothing)
            except Unavailable as error:
                text = f"failed to push {name}: {error.message}"
                farewell = frames.grpc_error(stream, text, has_begun=True)
                raise Refused(text, farewell) from error


class ExecStream(PlainStream):
    """Bytes for a program in a container: where it is BuildKit, it must not push by itself."""

    def __init__(self) -> None:
        self._begin = bytearray()
        self._reader: FrameReader | None = None
        self._content: dict[int, bytearray] = {}

    def to_engine(self, data: bytes) -> bytes:
        """Return `data`. Raises Refused when it asks BuildKit to push."""
        if self._reader is None and len(self._begin) < len(PREFACE):
            self._begin += data
            if not self._begin.startswith(PREFACE):
                return data
            self._reader = FrameReader()
            self._look(bytes(self._begin[len(PREFACE) :]))
        elif self._reader is not None:
            self._look(data)
        return data

    def _look(self, data: bytes) -> None:
        for frame in self._reader.feed(data) if self._reader is not None else ():
            if frame.kind != DATA:
                continue
            content = self._content.setdefault(frame.stream, bytearray())
            content += frame.data
            if _is_whole(content) or frame.ends_stream or len(content) > LARGEST_MESSAGE:
                del self._content[frame.stream]
                if _pushes(bytes(content)):
                    error = frames.grpc_error(frame.stream, ELSEWHERE, has_begun=False)
                    raise Refused(ELSEWHERE, STDOUT + len(error).to_bytes(4, "big") + error)


def _pushes(content: bytes) -> bool:
    try:
        return rewritten(content).message != content
    except PushByDigest:
        return True


def rewritten(content: bytes) -> Solve:
    """Return what a gRPC message becomes: one that asks for no push to another machine.

    Raises PushByDigest for a push that can't be made in its place.
    """
    if not _is_whole(content) or content[0]:
        return Solve(content)
    try:
        parts = frames.fields(content[MESSAGE_HEAD:])
        kept, names = _without_push(parts, EXPORTER_ATTRS)
        found = [_inner(part, names) for part in kept]
    except BadFrame:  # another kind of message
        return Solve(content)
    message = b"".join(found)
    head = b"\0" + len(message).to_bytes(MESSAGE_HEAD - 1, "big")
    return Solve(head + message, tuple(dict.fromkeys(names)))


def _inner(field: Field, names: list[str]) -> bytes:
    """Return a field of a request to solve; `names` gains what is to be pushed in its place."""
    if field.kind != BYTES or field.number not in {EXPORTERS, CACHE}:
        return field.raw
    parts = frames.fields(field.value)
    if field.number == CACHE:
        kept = [part for part in parts if not _sends_cache(part)]
    else:
        kept, more = _without_push(parts, ATTRS)
        names += more
    if len(kept) == len(parts):
        return field.raw
    return frames.message_field(field.number, b"".join(part.raw for part in kept))


def _without_push(parts: list[Field], number: int) -> tuple[list[Field], list[str]]:
    """Return a message's fields without its attribute `push`, and the names it would have pushed."""
    entries = [part for part in parts if part.number == number and part.kind == BYTES]
    attributes = dict(map(frames.entry, entries))
    names = [name.strip() for name in attributes.get("name", "").split(",") if name.strip()]
    pushes = attributes.get("push", "").lower() in TRUE
    if not pushes or not names or all(map(_is_ours, names)):
        return parts, []
    if attributes.get("push-by-digest", "").lower() in TRUE:
        raise PushByDigest(BY_DIGEST)
    dropped = [part for part in entries if frames.entry(part)[0] == "push"]
    return [part for part in parts if part not in dropped], names


def _sends_cache(part: Field) -> bool:
    """Tell whether a field of the cache's options sends it to another machine's registry."""
    if part.kind != BYTES or part.number not in {OLD_CACHE_EXPORT, CACHE_EXPORTS}:
        return False
    if part.number == OLD_CACHE_EXPORT:
        return not _is_ours(part.value.decode("utf-8", "replace"))
    inner = frames.fields(part.value)
    kinds = [each.value for each in inner if each.number == TYPE]
    attributes = dict(frames.entry(each) for each in inner if each.number == ATTRS)
    return b"registry" in kinds and not _is_ours(attributes.get("ref", ""))


def _is_ours(name: str) -> bool:
    try:
        return is_this_machine(read_reference(name).host)
    except Unavailable:
        return False


def _is_whole(content: bytes | bytearray) -> bool:
    if len(content) < MESSAGE_HEAD:
        return False
    return len(content) == MESSAGE_HEAD + int.from_bytes(content[1:MESSAGE_HEAD], "big")


def _hear_nothing(_message: Message) -> None:
    """Say nothing: the answer of a build has no place for it; who listens hears of the push."""
