"""The artifact service, method by method: names, runs, sizes, digests, and who may do what."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.actions_services import job_of
from trunkline.adapters.artifacts.folder import FolderArtifacts
from trunkline.adapters.clock import FakeClock, SystemIds
from trunkline.adapters.uploads.files import FileUploads
from trunkline.base.errors import NotFound
from trunkline.ports.artifacts import ArtifactInfo, NewArtifact
from trunkline.ports.job_services import ServicesJob, Written
from trunkline.services.actions.artifact_messages import (
    CreateRequest,
    DeleteRequest,
    FinalizeRequest,
    ListRequest,
    Record,
    SignedUrlRequest,
)
from trunkline.services.actions.artifacts import MOST_OF_A_JOB, ArtifactService
from trunkline.services.actions.calls import Caller
from trunkline.services.actions.jobs import LiveJobs
from trunkline.services.actions.refusals import Refused
from trunkline.services.actions.signed_urls import SignedUrls
from trunkline.services.actions.tokens import backend_id

RUN = "1001"
JOB, LATER = job_of(RUN, 1), job_of(RUN, 2)
FOREIGN = job_of("1002", 1)
BASE = "http://127.0.0.1:1"
BAD_NAMES = [
    *("", "a/b", "a\\b", "..", ".", "a\0b", 'a"', "a:b", "<", ">", "|", "*", "?", "a\rb", "a\nb"),
    *("a\x7f", "x" * 251, "é" * 126, "\ud800"),
]


class Made:
    """The service over folders of its own."""

    def __init__(self, place: Path) -> None:
        self.clock = FakeClock()
        ids = SystemIds()
        self.jobs = LiveJobs(self.clock, ids)
        self.store = FolderArtifacts(place / "runs", self.clock, ids)
        self.place = place
        self.uploads = FileUploads(str(place / "uploads"), self.clock, ids)
        urls = SignedUrls(self.jobs, self.clock, b"k" * 32)
        self.service = ArtifactService(self.jobs, self.store, self.uploads, urls, self.clock, 1000)
        self.stored: list[ArtifactInfo] = []
        for job in (JOB, LATER, FOREIGN):
            self.jobs.begin(job, self._hear)
            (place / "runs" / job.run_id).mkdir(parents=True, exist_ok=True)

    def _hear(self, told: ArtifactInfo | Written) -> None:
        if isinstance(told, ArtifactInfo):
            self.stored.append(told)

    def create(
        self, name: str, job: ServicesJob = JOB, mime: str = "", until: datetime | None = None
    ) -> str:
        """Begin an artifact; return the id of its upload."""
        request = CreateRequest(
            workflow_run_backend_id=job.run_id,
            workflow_job_run_backend_id=backend_id(job),
            name=name,
            mime_type=mime,
            expires_at=until,
        )
        url = self.service.create(Caller(job, BASE), request).signed_upload_url
        assert url.startswith(f"{BASE}/blobs/artifacts/")
        return url.partition("?")[0].rpartition("/")[2]

    def fill(self, upload: str, data: bytes, content_type: str = "") -> None:
        """Upload the content."""
        self.uploads.put(upload, io.BytesIO(data), len(data), content_type)

    def finalize(
        self, name: str, data: bytes, job: ServicesJob = JOB, *, digest: str | None = None
    ) -> str:
        """Finish an artifact; return its id."""
        told = f"sha256:{hashlib.sha256(data).hexdigest()}" if digest is None else digest
        request = FinalizeRequest(
            workflow_run_backend_id=job.run_id,
            workflow_job_run_backend_id=backend_id(job),
            name=name,
            size=len(data),
            hash=told,
        )
        return self.service.finalize(Caller(job, BASE), request).artifact_id

    def upload(self, name: str, data: bytes, job: ServicesJob = JOB, mime: str = "") -> str:
        """Do all three."""
        self.fill(self.create(name, job, mime), data)
        return self.finalize(name, data, job)

    def records(
        self, job: ServicesJob = JOB, name: str | None = None, number: int | None = None
    ) -> tuple[Record, ...]:
        """List the artifacts of a job's run."""
        request = ListRequest(
            workflow_run_backend_id=job.run_id, name_filter=name, id_filter=number
        )
        return self.service.list(Caller(job, BASE), request).artifacts

    def names(self, job: ServicesJob = JOB) -> list[str]:
        """Return the names of the artifacts of a job's run."""
        return [record.name for record in self.records(job)]

    def left(self) -> list[str]:
        """Return the uploads that lie on the disk."""
        folder = self.place / "uploads"
        return [path.name for path in folder.iterdir()] if folder.exists() else []


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


def refused(code: str, message: str = "") -> pytest.RaisesExc[Refused]:
    return pytest.RaisesExc(
        Refused, check=lambda error: error.code == code and message in error.message
    )


