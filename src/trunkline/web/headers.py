"""Headers of a request: read strictly, so that no two servers disagree where a request ends."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

MOST_FIELDS = 200
TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
LENGTH = re.compile(rb"[0-9]{1,18}")
# Fields that have one value: a second one is a mistake or an attack (RFC 9112, section 3.2; RFC 9110, 5.3).
SINGLE = {
    *(b"Host", b"Content-Length", b"Transfer-Encoding", b"Authorization", b"Content-Type"),
    *(b"Content-Range", b"Range", b"Expect"),
}


class Lines(Protocol):
    """What headers are read from."""

    def readline(self) -> bytes:
        """Return the next line with its end."""
        ...


class Unsupported(ValueError):
    """A request asks for something that HTTP knows and this server does not do."""


class HeaderReader:
    """Reads the fields of a request. Raises ValueError for what is not a header (RFC 9112, section 5).

    Fields that stand several times are joined by commas, as lists may be written: clients of
    registries send up to six Accept lines. Names with `_` are left out: WSGI can't tell them from
    those with `-`.
    """

    def __call__(self, lines: Lines, fields: dict[bytes, bytes]) -> dict[bytes, bytes]:
        """Read fields into `fields`, names written like `Content-Type`, up to the empty line."""
        for _ in range(MOST_FIELDS + 1):
            line = lines.readline()
            if line == b"\r\n":
                return fields
            _add(fields, line)
        raise ValueError("The request has too many headers.")


def _add(fields: dict[bytes, bytes], line: bytes) -> None:
    if not line.endswith(b"\r\n"):
        raise ValueError("A header does not end with CRLF.")
    name, colon, value = line[:-2].partition(b":")
    value = value.strip(b" \t")
    if not colon or not TOKEN.fullmatch(name) or CONTROLS.search(value):
        raise ValueError("A header is malformed.")
    if b"_" in name:
        return
    name = name.title()
    if name in fields:
        if name in SINGLE:
            raise ValueError(f"The header {name.decode()} stands twice.")
        separator = b"; " if name == b"Cookie" else b", "
        value = fields[name] + separator + value
    fields[name] = value


def body_length(fields: Mapping[bytes, bytes], protocol: str) -> int | None:
    """Return how long a request's body is, None when it comes in chunks (RFC 9112, section 6.3).

    Raises ValueError when headers contradict each other or Host is missing, Unsupported for other
    codings.
    """
    if b"Host" not in fields and protocol != "HTTP/1.0":
        raise ValueError("The request has no Host header.")
    coding = fields.get(b"Transfer-Encoding")
    length = fields.get(b"Content-Length")
    if coding is None:
        if length is None:
            return 0
        if not LENGTH.fullmatch(length):
            raise ValueError("The Content-Length is not a number.")
        return int(length)
    if length is not None or protocol == "HTTP/1.0":
        raise ValueError("The request has a Transfer-Encoding where none may be.")
    if coding.strip().lower() != b"chunked":
        raise Unsupported("The only Transfer-Encoding is chunked.")
    return None


def stays_open(fields: Mapping[bytes, bytes], protocol: str) -> bool:
    """Tell whether the client wants to send more requests on its connection."""
    options = {option.strip().lower() for option in fields.get(b"Connection", b"").split(b",")}
    return b"keep-alive" in options if protocol == "HTTP/1.0" else b"close" not in options
