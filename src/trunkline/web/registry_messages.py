"""Requests to the registry and its answers: bodies as streams, errors as the specification's JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from urllib.parse import urlencode

import msgspec
from werkzeug.wrappers import Request, Response

from trunkline.oci.errors import RegistryError
from trunkline.oci.media_types import JSON
from trunkline.services.registry.registry import Registry

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


def answer(status: int, headers: Headers | None = None, body: bytes = b"") -> Response:
    """Return a response with a body that is at hand."""
    found = Response(body, _line(status))
    found.headers.clear()
    found.headers.update(headers or {})
    if status != 204:
        found.headers["Content-Length"] = str(len(body))
    return found


def streamed(status: int, headers: Headers, body: Iterable[bytes]) -> Response:
    """Return a response whose body comes piece by piece; `headers` tell its length."""
    found = Response(body, _line(status), direct_passthrough=True)
    found.headers.clear()
    found.headers.update(headers)
    return found


def _line(status: int) -> str:
    """Return a status with its phrase, which some clients show."""
    return f"{status} {HTTPStatus(status).phrase}"


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
