"""One request on its way to the engine, and its answer back: nothing is kept, nothing is delayed."""

from __future__ import annotations

import select
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Protocol

from trunkline.adapters.docker.proxy.connection import Connection, Ended
from trunkline.adapters.docker.proxy.heads import Answer, BadHead, Framing, Request, parse_answer

# How often it is looked whether a body was sent whole, while the engine is silent (ms).
TURN = 200
# Seconds that a body has to end in once it is answered, for its connection to go on.
LAST_BYTES = 1.0
# What the engine answers with when it takes the connection for a stream, without a protocol's name.
RAW = "application/vnd.docker.raw-stream"
MULTIPLEXED = "application/vnd.docker.multiplexed-stream"


class Refused(Exception):
    """A stream must end; the client gets `farewell` before."""

    def __init__(self, message: str, farewell: bytes = b"") -> None:
        super().__init__(message)
        self.farewell = farewell


class Stream(Protocol):
    """What reads along where a connection has become a stream. Each way is used by one thread."""

    def to_engine(self, data: bytes) -> bytes:
        """Return what the engine is to get for bytes of the client. Raises Refused."""
        ...

    def to_client(self, data: bytes) -> Iterable[bytes]:
        """Return what the client is to get for bytes of the engine. Raises Refused."""
        ...


class PlainStream:
    """Bytes that pass as they are."""

    def to_engine(self, data: bytes) -> bytes:
        """Return `data`."""
        return data

    def to_client(self, data: bytes) -> Iterable[bytes]:
        """Return `data`."""
        return (data,)


class Forwarding:
    """Forwards one request. One thread answers; a body that the client sends has its own."""

    def __init__(
        self,
        client: Connection,
        engine: Connection,
        request: Request,
        stream: Stream | None = None,
    ) -> None:
        """Forward `request`; when it becomes a stream, `stream` reads along."""
        self._client = client
        self._engine = engine
        self._request = request
        self._stream = stream or PlainStream()
        self._sender: threading.Thread | None = None
        self._is_watched = True
        self.answer: Answer | None = None

    def run(self, body: bytes | Iterator[bytes] | None = None) -> bool:
        """Forward the request and tell whether the client's connection can take another.

        `body` is sent in place of what the client sends: whole, or as it comes, in the request's
        framing. Raises Ended or OSError when one of the sides is gone, BadHead when the engine
        answers with something else than HTTP.
        """
        self._engine.before_reading = self._watch
        whole = body if isinstance(body, bytes) else b""
        self._engine.send(self._request.encoded() + whole)
        if body is None and not self._request.framing.is_empty:
            body = self._client.raw(self._request.framing)
        if body is not None and not isinstance(body, bytes):
            self._sender = threading.Thread(
                target=self._send_body, args=(body,), name="engine-proxy-body", daemon=True
            )
            self._sender.start()
        try:
            return self._answer()
        finally:
            self._engine.end()
            self._join()
            self._engine.close()

    def _answer(self) -> bool:
        answer = self._head()
        self.answer = answer
        if answer.status == 101 or self._becomes_raw(answer):
            self._join()
            self._tunnel()
            return False
        framing = answer.framing(self._request.method)
        for data in self._engine.raw(framing):
            self._client.send(data)
        return self._can_go_on(answer, framing)

    def _head(self) -> Answer:
        while True:
            head = self._engine.head()
            if not head:
                raise Ended
            answer = parse_answer(head)
            self._client.send(answer.encoded())
            if not answer.is_interim:
                return answer

    def _becomes_raw(self, answer: Answer) -> bool:
        is_endless = answer.framing(self._request.method).length is None
        kind = answer.get("content-type").partition(";")[0].strip()
        is_raw = kind in {RAW, MULTIPLEXED} and "chunked" not in answer.words("transfer-encoding")
        return self._request.method == "POST" and is_endless and is_raw

    def _can_go_on(self, answer: Answer, framing: Framing) -> bool:
        is_open = framing.chunked or framing.length is not None
        says_close = "close" in answer.words("connection") or answer.minor == 0
        if self._sender is not None:  # what it sent may be answered before it knows that it is done
            self._sender.join(LAST_BYTES)
        is_sent = self._sender is None or not self._sender.is_alive()
        return self._request.keeps_alive and is_open and not says_close and is_sent

    def _join(self) -> None:
        if self._sender is not None:
            self._sender.join()

    # --- the client's side --------------------------------------------------------------

    def _send_body(self, body: Iterator[bytes]) -> None:
        """Send the client's body; once the engine wants no more of it, read it to its end."""
        is_wanted = True
        try:
            for data in body:
                is_wanted = is_wanted and self._sent(data)
        except (Ended, BadHead, OSError):
            self._engine.end()

    def _sent(self, data: bytes) -> bool:
        try:
            self._engine.send(data)
        except OSError:
            return False
        return True

    def _watch(self) -> None:
        """Wait for the engine; a client that goes meanwhile is told to it."""
        waiting = select.poll()
        waiting.register(self._engine.socket, select.POLLIN)
        while True:
            is_sending = self._sender is not None and self._sender.is_alive()
            watches = self._is_watched and not is_sending
            if watches:
                waiting.register(self._client.socket, select.POLLIN)
            ready = {number for number, _ in waiting.poll(TURN if is_sending else None)}
            if self._engine.socket.fileno() in ready:
                return
            if watches and ready:
                waiting.unregister(self._client.socket)
                self._is_watched = False
                if self._client.has_ended():  # else it has sent its next request already
                    self._engine.end_sending()

    # --- both ways ----------------------------------------------------------------------

    def _tunnel(self) -> None:
        """Carry bytes both ways until both sides have ended (each may end before the other)."""
        self._is_watched = False  # whoever reads from it will tell
        carrier = Carrier(self._client, self._engine, self._stream)
        sending = threading.Thread(
            target=carrier.to_engine, name="engine-proxy-stream", daemon=True
        )
        sending.start()
        carrier.to_client()
        sending.join()


class Carrier:
    """Carries an upgraded connection's bytes, through what reads along."""

    def __init__(self, client: Connection, engine: Connection, stream: Stream) -> None:
        self._client = client
        self._engine = engine
        self._stream = stream
        # Held while the client is sent something.
        self._sending = threading.Lock()

    def to_engine(self) -> None:
        """Carry what the client sends."""
        try:
            for data in self._client.rest():
                passed = self._stream.to_engine(data)
                if passed:
                    self._engine.send(passed)
        except Refused as refusal:
            self._refuse(refusal)
        except OSError:
            self._engine.end()
        else:
            self._engine.end_sending()

    def to_client(self) -> None:
        """Carry what the engine sends."""
        try:
            for data in self._engine.rest():
                for passed in self._stream.to_client(data):
                    with self._sending:
                        self._client.send(passed)
        except Refused as refusal:
            self._refuse(refusal)
        except OSError:
            self._client.end()
        else:
            self._client.end_sending()

    def _refuse(self, refusal: Refused) -> None:
        with self._sending, suppress(OSError):
            self._client.send(refusal.farewell)
        self._client.end()
        self._engine.end()
