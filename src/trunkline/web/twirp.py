"""Services that speak Twirp with JSON (Twirp wire protocol, version 7; proto3's JSON mapping)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from wsgiref.types import StartResponse, WSGIEnvironment

import msgspec
from werkzeug.wrappers import Request, Response

from trunkline.base.errors import NotFound, TrunklineError
from trunkline.ports.image_store import BrokenOff
from trunkline.ports.job_services import ServicesJob
from trunkline.services.actions.calls import Caller, Method, Service
from trunkline.services.actions.refusals import Refused
from trunkline.web.content import Incoming, json_of
from trunkline.web.results import told

PATH = re.compile(r"/twirp/(?P<service>[\w.]+)/(?P<method>\w+)", re.ASCII)
LONGEST_BODY = 1 << 20
CAPITAL = re.compile(r"([A-Z])")
STATUS = {
    "malformed": 400,
    "invalid_argument": 400,
    "unauthenticated": 401,
    "permission_denied": 403,
    "bad_route": 404,
    "not_found": 404,
    "already_exists": 409,
    "failed_precondition": 412,
    "resource_exhausted": 429,
    "internal": 500,
    "unavailable": 503,
}


class TwirpApp:
    """Answers `POST /twirp/<service>/<method>`.

    `services` has what makes each service by its full name; `who` returns whose token stands in an
    Authorization header (it raises Refused).
    """

    def __init__(
        self, services: Mapping[str, Callable[[], Service]], who: Callable[[str], ServicesJob]
    ) -> None:
        self._services = services
        self._who = who

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        try:
            response = self._answer(Request(environ))
        except Refused as refused:
            response = _error(refused.code, refused.message)
        except BrokenOff:
            response = _error("malformed", "the request broke off")
            response.headers["Connection"] = "close"
        except NotFound as error:
            response = _error("not_found", error.message)
        except TrunklineError as error:
            response = _error("unavailable", error.message)
        return response(environ, start)

    def _answer(self, request: Request) -> Response:
        found = PATH.fullmatch(request.path)
        service = found and self._services.get(found["service"])
        if not found or not service:
            raise Refused("bad_route", f"no handler for path {request.path!r}")
        caller = Caller(self._who(request.headers.get("Authorization", "")), _base(request))
        method = service().get(found["method"])
        if method is None:
            raise Refused("bad_route", f"no handler for path {request.path!r}")
        if request.method != "POST":
            raise Refused("bad_route", f"unsupported method {request.method!r} (only POST is)")
        if request.mimetype != "application/json":
            raise Refused("bad_route", f"unexpected Content-Type: {request.mimetype!r}")
        return told(200, method.answer(caller, _message(request, method)))


def _message(request: Request, method: Method) -> msgspec.Struct:
    """Read the request's message. Fields come with `_` or in camel case; null means unset."""
    body = Incoming(request).read_at_most(LONGEST_BODY)
    if len(body) > LONGEST_BODY:
        raise Refused("malformed", "the request is too long")
    try:
        record = json_of(body or b"{}", dict[str, object])
        fields = {
            CAPITAL.sub(r"_\1", name).lower(): value
            for name, value in record.items()
            if value is not None
        }
        return msgspec.convert(fields, method.request, strict=False)
    except msgspec.DecodeError as error:
        raise Refused("malformed", f"the json request could not be decoded: {error}") from None


def _base(request: Request) -> str:
    return f"{request.scheme}://{request.host}"


def _error(code: str, message: str) -> Response:
    return told(STATUS[code], {"code": code, "msg": message})
