"""One request that a client sent: its body, and the ways to answer it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from trunkline.adapters.docker.proxy.connection import Connection
from trunkline.adapters.docker.proxy.forwarding import Forwarding, Stream
from trunkline.adapters.docker.proxy.heads import (
    Answer,
    BadHead,
    Fields,
    Request,
    replaced,
    with_body,
    with_chunks,
)
from trunkline.adapters.docker.wire import Message, Wire

# A container's or network's description; contexts and images are never read whole.
LARGEST_BODY = 16 << 20
JSON: Fields = (("Content-Type", "application/json"),)
REASONS = {
    200: "OK",
    201: "Created",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
}


class Call:
    """A request and the connection that it came by. Every way to answer returns `keeps_alive`."""

    def __init__(self, client: Connection, request: Request, wire: Wire) -> None:
        self.request = request
        self.client = client
        self.wire = wire
        self._body: bytes | None = b"" if request.framing.is_empty else None

    def body(self) -> bytes:
        """Return the request's body. Raises BadHead when it is too large."""
        if self._body is not None:
            return self._body
        self._invite()
        content = bytearray()
        for data in self.client.content(self.request.framing):
            content += data
            if len(content) > LARGEST_BODY:
                raise BadHead("the body is too long")
        self._body = bytes(content)
        return self._body

    def content(self) -> Iterator[bytes]:
        """Return what the body holds piece by piece, once, and to its end. Raises Ended, BadHead."""
        self._invite()
        self._body = b""
        return self.client.content(self.request.framing)

    def _invite(self) -> None:
        """Ask a client that waits for it to send the body."""
        if "100-continue" in self.request.words("expect"):
            self.client.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def json(self) -> dict[str, Any] | None:
        """Return the body's JSON object, {} for an empty body, None when it is something else."""
        text = self.body()
        if not text.strip():
            return {}
        try:
            found = msgspec.json.decode(text)
        except msgspec.DecodeError:
            return None
        return found if isinstance(found, dict) else None

    def forward(
        self,
        request: Request | None = None,
        body: bytes | None = None,
        stream: Stream | None = None,
    ) -> bool:
        """Let the engine answer, perhaps to another request or with another body.

        When the connection becomes a stream, `stream` reads along.
        """
        request = request or self.request
        body = self._body or None if body is None else body
        if body is not None:
            request = with_body(request, len(body))
        engine = Connection(self.wire.connect())
        return Forwarding(self.client, engine, request, stream).run(body)

    def forward_content(self, request: Request, content: Iterator[bytes]) -> bool:
        """Let the engine answer, with a body that comes piece by piece."""
        engine = Connection(self.wire.connect())
        chunked = with_chunks(request)
        return Forwarding(self.client, engine, chunked).run(_chunks(content))

    def answer(self, value: Any, status: int = 200) -> bool:
        """Answer with JSON."""
        self.body()
        content = b"" if self.request.method == "HEAD" else msgspec.json.encode(value) + b"\n"
        fields = (*JSON, ("Content-Length", str(len(content))), *self._closing())
        head = Answer(status=status, reason=REASONS.get(status, "Error"), fields=fields)
        self.client.send(head.encoded() + content)
        return self.request.keeps_alive

    def refuse(self, message: str, status: int) -> bool:
        """Answer with an error, in the Engine API's form."""
        return self.answer({"message": message}, status)

    def stream(self) -> ProgressStream:
        """Answer with progress messages."""
        self.body()
        return ProgressStream(self.client, self.request, self._closing())

    def _closing(self) -> Fields:
        return () if self.request.keeps_alive else (("Connection", "close"),)


class ProgressStream:
    """Progress messages as the Engine API sends them; the answer begins with the first."""

    def __init__(self, client: Connection, request: Request, fields: Fields) -> None:
        self._client = client
        self._request = request
        self._fields = fields
        self.has_begun = False

    def tell(self, message: Message) -> None:
        """Send a message."""
        if not self.has_begun:
            self.has_begun = True
            coding = () if self._request.minor == 0 else (("Transfer-Encoding", "chunked"),)
            fields = (*JSON, *coding, *self._fields)
            self._client.send(Answer(status=200, reason="OK", fields=fields).encoded())
        self._send(msgspec.json.encode(message) + b"\r\n")

    def fail(self, words: str) -> None:
        """Send an error as the last message."""
        self.tell({"errorDetail": {"message": words}, "error": words})

    def end(self) -> bool:
        """End the answer."""
        if self._request.minor == 0:
            return False
        self._client.send(b"0\r\n\r\n")
        return self._request.keeps_alive

    def _send(self, data: bytes) -> None:
        chunk = data if self._request.minor == 0 else b"%x\r\n%s\r\n" % (len(data), data)
        self._client.send(chunk)


def without_login(request: Request, login: str = "") -> Request:
    """Return a request with another X-Registry-Auth, or with none."""
    add = (("X-Registry-Auth", login),) if login else ()
    fields = replaced(request.fields, ("x-registry-auth",), *add)
    return msgspec.structs.replace(request, fields=fields)


def _chunks(content: Iterator[bytes]) -> Iterator[bytes]:
    for data in content:
        if data:
            yield b"%x\r\n%s\r\n" % (len(data), data)
    yield b"0\r\n\r\n"
