"""The REST API and GraphQL with `--publish`: what a job may do is sent to the real server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIEnvironment

import msgspec
from werkzeug.wrappers import Request, Response

from trunkline.base.errors import TrunklineError
from trunkline.ports.image_store import BrokenOff
from trunkline.ports.job_services import ServicesJob
from trunkline.ports.upstream import Received
from trunkline.services.github.forwarding import NOT_GIVEN, READING, Asked, Forwarding
from trunkline.services.github.graphql import InvalidDocument, mutations, needed
from trunkline.services.github.graphql_subjects import Subjects, are_of, question, subjects
from trunkline.services.github.refusals import NOT_ACCESSIBLE, Refused, not_found
from trunkline.web.content import PIECE, Incoming, json_of
from trunkline.web.github_api_messages import JSON, refusal
from trunkline.web.github_api_routes import WRITE, Elsewhere, EndPoint
from trunkline.web.github_tokens import token_of

LONGEST_JSON = 32 << 20
LONGEST_DOCUMENT = 1 << 20
NOTHING = Subjects(frozenset(), frozenset())
# Of one connection (RFC 9110, section 7.6.1), or about the body as it came.
NOT_PASSED_ON = frozenset(
    {
        *("connection", "content-encoding", "content-length", "date", "keep-alive", "server"),
        *("set-cookie", "strict-transport-security", "trailer", "transfer-encoding", "upgrade"),
    }
)


class Address(msgspec.Struct, frozen=True):
    """Where a request came to: the API's own address and that of uploads here, and its path."""

    api: str
    uploads: str
    path: str
    is_upload: bool = False


class ForwardedApi:
    """Sends requests of the REST API on that are about the job's repository at its server."""

    def __init__(self, forwarding: Forwarding) -> None:
        self._forwarding = forwarding

    def answer(
        self, request: Request, job: ServicesJob, address: Address, found: tuple[object, bool]
    ) -> Response | None:
        """Return the server's answer, None for what is answered here. Raises Refused, Unavailable.

        `found` is the end point (None without one), and whether it is of the job's own repository.
        """
        end_point, is_own = found
        reads = request.method in READING
        if isinstance(end_point, EndPoint) and end_point.is_here:
            return None
        if not self._forwarding.has_token(job):
            if reads:
                return None
            raise Refused(HTTPStatus.FORBIDDEN, NOT_GIVEN)
        if not {".", ".."}.isdisjoint(address.path.split("/")):
            raise not_found()
        asked = _asked(request, address)
        if end_point is not None and is_own:
            _check(job, end_point, reads=reads)
            answer = self._forwarding.rest(job, asked, upload=address.is_upload)
        elif reads:
            answer = self._forwarding.anonymous(job, asked)
        else:
            raise Refused(HTTPStatus.FORBIDDEN, NOT_ACCESSIBLE)
        places = self._forwarding.places(job)
        return _response(
            answer, address, {places.uploads: address.uploads, places.api: address.api}
        )


class ForwardedGraphQl:
    """Sends GraphQL on. `of_token` tells which job a token is of."""

    def __init__(
        self,
        forwarding: Forwarding,
        of_token: Callable[[str], ServicesJob | None],
    ) -> None:
        self._forwarding = forwarding
        self._of_token = of_token

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        try:
            response = self._answer(Request(environ))
        except Refused as error:
            response = refusal(error)
        except BrokenOff:
            response = refusal(Refused(400, "Problems parsing JSON"))
        except TrunklineError as error:
            response = refusal(Refused(502, error.message))
        return response(environ, start)

    def _answer(self, request: Request) -> Response:
        job = self._of_token(token_of(request.headers.get("Authorization", "")))
        if job is None:
            raise Refused(401, "Bad credentials")
        if request.method != "POST":
            raise not_found()
        data = Incoming(request).read_at_most(LONGEST_DOCUMENT)
        if len(data) > LONGEST_DOCUMENT:
            raise Refused(413, "The request is too large")
        try:
            record = json_of(data, dict[str, Any])
            document = str(record.get("query", ""))
            wanted = mutations(document)
            about = subjects(document, record.get("variables")) if wanted else NOTHING
        except (msgspec.DecodeError, InvalidDocument, RecursionError) as error:
            raise Refused(400, "Problems parsing JSON") from error
        for name in wanted:
            if not any(job.permissions.get(scope) == WRITE for scope in needed(name)):
                return _forbidden(name)
        if wanted and not self._are_own(request, job, about):
            return _forbidden(wanted[0])
        answer = self._send(request, job, record, wanted)  # what was looked at, and nothing else
        return Response(
            ReceivedBody(answer), answer.status, passed_on(answer), direct_passthrough=True
        )

    def _are_own(self, request: Request, job: ServicesJob, about: Subjects) -> bool:
        """Tell whether mutations are about the job's own repository alone; the server knows ids."""
        own = job.repository.lower()
        if any(name.lower() != own for name in about.repositories):
            return False
        if not about.ids:
            return bool(about.repositories)
        answer = self._send(request, job, question(about.ids), ())
        told = msgspec.json.decode(_whole(answer)) if answer.status == HTTPStatus.OK else None
        return are_of(told, len(about.ids), own)

    def _send(
        self, request: Request, job: ServicesJob, record: object, wanted: tuple[str, ...]
    ) -> Received:
        sent = msgspec.json.encode(record)
        asked = Asked(
            method="POST",
            target="",
            headers=_headers(request),
            content=_Bytes(sent),
            length=len(sent),
        )
        return self._forwarding.graphql(job, asked, wanted)


