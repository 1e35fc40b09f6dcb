"""GitHub's cache service, version 1: REST below `/_apis/artifactcache/` (@actions/cache, BuildKit)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TypeVar
from wsgiref.types import StartResponse, WSGIEnvironment

import msgspec
from werkzeug.wrappers import Request, Response

from trunkline.base.errors import TrunklineError
from trunkline.ports.caches import CacheEntry
from trunkline.ports.image_store import BrokenOff
from trunkline.services.actions.artifacts import rfc3339
from trunkline.services.actions.cache_service import CacheService
from trunkline.services.actions.caches import JobCaches
from trunkline.services.actions.calls import Caller
from trunkline.services.actions.kept_caches import made_for
from trunkline.services.actions.refusals import Refused
from trunkline.services.actions.tokens import JobTokens
from trunkline.web.content import Incoming, json_of
from trunkline.web.results import told

PREFIX = "/_apis/artifactcache/"
LONGEST_BODY = 1 << 16
RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(?:\*|\d{1,15})")
STATUSES = {
    "unauthenticated": HTTPStatus.UNAUTHORIZED,
    "permission_denied": HTTPStatus.FORBIDDEN,
    "not_found": HTTPStatus.NOT_FOUND,
    "already_exists": HTTPStatus.CONFLICT,
}
# BuildKit knows by this key that somebody else makes the same cache.
EXISTS = "ArtifactCacheItemAlreadyExistsException"
Asked = TypeVar("Asked", bound=msgspec.Struct)


class _Reserve(msgspec.Struct):
    key: str
    version: str
    cacheSize: int | None = None  # noqa: N815


class _Commit(msgspec.Struct):
    size: int


class CacheV1App:
    """Answers requests below PREFIX."""

    def __init__(self, caches: JobCaches, service: CacheService, tokens: JobTokens) -> None:
        """Read by the addresses of `service`, which are of both versions."""
        self._caches = caches
        self._service = service
        self._tokens = tokens

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        return self._answer(Request(environ))(environ, start)

    def _answer(self, request: Request) -> Response:
        """Answer, with an error of the service's own form when it is refused."""
        try:
            job = self._tokens.runtime_job(request.headers.get("Authorization", ""))
            caller = Caller(job, request.host_url.rstrip("/"))
            return self._do(caller, request, request.path.removeprefix(PREFIX))
        except Refused as refused:
            status = STATUSES.get(refused.code, HTTPStatus.BAD_REQUEST)
            return _error(
                status, refused.message, EXISTS if refused.code == "already_exists" else ""
            )
        except TrunklineError as error:
            return _error(HTTPStatus.SERVICE_UNAVAILABLE, error.message)

    def _do(self, caller: Caller, request: Request, path: str) -> Response:
        what, _, number = path.partition("/")
        by_path: dict[tuple[str, str, bool], Callable[[], Response]] = {
            ("GET", "cache", False): lambda: self._find(caller, request),
            ("GET", "caches", False): lambda: self._list(caller, request),
            ("POST", "caches", False): lambda: self._reserve(caller, request),
            ("PATCH", "caches", True): lambda: self._receive(caller, request, number),
            ("POST", "caches", True): lambda: self._commit(caller, request, number),
        }
        found = by_path.get((request.method, what, bool(number)))
        if found is None:
            raise Refused("not_found", f"there is no {request.method} {request.path}")
        return found()

    def _find(self, caller: Caller, request: Request) -> Response:
        key, *restore_keys = request.args.get("keys", "").split(",")
        version = request.args.get("version", "")
        entry = self._caches.find(caller.job, key, restore_keys, version)
        if entry is None:
            return Response(status=HTTPStatus.NO_CONTENT)
        location = self._service.address(caller, entry.id)
        return told(HTTPStatus.OK, {**_record(entry), "archiveLocation": location})

    def _list(self, caller: Caller, request: Request) -> Response:
        found = self._caches.alike(caller.job, request.args.get("key", ""))
        listed = [_record(entry) for entry in found]
        return told(HTTPStatus.OK, {"totalCount": len(listed), "artifactCaches": listed})

    def _reserve(self, caller: Caller, request: Request) -> Response:
        asked = _read(request, _Reserve)
        made = self._caches.reserve(caller.job, asked.key, asked.version, asked.cacheSize)
        return told(HTTPStatus.CREATED, {"cacheId": int(made.id)})

    def _receive(self, caller: Caller, request: Request, number: str) -> Response:
        found = RANGE.fullmatch(request.headers.get("Content-Range", ""))
        if found is None:
            raise Refused("invalid_argument", "Content-Range must be `bytes <first>-<last>/*`")
        content = Incoming(request)
        self._caches.put_chunk(caller.job, number, content, int(found[1]), int(found[2]))
        return Response(status=HTTPStatus.NO_CONTENT)

    def _commit(self, caller: Caller, request: Request, number: str) -> Response:
        self._caches.finish_chunks(caller.job, number, _read(request, _Commit).size)
        return Response(status=HTTPStatus.NO_CONTENT)


def _read(request: Request, kind: type[Asked]) -> Asked:
    try:
        data = Incoming(request).read_at_most(LONGEST_BODY)
        if len(data) > LONGEST_BODY:
            raise Refused("invalid_argument", "the request is too long")
        return json_of(data, kind)
    except (BrokenOff, msgspec.DecodeError) as error:
        raise Refused("invalid_argument", f"the request can't be read: {error}") from error


def _record(entry: CacheEntry) -> dict[str, object]:
    return {
        "cacheKey": entry.key,
        "cacheVersion": entry.version,
        "scope": made_for(entry),
        "creationTime": rfc3339(entry.created),
    }


def _error(status: HTTPStatus, message: str, key: str = "") -> Response:
    record = {"message": message, "typeKey": key, "typeName": key, "errorCode": 0}
    return told(status, record)
