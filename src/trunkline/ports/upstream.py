"""Port: the real servers, to which what a job writes is sent when its user wants that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from trunkline.ports.image_store import Stream


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """A request. `length` is that of `content` in bytes, None when it is not known."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    content: Stream | None = None
    length: int | None = None


class Received(Protocol):
    """What was answered. Whoever has it closes it."""

    @property
    def status(self) -> int:
        """Return the HTTP status."""
        ...

    @property
    def headers(self) -> Sequence[tuple[str, str]]:
        """Return the headers, as they came."""
        ...

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes of the body; b'' at its end. Raises Unavailable."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


class Upstream(Protocol):
    """Sends requests over HTTPS, to a server that proves who it is. Thread-safe."""

    def send(self, request: Sending) -> Received:
        """Return the answer, whatever its status; redirects are not followed.

        Raises Unavailable when nobody answers or the server's certificate is not good, UsageError
        for an address that is not HTTPS (this machine's own excepted); BrokenOff when the content
        ends early.
        """
        ...
