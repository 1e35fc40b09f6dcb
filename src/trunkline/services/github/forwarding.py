"""What `--publish` sends to the real API: with the user's token, and told as sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from trunkline.ports.image_store import Stream
from trunkline.ports.job_services import ServicesJob, Written
from trunkline.ports.upstream import Received, Sending, Upstream
from trunkline.services.github.refusals import Refused

READING = frozenset({"GET", "HEAD"})
# Statuses of refusals begin here.
REFUSED = 400
NOT_GIVEN = (
    "--publish sends what jobs write to GitHub with a token of yours, and there is none: "
    "give it with -s GITHUB_TOKEN."
)
GITHUB = "https://github.com"
GITHUB_API = "https://api.github.com"
AGENT = "trunkline"
# What a client asks for that the server must hear of.
PASSED_ON = ("accept", "content-type", "if-none-match", "if-modified-since", "range", "user-agent")
API_VERSION = "x-github-api-version"


class Places(msgspec.Struct, frozen=True):
    """Where the API, uploads of assets and GraphQL are; no slash at their ends."""

    api: str
    uploads: str
    graphql: str

    @property
    def host(self) -> str:
        """Return the API's host, for people."""
        return self.api.partition("://")[2].partition("/")[0]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request of a job: `target` is the path behind the API's address, with its query.

    `headers` are by lower-case name.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    content: Stream | None = None
    length: int | None = None


def places(server: str, api: str = "") -> Places:
    """Return the places of a server; `api` is its API's address when the user says it.

    GitHub: REST, uploads and GraphQL have hosts of their own on github.com and *.ghe.com, and are
    paths of the one host on GitHub Enterprise Server.
    """
    found = (api or _api_of(server)).rstrip("/")
    if found.endswith("/api/v3"):
        root = found.removesuffix("/v3")
        return Places(found, f"{root}/uploads", f"{root}/graphql")
    return Places(found, found.replace("://api.", "://uploads.", 1), f"{found}/graphql")


def _api_of(server: str) -> str:
    plain = server.rstrip("/")
    scheme, _, host = plain.partition("://")
    if plain in {"", GITHUB}:
        return GITHUB_API
    if host.endswith(".ghe.com"):
        return f"{scheme}://api.{host}"
    return f"{plain}/api/v3"


class Forwarding:
    """Sends requests of jobs on. `given` returns the token that a job's user gave, '' for none.

    `tell` hears of every write that the server took.
    """

    def __init__(
        self,
        upstream: Upstream,
        of_job: Callable[[ServicesJob], Places],
        given: Callable[[ServicesJob], str],
        tell: Callable[[ServicesJob, Written], None],
    ) -> None:
        self._upstream = upstream
        self._of_job = of_job
        self._given = given
        self._tell = tell

    def places(self, job: ServicesJob) -> Places:
        """Return where a job's requests go."""
        return self._of_job(job)

    def has_token(self, job: ServicesJob) -> bool:
        """Tell whether the job's user gave a token."""
        return bool(self._given(job))

    def rest(self, job: ServicesJob, asked: Asked, *, upload: bool = False) -> Received:
        """Send a request of the REST API. Raises Refused without a token, Unavailable."""
        found = self.places(job)
        answer = self._send(job, asked, found.uploads if upload else found.api)
        if asked.method not in READING and answer.status < REFUSED:
            path = asked.target.partition("?")[0]
            self._told(job, "request", f"{asked.method} {path}", answer)
        return answer

    def graphql(self, job: ServicesJob, asked: Asked, mutations: tuple[str, ...]) -> Received:
        """Send a request of GraphQL, which does `mutations`. Raises Refused, Unavailable."""
        answer = self._send(job, asked, self.places(job).graphql)
        if mutations and answer.status < REFUSED:
            self._told(job, "GraphQL mutation", ", ".join(mutations), answer)
        return answer

    def anonymous(self, job: ServicesJob, asked: Asked) -> Received:
        """Send a request for what everybody may read, without a token."""
        return self._upstream.send(self._sending(asked, self.places(job).api))

    def _send(self, job: ServicesJob, asked: Asked, place: str) -> Received:
        token = self._given(job)
        if not token:
            raise Refused(403, NOT_GIVEN)
        sending = self._sending(asked, place)
        headers = {**sending.headers, "Authorization": f"Bearer {token}"}
        return self._upstream.send(msgspec.structs.replace(sending, headers=headers))

    def _sending(self, asked: Asked, place: str) -> Sending:
        headers = {
            name: asked.headers[name] for name in (*PASSED_ON, API_VERSION) if name in asked.headers
        }
        return Sending(
            method=asked.method,
            url=place + asked.target,
            headers={"user-agent": AGENT, **headers},
            content=asked.content,
            length=asked.length,
        )

    def _told(self, job: ServicesJob, kind: str, what: str, answer: Received) -> None:
        self._tell(job, Written(kind, f"{what}, {answer.status}", self.places(job).host))