def test_an_artifact_is_seen_when_it_is_finalized(made: Made):
    upload = made.create("dist", mime="text/plain")
    assert made.names() == []
    made.fill(upload, b"content")
    assert made.names() == []
    number = made.finalize("dist", b"content")
    assert made.records(LATER) == (
        Record(
            workflow_run_backend_id=RUN,
            workflow_job_run_backend_id="1",
            database_id=number,
            name="dist",
            size="7",
            created_at="2023-11-14T22:13:20Z",
            digest=f"sha256:{hashlib.sha256(b'content').hexdigest()}",
        ),
    )
    assert made.names(FOREIGN) == []
    assert made.left() == []


def test_who_listens_hears_of_it(made: Made):
    made.upload("dist", b"content", mime="text/plain")
    (info,) = made.stored
    assert (info.name, info.size, info.files, info.job) == ("dist", 7, 1, "1")
    assert Path(info.path).read_bytes() == b"content"


def test_filters(made: Made):
    first = made.upload("one", b"1")
    second = made.upload("two", b"2", LATER)
    assert [record.database_id for record in made.records(name="two")] == [second]
    assert [record.database_id for record in made.records(number=int(first))] == [first]
    assert made.records(name="one", number=int(second)) == ()
    assert [record.workflow_job_run_backend_id for record in made.records()] == ["1", "2"]


def test_native_artifacts_are_listed_too(made: Made):
    native = made.store.create(NewArtifact(run_id=RUN, name="native"), [])
    (record,) = made.records(LATER)
    assert (record.database_id, record.workflow_job_run_backend_id) == (native.id, "2")


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_no_artifact_has(made: Made, name: str):
    with refused("invalid_argument", "name"):
        made.create(name)
    assert made.left() == []


@pytest.mark.parametrize("name", ["x" * 250, "é" * 125, ".about", "a b", "-", "%2e%2e"])
def test_odd_names(made: Made, name: str):
    made.upload(name, b"content", mime="text/plain")
    assert made.names() == [name]
    assert Path(made.stored[0].path).is_relative_to(made.place / "runs" / RUN / "artifacts")
    made.upload(f"{name[:-1]}!", b"more")
    assert len(made.names()) == 2


def test_a_name_is_taken_once(made: Made):
    made.upload("dist", b"content")
    for job in (JOB, LATER):
        with refused("already_exists", "an artifact with this name already exists on the"):
            made.create("dist", job)
    made.upload("dist", b"content", FOREIGN)


def test_two_uploads_of_one_name_at_once(made: Made):
    first, second = made.create("dist"), made.create("dist", LATER)
    made.fill(second, b"second")
    made.fill(first, b"first")
    assert made.finalize("dist", b"second", LATER)
    with refused("already_exists"):
        made.finalize("dist", b"first")
    (record,) = made.records()
    assert record.size == "6"
    assert made.left() == []


def test_two_uploads_of_one_name_by_one_job(made: Made):
    first, second = made.create("dist"), made.create("dist")
    made.fill(first, b"first")
    made.fill(second, b"another")
    made.finalize("dist", b"first")
    assert made.records()[0].size == "5"
    with refused("already_exists"):
        made.finalize("dist", b"another")


def test_overwriting_is_deleting_and_creating(made: Made):
    first = made.upload("dist", b"old")
    request = DeleteRequest(workflow_run_backend_id=RUN, name="dist")
    assert made.service.delete(Caller(LATER, BASE), request).artifact_id == first
    with refused("not_found"):
        made.service.delete(Caller(LATER, BASE), request)
    second = made.upload("dist", b"new", LATER)
    assert [record.database_id for record in made.records()] == [second]


@pytest.mark.parametrize("digest", ["sha256:" + "0" * 64, "sha1:x", "x"])
def test_what_was_uploaded_is_not_what_is_told(made: Made, digest: str):
    upload = made.create("dist")
    made.fill(upload, b"content")
    with refused("invalid_argument", "the hash is"):
        made.finalize("dist", b"content", digest=digest)
    with refused("invalid_argument", "the size is 5, but 7 bytes were uploaded"):
        made.finalize("dist", b"short")
    assert made.names() == []
    made.finalize("dist", b"content", digest="")  # older clients tell none
    assert made.names() == ["dist"]


def test_nothing_was_uploaded(made: Made):
    with refused("not_found"):
        made.finalize("dist", b"")
    made.create("dist")
    with refused("failed_precondition"):
        made.finalize("dist", b"")


def test_an_answer_that_was_lost_is_given_again(made: Made):
    number = made.upload("dist", b"content")
    assert made.finalize("dist", b"content") == number
    with refused("already_exists"):
        made.finalize("dist", b"content", LATER)
    with refused("already_exists"):
        made.finalize("dist", b"other")
    assert len(made.stored) == 1


