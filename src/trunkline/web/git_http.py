"""git over HTTP, for reading: info/refs and git-upload-pack (git's gitprotocol-http, version 2 too)."""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.wrappers import Request, Response

from trunkline.base.errors import NotFound
from trunkline.ports.git_service import GitService
from trunkline.ports.image_store import BrokenOff
from trunkline.ports.job_services import ServicesJob
from trunkline.web.content import PIECE, Incoming

PATH = re.compile(
    r"/(?P<repository>[\w.-]+/[\w.-]+?)(?:\.git)?/(?P<what>info/refs|git-upload-pack|git-receive-pack)",
    re.ASCII,
)
INFO = "info/refs"
REALM = 'Basic realm="GitHub"'
UPLOAD_PACK = "git-upload-pack"
NEVER_KEPT = {
    "Expires": "Fri, 01 Jan 1980 00:00:00 GMT",
    "Pragma": "no-cache",
    "Cache-Control": "no-cache, max-age=0, must-revalidate",
}
FIRST_LINE = b"001e# service=git-upload-pack\n0000"
# A request names commits: more than this is none.
LONGEST_REQUEST = 64 << 20
# zlib's sign for gzip's format.
GZIP = 31


class GitApp:
    """Answers fetches. `who` returns whose GITHUB_TOKEN a text is, None for nobody's.

    `elsewhere` is where repositories are that are not here (`https://github.com`): clients are sent
    there without a token; '' for nowhere.
    """

    def __init__(
        self,
        service: GitService,
        who: Callable[[str], ServicesJob | None],
        elsewhere: Callable[[ServicesJob], str],
    ) -> None:
        self._service = service
        self._who = who
        self._elsewhere = elsewhere

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        return self._answer(Request(environ))(environ, start)

    def _answer(self, request: Request) -> Response:
        found = PATH.fullmatch(request.path)
        if found is None:
            return _told(404, "Not Found")
        job = self._who(token_of(request.headers.get("Authorization", "")))
        if job is None:
            return _told(401, "Invalid username or token.", {"WWW-Authenticate": REALM})
        if job.permissions.get("contents", "none") == "none":
            return _told(403, "The job has no permission 'contents: read'.")
        service = request.args.get("service", "") if found["what"] == INFO else found["what"]
        if service != UPLOAD_PACK:
            return _told(403, "Repositories are served for reading: nothing can be pushed here.")
        try:
            return self._served(request, job, found["repository"], found["what"])
        except NotFound:
            return self._sent_on(request, job)

    def _served(self, request: Request, job: ServicesJob, repository: str, what: str) -> Response:
        protocol = request.headers.get("Git-Protocol", "")
        if what == INFO:
            if request.method != "GET":
                return _told(405, "Method Not Allowed")
            said = self._service.advertise(job, repository, protocol)
            first = b"" if "version=2" in protocol else FIRST_LINE
            kind = "application/x-git-upload-pack-advertisement"
            return Response(first + said, 200, NEVER_KEPT, content_type=kind)
        if request.method != "POST":
            return _told(405, "Method Not Allowed")
        if request.mimetype != "application/x-git-upload-pack-request":
            return _told(415, "Unsupported Media Type")
        answers = self._service.upload_pack(job, repository, protocol, _body(request))
        kind = "application/x-git-upload-pack-result"
        return Response(answers, 200, NEVER_KEPT, content_type=kind)

    def _sent_on(self, request: Request, job: ServicesJob) -> Response:
        """Send a client on; git leaves the name and the password of this server behind."""
        server = self._elsewhere(job)
        if not server or request.method != "GET":
            return _told(404, "Repository not found.")
        return _told(302, "", {"Location": f"{server}{request.full_path}"})


def token_of(authorization: str) -> str:
    """Return the token of an Authorization header: `basic` (as the password), `bearer` or `token`."""
    kind, _, value = authorization.strip().partition(" ")
    if kind.lower() in {"bearer", "token"}:
        return value.strip()
    if kind.lower() != "basic":
        return ""
    try:
        name, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""
    return password or name


def _told(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return Response(f"{text}\n", status, headers or {}, content_type="text/plain; charset=utf-8")


def _body(request: Request) -> Iterator[bytes]:
    """Yield a request's body, unpacked; one that breaks off or is too long just ends: git says so."""
    incoming = Incoming(request)
    zipped = request.headers.get("Content-Encoding", "") in {"gzip", "x-gzip"}
    unpack = zlib.decompressobj(GZIP).decompress if zipped else None
    left = LONGEST_REQUEST
    with contextlib.suppress(BrokenOff, zlib.error):
        while left > 0 and (data := incoming.read(PIECE)):
            piece = unpack(data, left) if unpack else data
            left -= len(piece)
            yield piece
