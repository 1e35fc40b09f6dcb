"""The token end point of the registry: `GET /token` and `POST /token` (Docker registry token specification)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import msgspec
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from trunkline.base.errors import TrunklineError
from trunkline.services.registry_access import Issued, Refused, TokenRequest

PATH = "/token"
LONGEST_FORM = 1 << 16
NEVER_KEPT = {"Cache-Control": "no-store"}


class _Request(Request):
    max_content_length = LONGEST_FORM
    max_form_memory_size = LONGEST_FORM


class TokenApp:
    """Answers token requests; `issue` makes the tokens."""

    def __init__(self, issue: Callable[[TokenRequest], Issued]) -> None:
        self._issue = issue

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        try:
            response = self._answer(_Request(environ))
        except HTTPException as error:
            response = _error(error.code or 400, "UNSUPPORTED", error.description or error.name)
        except TrunklineError as error:
            response = _error(503, "UNAVAILABLE", error.message)
        return response(environ, start)

    def _answer(self, request: _Request) -> Response:
        if request.method in {"GET", "HEAD"}:
            asked = _from_query(request)
        elif request.method == "POST":
            if request.form.get("grant_type") not in {"password", "refresh_token"}:
                return _error(
                    400,
                    "UNSUPPORTED",
                    "the grant type is neither password nor refresh_token",
                    "unsupported_grant_type",
                )
            asked = _from_form(request)
        else:
            return _error(405, "UNSUPPORTED", "tokens are asked for with GET or POST")
        try:
            issued = self._issue(asked)
        except Refused as refused:
            return _refusal(refused)
        return _json(200, _record(issued))


def _from_query(request: _Request) -> TokenRequest:
    """Read what docker, podman and skopeo send: a query, with name and password in the header."""
    given = request.authorization
    basic = given if given is not None and given.type == "basic" else None
    return TokenRequest(
        remote=request.remote_addr or "",
        username=(basic.username or "") if basic else "",
        password=(basic.password or "") if basic else "",
        scopes=tuple(request.args.getlist("scope")),
        offline=request.args.get("offline_token", "") in {"true", "1"},
    )


def _from_form(request: _Request) -> TokenRequest:
    """Read what BuildKit sends, and docker with a refresh token (OAuth 2, RFC 6749)."""
    form = request.form
    refreshes = form["grant_type"] == "refresh_token"
    return TokenRequest(
        remote=request.remote_addr or "",
        username="" if refreshes else form.get("username", ""),
        password="" if refreshes else form.get("password", ""),
        refresh_token=(form.get("refresh_token") or "none") if refreshes else "",
        scopes=tuple(form.getlist("scope")),
        offline=form.get("access_type") == "offline",
    )


def _record(issued: Issued) -> dict[str, object]:
    made = datetime.fromtimestamp(issued.issued_at, UTC).isoformat(timespec="seconds")
    found: dict[str, object] = {
        "token": issued.token,
        "access_token": issued.token,
        "scope": issued.scope,
        "expires_in": issued.expires_in,
        "issued_at": made.replace("+00:00", "Z"),
    }
    if issued.refresh_token:
        found["refresh_token"] = issued.refresh_token
    return found


def _refusal(refused: Refused) -> Response:
    response = _error(401, "UNAUTHORIZED", refused.message, "invalid_grant")
    response.headers["WWW-Authenticate"] = 'Basic realm="token"'
    if refused.retry:
        response.headers["Retry-After"] = str(refused.retry)
    return response


def _error(status: int, code: str, message: str, oauth: str = "invalid_request") -> Response:
    """Return an error in the words of registries and in those of OAuth 2: clients read either."""
    told = {"code": code, "message": message, "detail": {}}
    record = {"error": oauth, "error_description": message, "errors": [told]}
    return _json(status, record)


def _json(status: int, record: dict[str, Any]) -> Response:
    data = msgspec.json.encode(record)
    return Response(data, status, NEVER_KEPT, content_type="application/json")


def with_tokens(
    registry: WSGIApplication, issue: Callable[[TokenRequest], Issued]
) -> WSGIApplication:
    """Return an application that has the token end point beside a registry."""
    token = TokenApp(issue)

    def application(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        chosen = token if environ.get("PATH_INFO") == PATH else registry
        return chosen(environ, start)

    return application
