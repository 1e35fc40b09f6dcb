"""A request to GitHub's REST API and what answers it, whoever carries them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO, Protocol, TypeVar

import msgspec

from trunkline.ports.blobs import BlobStore
from trunkline.ports.clock import Clock, Ids
from trunkline.ports.github_data import GitData, GitHubData, Records
from trunkline.ports.image_store import Stream
from trunkline.ports.job_services import ServicesJob, Written
from trunkline.ports.journal import Journals
from trunkline.ports.logs import LogStore
from trunkline.ports.uploads import Uploads
from trunkline.services.actions.artifacts import ArtifactService
from trunkline.services.actions.kept_caches import KeptCaches
from trunkline.services.actions.signed_urls import SignedUrls
from trunkline.services.github.refusals import Refused, invalid

T = TypeVar("T", bound=msgspec.Struct)
Document = dict[str, Any]

# As msgspec words them.
MISSING = re.compile(r"Object missing required field `([^`]+)`")
WRONG = re.compile(r"(?P<what>.*) - at `\$\.?(?P<field>[^`]*)`", re.DOTALL)


class StopRun(Protocol):
    """Asks the engine of a run to end it."""

    def __call__(self, pid: int, *, force: bool) -> None:
        """Ask the process `pid`; with `force` it does not wait for its steps."""
        ...


class Stores(msgspec.Struct, frozen=True, kw_only=True):
    """What the end points read and write; `tell` hears what a job wrote.

    `stop` asks the engine of a run to end it.
    """

    data: GitHubData
    uploads: Uploads
    clock: Clock
    ids: Ids
    journals: Journals
    logs: LogStore
    artifacts: ArtifactService
    caches: KeptCaches
    urls: SignedUrls
    tell: Callable[[ServicesJob, Written], None]
    stop: StopRun


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a job.

    `origin` is where the client reaches this machine (`http://127.0.0.1:PORT`), `api` the API below
    it; `path` holds the variables of the end point's path. `body` is decoded JSON, an empty object
    without one; `content` is the body of an end point that takes it raw. `personal` says that the
    token is one that the user gave.
    """

    stores: Stores
    job: ServicesJob
    origin: str
    api: str
    path: Mapping[str, Any]
    query: Mapping[str, str] = {}
    accept: str = ""
    body: Any = {}
    content: Stream | None = None
    length: int | None = None
    content_type: str = ""
    personal: bool = False

    @property
    def git(self) -> GitData:
        """Return the repository's git data."""
        return self.stores.data.git(self.job)

    @property
    def records(self) -> Records:
        """Return what was written to the repository."""
        return self.stores.data.records(self.job)

    @property
    def blobs(self) -> BlobStore:
        """Return where the content of what was written lies."""
        return self.stores.data.blobs(self.job)

    @property
    def repository(self) -> str:
        """Return `owner/name`."""
        return self.job.repository

    @property
    def url(self) -> str:
        """Return the API address of the repository."""
        return f"{self.api}/repos/{self.repository}"

    @property
    def page(self) -> str:
        """Return the address of the repository's page."""
        return f"{self.context('server_url') or 'https://github.com'}/{self.repository}"

    def context(self, name: str) -> str:
        """Return a value of the job's `github` context, '' without one."""
        found = self.job.github.get(name)
        return "" if found is None else str(found)

    @property
    def event(self) -> Mapping[str, Any]:
        """Return the payload of the event that the run answers."""
        found = self.job.github.get("event")
        return found if isinstance(found, Mapping) else {}

    def tell(self, kind: str, what: str) -> None:
        """Tell who listens for the job what it wrote."""
        self.stores.tell(self.job, Written(kind, what))

    def wants(self, kind: str) -> bool:
        """Tell whether the client accepts a form: `raw`, `diff`, `patch`, `sha` ..."""
        return any(
            re.fullmatch(rf"application/vnd\.github(\.v3)?\.{kind}(\+json)?", each.strip())
            for each in self.accept.partition(";")[0].split(",")
        )

    def read(self, kind: type[T], resource: str) -> T:
        """Return the body as a struct. Raises Refused."""
        if not isinstance(self.body, Mapping):
            raise Refused(400, "Body should be a JSON object")
        try:
            return msgspec.convert(self.body, kind)
        except msgspec.ValidationError as error:
            told = str(error)
            if missing := MISSING.search(told):
                raise invalid(resource, missing[1], "missing_field") from error
            wrong = WRONG.fullmatch(told)
            field, what = (wrong["field"], wrong["what"]) if wrong else ("", told)
            raise invalid(resource, field, "invalid", what) from error


class Reply(msgspec.Struct, frozen=True):
    """A JSON answer; None is no content."""

    document: Any
    status: int = 200
    location: str = ""


class Listing(msgspec.Struct, frozen=True):
    """A list that is answered in pages, alone or as field `name` of an object with its length.

    `fields` stand beside the list.
    """

    items: Sequence[Any]
    name: str = ""
    fields: Mapping[str, Any] = {}


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is no JSON; `size` in bytes, `name` is a file's."""

    content: BinaryIO | bytes
    content_type: str
    size: int
    name: str = ""


class Redirect(msgspec.Struct, frozen=True):
    """The answer is elsewhere."""

    url: str
    status: int = 302


Answer = Reply | Listing | Content | Redirect


def number(value: Any) -> int:
    """Return an id of a path."""
    return int(value)


def given(changes: msgspec.Struct) -> Document:
    """Return the fields that a request told of a struct with UNSET ones, null as it is."""
    fields = msgspec.structs.asdict(changes)
    return {name: value for name, value in fields.items() if value is not msgspec.UNSET}
