"""The end point of signed addresses: what clients of Azure's block blobs send and read."""

from __future__ import annotations

import binascii
import io
import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import quote
from wsgiref.types import StartResponse, WSGIEnvironment
from xml.sax.saxutils import escape

from werkzeug.wrappers import Request, Response

from trunkline.base.errors import NotFound, TrunklineError
from trunkline.oci.ranges import NotSatisfiable, Part, parse_range
from trunkline.ports.image_store import BrokenOff, NoSpace
from trunkline.ports.job_services import ServicesJob
from trunkline.ports.uploads import Superseded, TooLarge, UnknownBlock, Uploads
from trunkline.services.actions.calls import Download
from trunkline.services.actions.refusals import Refused
from trunkline.services.actions.signed_urls import READ, WRITE, SignedUrls
from trunkline.web.block_lists import InvalidList, parse_block_list
from trunkline.web.checksums import BLOB_MD5, MD5, BadChecksum, checked
from trunkline.web.content import FilePart, Incoming

PATH = re.compile(r"/blobs/(?P<kind>[A-Za-z0-9._-]+)/(?P<place>[A-Za-z0-9._-]+)")
VERSION = "2025-11-05"
XML = "application/xml"
LONGEST_LIST = 8 << 20
LONGEST_ID = 64
Reader = Callable[[ServicesJob, str], Download]


class _Failure(Exception):
    """What is answered with an error: its status, and Azure's code for it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class BlobsApp:
    """Answers `/blobs/<kind>/<place>`: PUT to an upload, GET and HEAD from what `readers` open.

    Whoever has an address needs no other right. `readers` are by kind; they raise NotFound.
    """

    def __init__(self, urls: SignedUrls, uploads: Uploads, readers: Mapping[str, Reader]) -> None:
        self._urls = urls
        self._uploads = uploads
        self._readers = readers

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        request = Request(environ)
        try:
            response = self._answer(request)
        except _Failure as failure:
            response = _error(failure)
        except BadChecksum as bad:
            response = _error(_Failure(400, bad.code, bad.message))
        except (Refused, InvalidList, UnknownBlock, TooLarge, Superseded, BrokenOff) as refused:
            response = _error(_failure(refused))
            if isinstance(refused, BrokenOff | TooLarge):
                response.headers["Connection"] = "close"
        except TrunklineError as error:
            response = _error(_trouble(error))
        _sign_off(request, response)
        return response(environ, start)

    def _answer(self, request: Request) -> Response:
        found = PATH.fullmatch(request.path)
        if found is None:
            raise _Failure(400, "InvalidUri", "The requested URI does not represent any resource.")
        kind, place = found["kind"], found["place"]
        match request.method:
            case "PUT":
                self._urls.check(WRITE, kind, place, request.args)
                return self._put(request, place)
            case "GET" | "HEAD":
                job = self._urls.check(READ, kind, place, request.args)
                reader = self._readers.get(kind)
                if reader is None:
                    raise NotFound(place)
                return _content(request, reader(job, place))
            case _:
                raise _Failure(405, "UnsupportedHttpVerb", "The resource has no such method.")

    def _put(self, request: Request, upload: str) -> Response:
        incoming = Incoming(request)
        headers, length = request.headers, incoming.length
        content_type = headers.get("x-ms-blob-content-type", "")
        match request.args.get("comp"):
            case "block":
                block = _block_id(request.args.get("blockid", ""))
                content = checked(incoming, length, headers, MD5)
                self._uploads.put_block(upload, block, content, length)
            case "blocklist":
                document = incoming.read_at_most(LONGEST_LIST)
                if len(document) > LONGEST_LIST:
                    raise _Failure(413, "RequestBodyTooLarge", "The list is too long.")
                checked(io.BytesIO(document), len(document), headers, MD5).read(LONGEST_LIST)
                self._uploads.commit(upload, parse_block_list(document), content_type)
            case None:
                kind = headers.get("x-ms-blob-type", "BlockBlob")
                if kind != "BlockBlob":
                    raise _Failure(400, "InvalidHeaderValue", "x-ms-blob-type must be BlockBlob.")
                content = checked(incoming, length, headers, MD5, BLOB_MD5)
                self._uploads.put(upload, content, length, content_type)
            case _:
                raise _Failure(400, "InvalidQueryParameterValue", "comp has an unknown value.")
        finished = self._uploads.find(upload)
        entity = finished.digest.removeprefix("sha256:") if finished else upload
        return Response(
            status="201 Created",
            headers={
                "ETag": f'"{entity}"',
                "Last-Modified": formatdate(usegmt=True),
                "x-ms-request-server-encrypted": "false",
            },
        )


def _content(request: Request, found: Download) -> Response:
    """Answer with content, or the part of it that `x-ms-range` or `Range` asks for."""
    entity = f'"{found.digest.removeprefix("sha256:")}"'
    headers = {
        "Content-Type": found.content_type,
        "Content-Length": str(found.size),
        "Content-Disposition": _disposition(found.name),
        "Accept-Ranges": "bytes",
        "ETag": entity,
        "x-ms-blob-type": "BlockBlob",
        "X-Content-Type-Options": "nosniff",
    }
    status, part = 200, Part(0, found.size)
    asked = request.headers.get("x-ms-range") or request.headers.get("Range", "")
    if asked and request.method != "HEAD" and request.headers.get("If-Range", entity) == entity:
        try:
            wanted = parse_range(asked, found.size)
        except NotSatisfiable:
            found.file.close()
            failure = _Failure(416, "InvalidRange", "The range is invalid for the content's size.")
            failed = _error(failure)
            failed.headers["Content-Range"] = f"bytes */{found.size}"
            return failed
        if wanted is not None:
            status, part = 206, wanted
            headers["Content-Length"] = str(part.length)
            headers["Content-Range"] = f"bytes {part.first}-{part.last}/{found.size}"
    body = FilePart(found.file, part.first, part.length)
    response = Response(body, status, direct_passthrough=True)
    response.headers.clear()
    response.headers.update(headers)
    return response


def _disposition(name: str) -> str:
    """Return the header that names a file, for clients that read ASCII alone too (RFC 6266)."""
    plain = "".join(c if " " <= c <= "~" and c not in '"\\%' else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _block_id(text: str) -> str:
    """Return a block's id when it is one: base64 of at most 64 bytes."""
    try:
        decoded = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if not 0 < len(decoded) <= LONGEST_ID:
        raise _Failure(
            400, "InvalidQueryParameterValue", "blockid must be base64 of 1 to 64 bytes."
        )
    return text


