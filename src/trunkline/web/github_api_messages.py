"""Answers of GitHub's REST API as HTTP: pages, entity tags, errors (GitHub: using the REST API)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from werkzeug.wrappers import Request, Response

from trunkline.services.github.calls import Answer, Content, Listing, Redirect, Reply
from trunkline.services.github.refusals import DOCUMENTATION, Refused
from trunkline.web.content import FilePart

JSON = "application/json; charset=utf-8"
PAGE, LARGEST_PAGE = 30, 100
MEDIA_TYPE = "github.v3; format=json"


def to_response(request: Request, answer: Answer, base: str) -> Response:
    """Return the HTTP response of an answer; `base` is the address that was asked, no query."""
    match answer:
        case Reply(document, status, location):
            headers = {"Location": location} if location else {}
            if document is None:
                return Response(status=status, headers=headers)
            return _tagged(request, _json(status, document, headers))
        case Listing():
            return _tagged(request, _page(request, answer, base))
        case Redirect(url, status):
            return Response(status=status, headers={"Location": url})
        case Content():
            return _content(answer)


def refusal(error: Refused) -> Response:
    """Return the response of a refusal."""
    document: dict[str, Any] = {"message": error.message}
    if error.errors:
        document["errors"] = list(error.errors)
    document |= {"documentation_url": DOCUMENTATION, "status": str(error.status)}
    return _json(error.status, document, {})


def _json(status: int, document: object, headers: Mapping[str, str]) -> Response:
    return Response(msgspec.json.encode(document), status, dict(headers), content_type=JSON)


def _page(request: Request, listing: Listing, base: str) -> Response:
    size = _number(request, "per_page", PAGE, LARGEST_PAGE)
    page = _number(request, "page", 1, 1 << 31)
    first = (page - 1) * size
    items = list(listing.items[first : first + size])
    count = len(listing.items)
    document: object = items
    if listing.name:
        document = {"total_count": count, **listing.fields, listing.name: items}
    last = max(1, -(-count // size))
    link = _link(request, base, page, last)
    return _json(200, document, {"Link": link} if link else {})


def _number(request: Request, name: str, default: int, most: int) -> int:
    text = request.args.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        return default
    return min(int(text), most) or default


def _link(request: Request, base: str, page: int, last: int) -> str:
    """Return the links to other pages (RFC 8288), in GitHub's order."""
    pages = {}
    if page > 1:
        pages["prev"] = min(page - 1, last)
    if page < last:
        pages |= {"next": page + 1, "last": last}
    if page > 1:
        pages["first"] = 1
    query = [(k, v) for k, v in request.args.items(multi=True) if k != "page"]
    links = (
        f'<{base}?{urlencode([*query, ("page", number)])}>; rel="{name}"'
        for name, number in pages.items()
    )
    return ", ".join(links)


def _tagged(request: Request, response: Response) -> Response:
    """Give an answer to a GET its entity tag; leave its body out when the client has it."""
    if request.method not in {"GET", "HEAD"} or response.status_code != 200:
        return response
    tag = hashlib.sha256(response.get_data() + response.headers.get("Link", "").encode())
    response.set_etag(tag.hexdigest(), weak=True)
    response.headers["Cache-Control"] = "private, max-age=60, s-maxage=60"
    response.headers["Vary"] = "Accept, Authorization, Cookie"
    if request.if_none_match.contains_weak(tag.hexdigest()):
        response.status_code = 304
        response.set_data(b"")
        del response.headers["Content-Type"]
    return response


def _content(answer: Content) -> Response:
    content = answer.content
    body = FilePart(content, 0, answer.size) if not isinstance(content, bytes) else (content,)
    response = Response(body, content_type=answer.content_type, direct_passthrough=True)
    response.content_length = answer.size
    if answer.name:
        named = f"attachment; filename*=UTF-8''{quote(answer.name)}"
        response.headers["Content-Disposition"] = named
    return response