def _forbidden(mutation: str) -> Response:
    problem = {"type": "FORBIDDEN", "path": [mutation], "message": NOT_ACCESSIBLE}
    body = msgspec.json.encode({"data": None, "errors": [problem]})
    return Response(body, 200, content_type=JSON)


class _Bytes:
    """Bytes read as a stream, once."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes."""
        data, self._data = self._data[:size], self._data[size:]
        return data


def _asked(request: Request, address: Address) -> Asked:
    query = request.environ.get("QUERY_STRING", "")
    incoming = Incoming(request)
    has_body = request.method not in READING and incoming.length != 0
    return Asked(
        method=request.method,
        target=f"{_sent_path(request, address)}?{query}" if query else _sent_path(request, address),
        headers=_headers(request),
        content=incoming if has_body else None,
        length=incoming.length,
    )


def _sent_path(request: Request, address: Address) -> str:
    """Return the path behind the API's address, as the client wrote it."""
    sent = str(request.environ.get("REQUEST_URI", "")).partition("?")[0]
    below = address.uploads if address.is_upload else address.api
    return sent[len(urlsplit(below).path) :] or address.path


def _headers(request: Request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _check(job: ServicesJob, end_point: object, *, reads: bool) -> None:
    """Raise Refused for what the job's permissions do not hold."""
    if isinstance(end_point, EndPoint):
        scopes: tuple[str, ...] = (end_point.scope,)
    else:
        scopes = end_point.scopes if isinstance(end_point, Elsewhere) else ()
    levels = {job.permissions.get(scope, "none") for scope in scopes if scope}
    if scopes == ("",) or WRITE in levels or (reads and "read" in levels):
        return
    raise Refused(HTTPStatus.FORBIDDEN, NOT_ACCESSIBLE)


def _response(answer: Received, address: Address, ours: Mapping[str, str]) -> Response:
    """Return an answer with the server's addresses turned into ours."""
    headers = passed_on(answer)
    if "Location" in headers:
        headers["Location"] = _turned(headers["Location"], ours)
    if "Link" in headers:
        headers["Link"] = _links(headers["Link"], address)
    if not headers.get("Content-Type", "").startswith("application/json"):
        return Response(ReceivedBody(answer), answer.status, headers, direct_passthrough=True)
    data = _whole(answer)
    if data:
        data = msgspec.json.encode(_localized(msgspec.json.decode(data), ours))
    return Response(data, answer.status, headers)


def passed_on(answer: Received) -> dict[str, str]:
    """Return the headers of an answer that are passed on."""
    return {
        name.title(): value for name, value in answer.headers if name.lower() not in NOT_PASSED_ON
    }


class ReceivedBody:
    """The body of an answer, piece by piece; the server closes it."""

    def __init__(self, answer: Received) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        """Yield the pieces."""
        while data := self._answer.read(PIECE):
            yield data

    def close(self) -> None:
        """Let go of the connection."""
        self._answer.close()


def _whole(answer: Received) -> bytes:
    """Return the body of an answer. Raises Refused when it is too long."""
    parts: list[bytes] = []
    size = 0
    with closing(ReceivedBody(answer)) as body:
        for data in body:
            parts.append(data)
            size += len(data)
            if size > LONGEST_JSON:
                raise Refused(HTTPStatus.BAD_GATEWAY, "The server's answer is too long.")
    return b"".join(parts)


def _localized(document: Any, ours: Mapping[str, str]) -> Any:
    """Return a document whose addresses lead here; other texts stay as they are."""
    if isinstance(document, list):
        return [_localized(each, ours) for each in document]
    if not isinstance(document, dict):
        return document
    return {
        name: _turned(value, ours)
        if isinstance(value, str) and (name == "href" or name.endswith("url"))
        else _localized(value, ours)
        for name, value in document.items()
    }


def _turned(url: str, ours: Mapping[str, str]) -> str:
    for theirs, our in ours.items():
        if url.startswith(f"{theirs}/"):
            return our + url[len(theirs) :]
    return url


def _links(header: str, address: Address) -> str:
    """Return links to other pages: the same path here, with the server's query."""
    found = []
    for link in header.split(", "):
        target, _, rest = link.partition(">")
        found.append(f"<{address.api}{address.path}?{target.partition('?')[2]}>{rest}")
    return ", ".join(found)
