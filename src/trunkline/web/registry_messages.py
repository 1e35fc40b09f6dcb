"""Requests to the registry and its answers: bodies as streams, errors as the specification's JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import BinaryIO
from urllib.parse import urlencode

import msgspec
from werkzeug.wrappers import Request, Response

from trunkline.oci.errors import RegistryError
from trunkline.oci.media_types import JSON
from trunkline.ports.image_store import BrokenOff
from trunkline.services.registry.registry import Registry

PIECE = 1 << 19
Headers = Mapping[str, str]


class Asked(msgspec.Struct, frozen=True):
    """A request for an end point: its repository, and the tag, digest or upload it names.

    `may_pull` tells whether the client may pull from a repository.
    """

    registry: Registry
    request: Request
    may_pull: Callable[[str], bool]
    repository: str = ""
    what: str = ""


class Incoming:
    """A request's body. Reading raises BrokenOff when the client goes away in the middle."""

    def __init__(self, request: Request) -> None:
        self._input: BinaryIO = request.environ["wsgi.input"]
        self.length = _length(request)
        # Without a length the server knows where the body ends, or there is none.
        ends = bool(request.environ.get("wsgi.input_terminated"))
        self._left = self.length if self.length is not None or ends else 0

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; b'' at the end."""
        wanted = size if self._left is None else min(size, self._left)
        if wanted == 0:
            return b""
        try:
            data = self._input.read(wanted)
        except (OSError, ValueError) as error:
            raise BrokenOff(str(error)) from error
        if self._left is not None:
            if not data:
                raise BrokenOff(f"{self._left} bytes are missing")
            self._left -= len(data)
        return data

    def read_at_most(self, limit: int) -> bytes:
        """Return the whole body, or its first `limit` + 1 bytes or so when it is longer."""
        parts: list[bytes] = []
        total = 0
        while total <= limit and (data := self.read(PIECE)):
            parts.append(data)
            total += len(data)
        return b"".join(parts)


class FilePart:
    """A part of an open file as a response's body, piece by piece; the server closes it."""

    def __init__(self, file: BinaryIO, first: int, length: int) -> None:
        self._file = file
        self._left = length
        file.seek(first)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the pieces."""
        while self._left > 0 and (data := self._file.read(min(PIECE, self._left))):
            self._left -= len(data)
            yield data

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def answer(status: int, headers: Headers | None = None, body: bytes = b"") -> Response:
    """Return a response with a body that is at hand."""
    found = Response(body, status)
    found.headers.clear()
    found.headers.update(headers or {})
    if status != 204:
        found.headers["Content-Length"] = str(len(body))
    return found


def streamed(status: int, headers: Headers, body: Iterable[bytes]) -> Response:
    """Return a response whose body comes piece by piece; `headers` tell its length."""
    found = Response(body, status, direct_passthrough=True)
    found.headers.clear()
    found.headers.update(headers)
    return found


def listing(record: object, link: str = "") -> Response:
    """Return a JSON listing, with the link to its next page."""
    headers = {"Content-Type": JSON} | ({"Link": link} if link else {})
    return answer(200, headers, msgspec.json.encode(record))


def refusal(error: RegistryError, headers: Headers | None = None) -> Response:
    """Return the answer for what the registry refuses.

    There is always a detail: Docker's engine tries for most of a minute what was refused in the
    code's own words and without one.
    """
    detail = {} if error.detail is None else error.detail
    told = {"code": error.code, "message": error.message, "detail": detail}
    body = msgspec.json.encode({"errors": [told]})
    more = {"Retry-After": "1"} if error.status == 429 else {}
    return answer(error.status, {"Content-Type": JSON, **more, **(headers or {})}, body)


def link_to_next(path: str, query: Mapping[str, str | int]) -> str:
    """Return the Link header (RFC 5988) that leads to a listing's next page."""
    return f'<{path}?{urlencode(query)}>; rel="next"'


def page_size(request: Request) -> int | None:
    """Return how many entries a client asks for; None: all. Raises UNSUPPORTED (400)."""
    text = request.args.get("n", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise RegistryError("UNSUPPORTED", "n must be a number", detail={"n": text}, status=400)
    return int(text)


def _length(request: Request) -> int | None:
    text = request.environ.get("CONTENT_LENGTH") or ""
    return int(text) if text.isascii() and text.isdigit() else None