def _failure(refused: Exception) -> _Failure:
    match refused:
        case Refused():
            return _Failure(403, "AuthenticationFailed", f"Not allowed: {refused.message}.")
        case InvalidList():
            return _Failure(400, "InvalidXmlDocument", str(refused))
        case UnknownBlock():
            return _Failure(400, "InvalidBlockList", "The specified block list is invalid.")
        case TooLarge():
            return _Failure(
                413, "RequestBodyTooLarge", f"There may be at most {refused.limit} bytes."
            )
        case Superseded():
            return _Failure(409, "BlobAlreadyExists", "The blob was finished meanwhile.")
        case _:
            return _Failure(400, "IncompleteBody", "The request's body ended early.")


def _trouble(error: TrunklineError) -> _Failure:
    match error:
        case NotFound():
            return _Failure(404, "BlobNotFound", "The specified blob does not exist.")
        case NoSpace():
            return _Failure(507, "InsufficientStorage", "The disk is full.")
        case _:
            return _Failure(503, "ServerBusy", error.message)


def _error(failure: _Failure) -> Response:
    code, message = escape(failure.code), escape(failure.message)
    body = (
        '<?xml version="1.0" encoding="utf-8"?>'
        f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    )
    status = f"{failure.status} {HTTPStatus(failure.status).phrase}"
    return Response(body, status, {"x-ms-error-code": failure.code}, content_type=XML)


def _sign_off(request: Request, response: Response) -> None:
    """Add what Azure's clients look for in every answer."""
    response.headers["x-ms-version"] = VERSION
    sent = request.headers.get("x-ms-client-request-id", "")
    response.headers["x-ms-request-id"] = sent or "0"
    if sent:
        response.headers["x-ms-client-request-id"] = sent