def test_a_token_is_good_for_its_own_run_and_job(made: Made):
    made.upload("dist", b"content")
    caller = Caller(FOREIGN, BASE)
    for ask in (
        lambda: made.service.create(
            caller, CreateRequest(workflow_run_backend_id=RUN, name="dist")
        ),
        lambda: made.service.finalize(
            caller, FinalizeRequest(workflow_run_backend_id=RUN, name="dist")
        ),
        lambda: made.service.list(caller, ListRequest(workflow_run_backend_id=RUN)),
        lambda: made.service.signed_url(
            caller, SignedUrlRequest(workflow_run_backend_id=RUN, name="dist")
        ),
        lambda: made.service.delete(
            caller, DeleteRequest(workflow_run_backend_id=RUN, name="dist")
        ),
    ):
        with refused("permission_denied", "not of this run"):
            ask()
    request = CreateRequest(
        workflow_run_backend_id=RUN, workflow_job_run_backend_id="2", name="other"
    )
    with refused("permission_denied", "not of this job"):
        made.service.create(Caller(JOB, BASE), request)


def test_retention(made: Made):
    until = datetime.fromtimestamp(made.clock.now() + 60, UTC)
    made.fill(made.create("dist", until=until), b"content")
    made.finalize("dist", b"content")
    (info,) = made.service.of_run(RUN)
    assert info.expires == until.timestamp()
    made.clock.advance(60)
    assert made.names() == []
    assert not Path(info.path).exists()
    with refused("invalid_argument", "passed"):
        made.create("late", until=until)


def test_what_a_job_leaves_unfinished_goes_with_it(made: Made):
    made.fill(made.create("whole"), b"content")
    made.create("empty")
    made.create("other", LATER)
    made.service.end(JOB)
    assert len(made.left()) == 1
    with refused("not_found"):
        made.finalize("whole", b"content")


def test_a_job_uploads_so_many(made: Made):
    for number in range(MOST_OF_A_JOB):
        made.create(f"a{number}")
    with refused("failed_precondition", "500"):
        made.create("one more")
    made.create("one", LATER)


@pytest.mark.parametrize(
    ("mime", "content_type", "archived", "sent", "name"),
    [
        ("", "", True, "application/zip", "dist.zip"),
        ("application/zip", "zip", True, "application/zip", "dist.zip"),
        ("", "application/x-zip-compressed", True, "application/zip", "dist.zip"),
        ("text/plain", "", False, "text/plain", "dist"),
        ("text/plain", "image/png", False, "image/png", "dist"),
        ("text/html; charset=utf-8", "", False, "text/html; charset=utf-8", "dist"),
        ("x\r\nSet-Cookie: a", "", False, "application/octet-stream", "dist"),
    ],
)
def test_the_type_of_the_content_is_kept(made: Made, mime, content_type, archived, sent, name):
    made.fill(made.create("dist", mime=mime), b"content", content_type)
    made.finalize("dist", b"content")
    (info,) = made.service.of_run(RUN)
    found = made.service.open(LATER, f"{RUN}-{info.id}")
    with found.file as file:
        assert file.read() == b"content"
    assert (info.archived, found.content_type, found.name) == (archived, sent, name)


def test_a_file_that_is_an_archive_keeps_its_name(made: Made):
    made.upload("site.zip", b"content", mime="application/zip")
    found = made.service.open(JOB, f"{RUN}-{made.stored[0].id}")
    found.file.close()
    assert found.name == "site.zip"


def test_addresses_lead_to_what_is_there(made: Made):
    number = made.upload("dist", b"content")
    request = SignedUrlRequest(workflow_run_backend_id=RUN, name="dist")
    url = made.service.signed_url(Caller(LATER, BASE), request).signed_url
    assert url.startswith(f"{BASE}/blobs/artifacts/{RUN}-{number}?")
    with refused("not_found"):
        made.service.signed_url(
            Caller(JOB, BASE), SignedUrlRequest(workflow_run_backend_id=RUN, name="none")
        )
    for place in (f"1002-{number}", f"{RUN}-1", "-", "", "..-1", f"{RUN}-{number}-1"):
        with pytest.raises(NotFound):
            made.service.open(JOB, place)


def test_artifacts_of_all_runs_by_id(made: Made):
    number = made.upload("dist", b"content", FOREIGN)
    info = made.service.by_id(number)
    assert info is not None
    assert (info.run_id, info.name) == ("1002", "dist")
    for wrong in ("1", "", "x", "../1", "٣"):
        assert made.service.by_id(wrong) is None
    assert made.service.remove(info)
    assert made.service.by_id(number) is None
    assert not made.service.remove(info)


def test_a_run_that_there_is_not(made: Made):
    assert made.service.of_run("9999") == ()
