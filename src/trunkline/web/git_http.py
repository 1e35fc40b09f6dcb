"""git over HTTP: info/refs, git-upload-pack and git-receive-pack (git's gitprotocol-http)."""

from __future__ import annotations

import contextlib
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.wrappers import Request, Response

from trunkline.base.errors import NotFound, UsageError
from trunkline.ports.git_service import RECEIVE_PACK, UPLOAD_PACK, GitRequest, GitService
from trunkline.ports.image_store import BrokenOff
from trunkline.ports.job_services import ServicesJob
from trunkline.services.github.documents import BOT
from trunkline.web.content import PIECE, Incoming
from trunkline.web.github_tokens import token_of

# A client may be led here with the name of a server before: `/-/github.com/octo/demo`.
BELOW = r"(?:/-/(?P<host>[\w.:-]+))?(?P<there>/(?P<repository>[\w.-]+/[\w.-]+?)(?:\.git)?"
PATH = re.compile(BELOW + r"/(?P<what>info/refs|git-upload-pack|git-receive-pack))", re.ASCII)
LARGE_FILES = re.compile(BELOW + r"/info/lfs/[\w./-]+)", re.ASCII)
INFO = "info/refs"
REALM = 'Basic realm="GitHub"'
NEVER_KEPT = {
    "Expires": "Fri, 01 Jan 1980 00:00:00 GMT",
    "Pragma": "no-cache",
    "Cache-Control": "no-cache, max-age=0, must-revalidate",
}
# Bytes of a request: what fetches names commits; GitHub takes 2 GiB of what is pushed.
LONGEST = {UPLOAD_PACK: 64 << 20, RECEIVE_PACK: 2 << 30}
# zlib's sign for gzip's format.
GZIP = 31


class _Refused(Exception):
    """What is answered instead: a status, what git shows, and headers."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = headers


class GitApp:
    """Answers fetches and pushes. `who` returns whose GITHUB_TOKEN a text is, None for nobody's.

    `elsewhere` is where repositories are that are not here (`https://github.com`): who fetches from
    them is sent there without a token; '' for nowhere.
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
        request = Request(environ)
        try:
            response = self._answer(request)
        except _Refused as refused:
            response = _told(refused.status, refused.text, refused.headers)
        return response(environ, start)

    def _answer(self, request: Request) -> Response:
        found = PATH.fullmatch(request.path)
        if found is None:
            return self._large_files(request)
        is_info = found["what"] == INFO
        service = request.args.get("service", "") if is_info else found["what"]
        asked = self._asked(request, found["repository"], service)
        if found["host"] in {None, urlsplit(_server_url(asked.job)).netloc}:
            try:
                return (self._advertised if is_info else self._answered)(request, asked)
            except UsageError as error:
                raise _Refused(403, error.message) from error
            except NotFound:
                pass
        # Not here, or at a server whose name only begins as that of the job's does.
        return self._not_here(request, asked, self._address(asked.job, found))

    def _address(self, job: ServicesJob, found: re.Match[str]) -> str:
        """Return where what a path names is at its own server, '' when that is not to be asked."""
        server = self._elsewhere(job)
        if server and found["host"]:
            server = f"{urlsplit(server).scheme}://{found['host']}"
        return server and f"{server}{found['there']}"

    def _large_files(self, request: Request) -> Response:
        """Send who asks for files of Git LFS to where they are, whatever the method."""
        found = LARGE_FILES.fullmatch(request.path)
        address = self._address(self._job(request), found) if found else ""
        if not address:
            raise _Refused(404, "Not Found")
        return _told(307, "", {"Location": address})

    def _asked(self, request: Request, repository: str, service: str) -> GitRequest:
        """Return what a client asks for, when its job may. Raises _Refused."""
        job = self._job(request)
        if service not in {UPLOAD_PACK, RECEIVE_PACK}:
            raise _Refused(403, "Please upgrade your git client.")
        level = job.permissions.get("contents", "none")
        if service == RECEIVE_PACK and level != "write":
            raise _denied(job, repository)
        if level == "none":
            raise _Refused(403, "The job has no permission 'contents: read'.")
        return GitRequest(job, repository, service, request.headers.get("Git-Protocol", ""))

    def _job(self, request: Request) -> ServicesJob:
        """Return whose token a request has. Raises _Refused."""
        job = self._who(token_of(request.headers.get("Authorization", "")))
        if job is None:
            raise _Refused(401, "Invalid username or token.", {"WWW-Authenticate": REALM})
        return job

    def _advertised(self, request: Request, asked: GitRequest) -> Response:
        if request.method != "GET":
            raise _Refused(405, "Method Not Allowed")
        said = self._service.advertise(asked)
        is_new = asked.service == UPLOAD_PACK and "version=2" in asked.protocol
        first = b"" if is_new else _first_line(asked.service)
        kind = f"application/x-{asked.service}-advertisement"
        return Response(first + said, 200, NEVER_KEPT, content_type=kind)

    def _answered(self, request: Request, asked: GitRequest) -> Response:
        if request.method != "POST":
            raise _Refused(405, "Method Not Allowed")
        if request.mimetype != f"application/x-{asked.service}-request":
            raise _Refused(415, "Unsupported Media Type")
        answers = self._service.answer(asked, _body(request, LONGEST[asked.service]))
        kind = f"application/x-{asked.service}-result"
        return Response(answers, 200, NEVER_KEPT, content_type=kind)

    def _not_here(self, request: Request, asked: GitRequest, other: str) -> Response:
        """Send who fetches on; git leaves the name and the password of this server behind."""
        if asked.service == RECEIVE_PACK:
            raise _denied(asked.job, asked.repository)
        if not other or request.method != "GET":
            raise _Refused(404, "Repository not found.")
        query = request.query_string.decode("ascii", "replace")
        return _told(302, "", {"Location": f"{other}?{query}"})


def _server_url(job: ServicesJob) -> str:
    return str(job.github.get("server_url") or "")


def _told(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        f"{text}\n", status, dict(headers or {}), content_type="text/plain; charset=utf-8"
    )


def _denied(job: ServicesJob, repository: str) -> _Refused:
    """Return the refusal of a push, in GitHub's words."""
    name = job.repository if repository.lower() == job.repository.lower() else repository
    return _Refused(403, f"Permission to {name}.git denied to {BOT}.")


def _first_line(service: str) -> bytes:
    """Return the line that names the service, and what ends it (gitprotocol-http)."""
    line = f"# service={service}\n"
    return f"{len(line) + 4:04x}{line}0000".encode("ascii")


def _body(request: Request, longest: int) -> Iterator[bytes]:
    """Yield a request's body, unpacked; one that breaks off or is too long just ends: git says so."""
    incoming = Incoming(request)
    zipped = request.headers.get("Content-Encoding", "") in {"gzip", "x-gzip"}
    left = longest
    with contextlib.suppress(BrokenOff, zlib.error):
        for piece in _unpacked(incoming) if zipped else iter(lambda: incoming.read(PIECE), b""):
            left -= len(piece)
            if left < 0:
                return
            yield piece


def _unpacked(incoming: Incoming) -> Iterator[bytes]:
    """Yield what was packed, in small pieces whatever it grows to."""
    unpacker = zlib.decompressobj(GZIP)
    while data := incoming.read(PIECE):
        while data:
            yield unpacker.decompress(data, PIECE)
            data = unpacker.unconsumed_tail
