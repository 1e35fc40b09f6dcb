"""Identity over HTTP: tokens for jobs, and for everybody what they are checked with."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIEnvironment

import msgspec
from werkzeug.wrappers import Request, Response

from trunkline.base.errors import TrunklineError
from trunkline.services.actions.identity import DISCOVERY_PATH, KEYS_PATH, Identity
from trunkline.services.actions.refusals import Refused
from trunkline.services.actions.tokens import JobTokens

TOKEN_PATH = "/oidc/token"  # noqa: S105
PATHS = (TOKEN_PATH, DISCOVERY_PATH, KEYS_PATH)
STATUSES = {
    "unauthenticated": HTTPStatus.UNAUTHORIZED,
    "permission_denied": HTTPStatus.FORBIDDEN,
}
NEVER_KEPT = "no-store"
KEPT_A_WHILE = "public, max-age=300"


class IdentityApp:
    """Answers requests for PATHS."""

    def __init__(self, identity: Identity, tokens: JobTokens) -> None:
        self._identity = identity
        self._tokens = tokens

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        return self._answer(Request(environ))(environ, start)

    def _answer(self, request: Request) -> Response:
        """Answer; clients show the `message` of an error."""
        answers = {DISCOVERY_PATH: self._discovery, KEYS_PATH: self._keys, TOKEN_PATH: self._token}
        found = answers.get(request.path)
        if found is None:
            return _error(HTTPStatus.NOT_FOUND, "Not Found")
        if request.method not in {"GET", "HEAD"}:
            return _error(HTTPStatus.METHOD_NOT_ALLOWED, "identity is asked for with GET")
        try:
            return found(request)
        except Refused as refused:
            status = STATUSES.get(refused.code, HTTPStatus.BAD_REQUEST)
            return _error(status, refused.message)
        except TrunklineError as error:
            return _error(HTTPStatus.SERVICE_UNAVAILABLE, error.message)

    def _discovery(self, _request: Request) -> Response:
        return _json(HTTPStatus.OK, self._identity.discovery(), KEPT_A_WHILE)

    def _keys(self, _request: Request) -> Response:
        return _json(HTTPStatus.OK, self._identity.key_set(), KEPT_A_WHILE)

    def _token(self, request: Request) -> Response:
        job = self._tokens.identity_job(request.headers.get("Authorization", ""))
        token = self._identity.token(job, request.args.get("audience", ""))
        return _json(HTTPStatus.OK, {"value": token}, NEVER_KEPT)


def _error(status: HTTPStatus, message: str) -> Response:
    return _json(status, {"message": message}, NEVER_KEPT)


def _json(status: HTTPStatus, record: dict[str, object], kept: str) -> Response:
    headers = {"Cache-Control": kept}
    return Response(msgspec.json.encode(record), status, headers, content_type="application/json")
