"""Everything that actions call, at the root of one port: sends a request to the part it is for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import msgspec
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from trunkline.base.errors import TrunklineError

JSON = "application/json"
MakePart = Callable[[], WSGIApplication]


class ResultsApp:
    """Has parts by the path they answer below: `/blobs/`, or a whole path like `/api/graphql`.

    A prefix that ends in `/` stands for what is below it; the longest one counts. Each part is made
    with the first request for it.
    """

    def __init__(self, parts: Mapping[str, MakePart]) -> None:
        self._parts = parts
        self._lock = threading.Lock()
        self._made: dict[str, WSGIApplication] = {}

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        prefix = self._prefix(environ.get("PATH_INFO", ""))
        if prefix is None:
            return told(404, {"message": "Not Found"})(environ, start)
        try:
            return self._part(prefix)(environ, start)
        except HTTPException as error:
            return told(error.code or 400, {"message": error.name})(environ, start)
        except TrunklineError as error:
            return told(503, {"message": error.message})(environ, start)

    def _prefix(self, path: str) -> str | None:
        fitting = (
            prefix
            for prefix in self._parts
            if path == prefix or (prefix.endswith("/") and path.startswith(prefix))
        )
        return max(fitting, key=len, default=None)

    def _part(self, prefix: str) -> WSGIApplication:
        with self._lock:
            if prefix not in self._made:
                self._made[prefix] = self._parts[prefix]()
            return self._made[prefix]


def told(status: int, record: object) -> Response:
    """Return a JSON response. Clients show the status' phrase, which is GitHub's here."""
    phrase = f"{status} {HTTPStatus(status).phrase}"
    return Response(msgspec.json.encode(record), phrase, content_type=JSON)


def old_artifacts() -> WSGIApplication:
    """Return what answers actions/upload-artifact and download-artifact up to version 3.

    Their log shows the phrase of the status and nothing of the body.
    """
    record = {
        "typeKey": "ArtifactServiceRetired",
        "message": "Version 3 of the artifact actions and older ones speak a protocol that GitHub "
        "has retired. Use actions/upload-artifact@v4 and actions/download-artifact@v4 or newer.",
    }
    answer = told(410, record)
    answer.status = "410 Gone: take version 4 or newer of the artifact actions"
    return answer
