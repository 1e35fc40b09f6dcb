"""GitHub's REST API as a WSGI application, at `/api/v3/` and `/api/uploads/`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote
from wsgiref.types import StartResponse, WSGIEnvironment

import msgspec
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from trunkline.base.errors import NotFound, TrunklineError, Unavailable
from trunkline.ports.github_data import InvalidObject
from trunkline.ports.image_store import BrokenOff
from trunkline.ports.job_services import ServicesJob
from trunkline.services.actions.jobs import PREFIX as JOB_TOKEN
from trunkline.services.github.calls import Call, Reply, Stores
from trunkline.services.github.forwarding import Forwarding
from trunkline.services.github.rate_limits import NOBODY, OF_JOB, OF_USER, Caller, RateLimits
from trunkline.services.github.refusals import APPS, NOT_ACCESSIBLE, Refused, not_found
from trunkline.web.content import Incoming, json_of
from trunkline.web.github_api_forwarded import Address, ForwardedApi
from trunkline.web.github_api_messages import MEDIA_TYPE, refusal, to_response
from trunkline.web.github_api_routes import WRITE, Elsewhere, EndPoint, make_map
from trunkline.web.github_tokens import token_of

PATH = "/api/v3"
# Assets of releases are uploaded here too (as GitHub Enterprise Server has it).
UPLOADS = "/api/uploads"
META = {"verifiable_password_authentication": False, "installed_version": "3.17.0"}
# A file of the contents API in base64, and a little more.
LONGEST_BODY = 140 << 20
# `{"` in base64: a JSON web token, such as apps have.
WEB_TOKENS_BEGIN = "eyJ"
RATE_LIMIT = "/rate_limit"
LIMIT = "x-ratelimit-limit"
NOT_MODIFIED = 304
EXPOSED = (
    "ETag, Link, Location, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Used, "
    "X-RateLimit-Resource, X-RateLimit-Reset"
)


class GitHubApi:
    """Answers what is below PATH and UPLOADS; `of_token` tells which job a token is of, None for none.

    With `forwarding` it sends on what is about the repository at its server.
    """

    def __init__(
        self,
        stores: Stores,
        of_token: Callable[[str], ServicesJob | None],
        forwarding: Forwarding | None = None,
    ) -> None:
        self._stores = stores
        self._of_token = of_token
        self._forwarded = ForwardedApi(forwarding) if forwarding else None
        self._map = make_map()
        self._limits = RateLimits(stores.clock)

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        request = Request(environ)
        try:
            response = self._answer(request)
        except Refused as error:
            response = refusal(error)
        except BrokenOff:
            response = refusal(Refused(400, "Problems parsing JSON"))
            response.headers["Connection"] = "close"
        except (NotFound, InvalidObject) as error:
            response = refusal(_refused(error))
        except TrunklineError as error:
            status = 503 if isinstance(error, Unavailable) else 500
            response = refusal(Refused(status, error.message))
        self._sign_off(request, response)
        return response(environ, start)

    def _sign_off(self, request: Request, response: Response) -> None:
        headers = {"x-github-request-id": self._stores.ids.token().upper()}
        if LIMIT not in response.headers:  # else the server that answered told its own
            path = _address(request).path
            counts = path != RATE_LIMIT and response.status_code != NOT_MODIFIED
            headers |= self._limits.headers(self._counted(request), path, counts=counts)
        headers["x-github-media-type"] = MEDIA_TYPE
        headers["x-github-api-version-selected"] = "2022-11-28"
        headers["Access-Control-Expose-Headers"] = EXPOSED
        headers["X-Content-Type-Options"] = "nosniff"
        response.headers.update(headers)

    def _answer(self, request: Request) -> Response:
        address = _address(request)
        path, base = address.path, address.api
        if path in {"/meta", RATE_LIMIT} and request.method in {"GET", "HEAD"}:
            is_meta = path == "/meta"
            told = META if is_meta else self._limits.document(self._counted(request))
            return to_response(request, Reply(told), base)
        job, personal = self._caller(request)
        if path == "/":
            found = {"current_user_url": f"{base}/user", "rate_limit_url": f"{base}{RATE_LIMIT}"}
            return to_response(request, Reply(found), base)
        end_point, values = self._find(request, path)
        is_own = _is_own(job, values)
        if self._forwarded is not None:
            response = self._forwarded.answer(request, job, address, (end_point, is_own))
            if response is not None:
                return response
        return self._answered_here(request, job, (end_point, values, is_own), personal=personal)

    def _answered_here(
        self,
        request: Request,
        job: ServicesJob,
        found: tuple[object, Mapping[str, Any], bool],
        *,
        personal: bool,
    ) -> Response:
        end_point, values, is_own = found
        if isinstance(end_point, Elsewhere):
            raise Refused(410, end_point.message)
        if not isinstance(end_point, EndPoint) or not is_own:
            raise not_found()
        if not _may(job, end_point):
            response = refusal(Refused(403, NOT_ACCESSIBLE))
            needed = f"{end_point.scope.replace('-', '_')}={end_point.level}"
            response.headers["X-Accepted-GitHub-Permissions"] = needed
            return response
        call = self._call(request, job, values, personal=personal)
        answer = end_point.handler(_with_body(request, call, end_point))
        address = _address(request)
        return to_response(request, answer, f"{address.api}{quote(address.path)}")

    def _caller(self, request: Request) -> tuple[ServicesJob, bool]:
        """Return whose token it is, and whether the user gave it. Raises Refused."""
        header = request.headers.get("Authorization", "")
        if not header:
            raise Refused(401, "Requires authentication")
        token = token_of(header)
        job = self._of_token(token)
        if job is None:
            raise Refused(401, APPS if token.startswith(WEB_TOKENS_BEGIN) else "Bad credentials")
        return job, not token.startswith(JOB_TOKEN)

    def _counted(self, request: Request) -> Caller:
        """Return with whom a request is counted: its job's repository, its user, or nobody."""
        try:
            job, personal = self._caller(request)
        except Refused:
            return NOBODY
        token = token_of(request.headers["Authorization"])
        return Caller(token, OF_USER) if personal else Caller(job.repository.lower(), OF_JOB)

    def _find(self, request: Request, path: str) -> tuple[object, Mapping[str, Any]]:
        method = "GET" if request.method == "HEAD" else request.method
        matcher = self._map.bind(request.host.partition(":")[0] or "localhost")
        try:
            found, values = matcher.match(path, method)
        except HTTPException:
            return None, {}
        return found, values

    def _call(
        self, request: Request, job: ServicesJob, values: Mapping[str, Any], *, personal: bool
    ) -> Call:
        origin = request.host_url.rstrip("/")
        return Call(
            stores=self._stores,
            job=job,
            origin=origin,
            api=f"{origin}{PATH}",
            path=values,
            query=dict(request.args),
            accept=request.headers.get("Accept", ""),
            content_type=request.headers.get("Content-Type", ""),
            personal=personal,
        )


