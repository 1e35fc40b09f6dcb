"""Heads of HTTP/1.1 messages: read, changed and written again, byte by byte as they came otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, unquote, urlencode

import msgspec

WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
REQUEST_LINE = re.compile(rf"({WORD}) (\S+) HTTP/1\.([01])", re.ASCII)
STATUS_LINE = re.compile(r"HTTP/1\.([01]) ([1-9][0-9]{2})(?: (.*))?", re.ASCII | re.DOTALL)
FIELD_NAME = re.compile(WORD, re.ASCII)
LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)
# A request may name its server as well (RFC 9112, 3.2.2).
ORIGIN = re.compile(r"https?://[^/?]*", re.IGNORECASE)
VERSION = re.compile(r"^/v[0-9]+(?:\.[0-9]+)*(?=/)", re.ASCII)

Fields = tuple[tuple[str, str], ...]


class BadHead(ValueError):
    """Bytes that are not the head of an HTTP/1.1 message, or one that could be read in two ways."""


class Framing(msgspec.Struct, frozen=True):
    """How long a body is: `chunked`, else `length` bytes, else (None) until the connection ends."""

    chunked: bool = False
    length: int | None = 0

    @property
    def is_empty(self) -> bool:
        """Tell whether there is no body."""
        return not self.chunked and self.length == 0


EMPTY = Framing()


class Head(msgspec.Struct, frozen=True):
    """The fields of a message in their order, with their names as they came."""

    fields: Fields

    def get(self, name: str) -> str:
        """Return a field's value, several of them joined by commas, '' without any."""
        wanted = name.lower()
        return ", ".join(value for field, value in self.fields if field.lower() == wanted)

    def words(self, name: str) -> frozenset[str]:
        """Return a field's values between commas, in lower case."""
        return frozenset(
            word for part in self.get(name).split(",") if (word := part.strip().lower())
        )


class Request(Head, frozen=True):
    """A request's head."""

    method: str
    target: str
    minor: int = 1

    @property
    def path(self) -> str:
        """Return the path without the API's version, decoded (`/images/ghcr.io/o/n/push`)."""
        path = unquote(ORIGIN.sub("", self.target, count=1).partition("?")[0])
        return VERSION.sub("", path, count=1)

    @property
    def query(self) -> dict[str, str]:
        """Return the query's parameters; of a repeated one the first, as the engine does."""
        found: dict[str, str] = {}
        for name, value in self.pairs():
            found.setdefault(name, value)
        return found

    def pairs(self) -> list[tuple[str, str]]:
        """Return the query's parameters in their order."""
        return parse_qsl(self.target.partition("?")[2], keep_blank_values=True)

    @property
    def framing(self) -> Framing:
        """Return how long the body is. Raises BadHead."""
        coded = self.words("transfer-encoding")
        if not coded:
            return Framing(length=_length(self) or 0)
        if coded != {"chunked"} or self.get("content-length"):
            raise BadHead("a body whose length can't be told")
        return Framing(chunked=True, length=None)

    @property
    def keeps_alive(self) -> bool:
        """Tell whether another request may follow on the connection."""
        return self.minor == 1 and "close" not in self.words("connection")

    @property
    def upgrades(self) -> bool:
        """Tell whether the client asks for a connection of another protocol."""
        return "upgrade" in self.words("connection") or bool(self.get("upgrade"))

    def encoded(self) -> bytes:
        """Return the bytes to send."""
        return _encoded(f"{self.method} {self.target} HTTP/1.{self.minor}", self.fields)


class Answer(Head, frozen=True):
    """An answer's head."""

    status: int
    reason: str = ""
    minor: int = 1

    def framing(self, method: str) -> Framing:
        """Return how long the body is, of an answer to `method` (RFC 9112, 6.3). Raises BadHead."""
        if method == "HEAD" or self.status < 200 or self.status in {204, 304}:
            return EMPTY
        if "chunked" in self.words("transfer-encoding"):
            return Framing(chunked=True, length=None)
        return Framing(length=_length(self))

    @property
    def is_interim(self) -> bool:
        """Tell whether the real answer is still to come."""
        return self.status < 200 and self.status != 101

    def encoded(self) -> bytes:
        """Return the bytes to send."""
        return _encoded(f"HTTP/1.{self.minor} {self.status} {self.reason}", self.fields)


def parse_request(head: bytes) -> Request:
    """Read a request's head, up to and without its empty line. Raises BadHead."""
    first, fields = _parsed(head)
    found = REQUEST_LINE.fullmatch(first)
    if found is None:
        raise BadHead(f"not a request: {first[:80]!r}")
    return Request(method=found[1], target=found[2], minor=int(found[3]), fields=fields)


def parse_answer(head: bytes) -> Answer:
    """Read an answer's head, up to and without its empty line. Raises BadHead."""
    first, fields = _parsed(head)
    found = STATUS_LINE.fullmatch(first)
    if found is None:
        raise BadHead(f"not an answer: {first[:80]!r}")
    return Answer(status=int(found[2]), reason=found[3] or "", minor=int(found[1]), fields=fields)


def replaced(fields: Fields, drop: Iterable[str], *add: tuple[str, str]) -> Fields:
    """Return fields without those named in `drop` (lower case), and with `add` behind."""
    gone = frozenset(drop)
    return (*(field for field in fields if field[0].lower() not in gone), *add)


def with_query(request: Request, **changed: str) -> Request:
    """Return a request some of whose query parameters are different."""
    kept = [pair for pair in request.pairs() if pair[0] not in changed]
    query = urlencode([*kept, *changed.items()])
    path = request.target.partition("?")[0]
    return msgspec.structs.replace(request, target=f"{path}?{query}")


def with_body(request: Request, length: int) -> Request:
    """Return a request whose body has another length, and comes in one piece."""
    fields = replaced(
        request.fields,
        ("content-length", "transfer-encoding", "expect"),
        ("Content-Length", str(length)),
    )
    return msgspec.structs.replace(request, fields=fields)


def with_chunks(request: Request) -> Request:
    """Return a request whose body comes in chunks."""
    fields = replaced(
        request.fields,
        ("content-length", "transfer-encoding", "expect"),
        ("Transfer-Encoding", "chunked"),
    )
    return msgspec.structs.replace(request, fields=fields)


def _parsed(head: bytes) -> tuple[str, Fields]:
    # Latin-1 keeps every byte as it is.
    first, *lines = head.decode("latin-1").split("\r\n")
    return first, tuple(_field(line) for line in lines)


def _field(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or FIELD_NAME.fullmatch(name) is None or re.search(r"[\r\n\0]", value):
        raise BadHead(f"not a header field: {line[:80]!r}")
    return name, value.strip(" \t")


def _length(head: Head) -> int | None:
    told = {value.strip() for value in head.get("content-length").split(",")}
    if told == {""}:
        return None
    if len(told) > 1 or LENGTH.fullmatch(text := told.pop()) is None:
        raise BadHead("a Content-Length that is no number")
    return int(text)


def _encoded(first: str, fields: Fields) -> bytes:
    lines = [first, *(f"{name}: {value}" for name, value in fields), "", ""]
    return "\r\n".join(lines).encode("latin-1")