def _address(request: Request) -> Address:
    """Return where a request came to, its path decoded: clients write the slash of a ref as `%2F`."""
    sent = unquote(str(request.environ.get("REQUEST_URI", "")).partition("?")[0])
    path = sent if sent.startswith((f"{PATH}/", f"{UPLOADS}/")) else request.path
    is_upload = path.startswith(f"{UPLOADS}/")
    below = path.removeprefix(UPLOADS if is_upload else PATH).rstrip("/") or "/"
    origin = request.host_url.rstrip("/")
    return Address(f"{origin}{PATH}", f"{origin}{UPLOADS}", below, is_upload)


def _is_own(job: ServicesJob, values: Mapping[str, Any]) -> bool:
    """Tell whether a path is not about a repository that the token is not for: it can't be seen."""
    if "owner" not in values:
        return True
    return f"{values['owner']}/{values['repo']}".lower() == job.repository.lower()


def _may(job: ServicesJob, end_point: EndPoint) -> bool:
    if not end_point.scope:
        return True
    level = job.permissions.get(end_point.scope, "none")
    return level in {WRITE, end_point.level}


def _with_body(request: Request, call: Call, end_point: EndPoint) -> Call:
    """Return the call with its body, read and decoded, or to be read. Raises Refused."""
    incoming = Incoming(request)
    if end_point.raw:
        return msgspec.structs.replace(call, content=incoming, length=incoming.length)
    if request.method in {"GET", "HEAD"}:
        return call
    data = incoming.read_at_most(LONGEST_BODY)
    if len(data) > LONGEST_BODY:
        raise Refused(413, "The request is too large")
    if not data.strip():
        return call
    try:
        return msgspec.structs.replace(call, body=json_of(data, object))
    except msgspec.DecodeError as error:
        raise Refused(400, "Problems parsing JSON") from error


def _refused(error: NotFound | InvalidObject) -> Refused:
    if isinstance(error, InvalidObject):
        return Refused(422, str(error))
    return not_found()


def graphql(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    """Answer GraphQL: it comes with the server."""
    message = "GraphQL comes with the Trunkline server: a run on this machine answers REST alone."
    told = {"data": None, "errors": [{"type": "NOT_IMPLEMENTED", "message": message}]}
    body = msgspec.json.encode(told)
    return Response(body, 200, content_type="application/json; charset=utf-8")(environ, start)
