"""Artifacts as actions know them: made by upload and finalize, listed by run, read by address."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import msgspec

from trunkline.base.errors import NotFound
from trunkline.ports.artifacts import ArtifactExists, ArtifactInfo, Artifacts, ReceivedArtifact
from trunkline.ports.clock import Clock
from trunkline.ports.job_services import ServicesJob
from trunkline.ports.uploads import Finished, Uploads
from trunkline.services.actions.artifact_messages import (
    Created,
    CreateRequest,
    Deleted,
    DeleteRequest,
    Finalized,
    FinalizeRequest,
    Listed,
    ListRequest,
    Record,
    SignedUrl,
    SignedUrlRequest,
)
from trunkline.services.actions.artifact_names import check_name, is_zip, plain_type
from trunkline.services.actions.calls import Caller, Download, Method, Service
from trunkline.services.actions.jobs import LiveJobs
from trunkline.services.actions.refusals import Refused
from trunkline.services.actions.signed_urls import READ, WRITE, SignedUrls
from trunkline.services.actions.tokens import backend_id

SERVICE = "github.actions.results.api.v1.ArtifactService"
KIND = "artifacts"
ZIP = "application/zip"
# As much as a block blob of Azure holds in blocks of 8 MiB, which is what its clients send.
LIMIT = 50_000 * (8 << 20)
# GitHub: a job uploads at most 500 artifacts.
MOST_OF_A_JOB = 500
EXISTS = "an artifact with this name already exists on the workflow run"


class _Pending(msgspec.Struct, frozen=True):
    """An artifact that is being uploaded."""

    run_id: str
    number: int
    name: str
    upload: str
    content_type: str
    expires: float


class ArtifactService:
    """The five methods of GitHub's artifact service, over the artifacts of this machine's runs.

    Nothing is visible before FinalizeArtifact. Any number of uploads of one name may be under way;
    the first that is finalized has the name. Thread-safe.
    """

    def __init__(
        self,
        jobs: LiveJobs,
        artifacts: Artifacts,
        uploads: Uploads,
        urls: SignedUrls,
        clock: Clock,
        limit: int = LIMIT,
    ) -> None:
        """Take at most `limit` bytes an artifact."""
        self._jobs = jobs
        self._artifacts = artifacts
        self._uploads = uploads
        self._urls = urls
        self._clock = clock
        self._limit = limit
        self._lock = threading.Lock()
        self._pending: list[_Pending] = []
        self._made: dict[tuple[str, int], int] = {}

    def methods(self) -> Service:
        """Return the methods by name."""
        return {
            "CreateArtifact": Method(CreateRequest, self.create),
            "FinalizeArtifact": Method(FinalizeRequest, self.finalize),
            "ListArtifacts": Method(ListRequest, self.list),
            "GetSignedArtifactURL": Method(SignedUrlRequest, self.signed_url),
            "DeleteArtifact": Method(DeleteRequest, self.delete),
        }

    def create(self, caller: Caller, request: CreateRequest) -> Created:
        """Begin an artifact; return where its content goes."""
        job = caller.job
        _check_ids(job, request.workflow_run_backend_id, request.workflow_job_run_backend_id)
        check_name(request.name)
        expires = request.expires_at.timestamp() if request.expires_at else 0.0
        if expires and expires <= self._clock.now():
            raise Refused("invalid_argument", "expires_at has passed")
        if self._find(job.run_id, request.name):
            raise Refused("already_exists", EXISTS)
        with self._lock:
            made = self._made.get((job.run_id, job.number), 0) + 1
            if made > MOST_OF_A_JOB:
                raise Refused("failed_precondition", f"a job uploads at most {MOST_OF_A_JOB}")
            self._made[job.run_id, job.number] = made
        upload = self._uploads.start(self._limit)
        with self._lock:
            self._pending.append(
                _Pending(job.run_id, job.number, request.name, upload, request.mime_type, expires)
            )
        return Created(signed_upload_url=self._urls.url(caller.base, job, WRITE, KIND, upload))

    def finalize(self, caller: Caller, request: FinalizeRequest) -> Finalized:
        """Make an artifact of what was uploaded, when it is what the client says."""
        job = caller.job
        _check_ids(job, request.workflow_run_backend_id, request.workflow_job_run_backend_id)
        pending = self._choose(job, request)
        if pending is None:
            return Finalized(artifact_id=self._finalized_before(job, request).id)
        finished = self._uploads.take(pending.upload)
        told = finished.content_type or pending.content_type or ZIP
        try:
            info = self._artifacts.adopt(
                ReceivedArtifact(
                    run_id=job.run_id,
                    name=request.name,
                    job=backend_id(job),
                    path=finished.path,
                    digest=finished.digest,
                    size=finished.size,
                    archived=is_zip(told),
                    content_type=plain_type(told),
                    expires=pending.expires,
                )
            )
        except ArtifactExists:
            raise Refused("already_exists", EXISTS) from None
        self._jobs.tell_stored(job, info)
        return Finalized(artifact_id=info.id)

    def list(self, caller: Caller, request: ListRequest) -> Listed:
        """Return the run's artifacts, whichever job made them."""
        job = caller.job
        _check_run(job, request.workflow_run_backend_id)
        name, number = request.name_filter, request.id_filter
        return Listed(
            artifacts=tuple(
                _record(info, job)
                for info in self.of_run(job.run_id)
                if (name is None or info.name == name)
                and (number is None or info.id == str(number))
            )
        )

    def signed_url(self, caller: Caller, request: SignedUrlRequest) -> SignedUrl:
        """Return where an artifact's content is read."""
        _check_run(caller.job, request.workflow_run_backend_id)
        info = self._needed(caller.job.run_id, request.name)
        return SignedUrl(signed_url=self.address(caller, info))

    def delete(self, caller: Caller, request: DeleteRequest) -> Deleted:
        """Remove an artifact."""
        _check_run(caller.job, request.workflow_run_backend_id)
        info = self._needed(caller.job.run_id, request.name)
        self.remove(info)
        return Deleted(artifact_id=info.id)

    def of_run(self, run_id: str) -> tuple[ArtifactInfo, ...]:
        """Return a run's artifacts, oldest first; none for a run that there is not."""
        try:
            return self._artifacts.find(run_id)
        except NotFound:
            return ()

    def by_id(self, artifact_id: str) -> ArtifactInfo | None:
        """Return an artifact of whichever run."""
        return self._artifacts.by_id(artifact_id)

    def remove(self, info: ArtifactInfo) -> bool:
        """Remove an artifact; tell whether it was there."""
        return self._artifacts.delete(info.run_id, info.name)

    def address(self, caller: Caller, info: ArtifactInfo) -> str:
        """Return where the caller reads an artifact's content, for a while."""
        place = f"{info.run_id}-{info.id}"
        return self._urls.url(caller.base, caller.job, READ, KIND, place)

    def open(self, _job: ServicesJob, place: str) -> Download:
        """Open what an address leads to. Raises NotFound."""
        run_id, _, number = place.partition("-")
        found = next((info for info in self.of_run(run_id) if info.id == number), None)
        if found is None:
            raise NotFound(f"There is no artifact {number}.")
        return Download(
            file=self._artifacts.open(found),
            size=found.size,
            digest=found.digest,
            content_type=found.content_type
            or (ZIP if found.archived else "application/octet-stream"),
            name=_file_name(found),
        )

    def end(self, job: ServicesJob) -> None:
        """Forget what a job began to upload and did not finish."""
        with self._lock:
            mine = [each for each in self._pending if _is_of(each, job)]
            self._pending = [each for each in self._pending if not _is_of(each, job)]
            self._made.pop((job.run_id, job.number), None)
        for each in mine:
            self._uploads.discard(each.upload)

    def _choose(self, job: ServicesJob, request: FinalizeRequest) -> _Pending | None:
        """Take the upload that a job means off the list; None when it began none of this name."""
        with self._lock:
            mine = [each for each in self._pending if _is_of(each, job)]
        named = [each for each in mine if each.name == request.name]
        wrong = ""
        for each in named:
            finished = self._content(each)
            if finished is None:
                continue
            wrong = _difference(finished, request)
            if not wrong:
                with self._lock:
                    if each in self._pending:
                        self._pending.remove(each)
                        return each
        if wrong:
            raise Refused("invalid_argument", wrong)
        if named:
            raise Refused("failed_precondition", "the artifact's content was not uploaded")
        return None

    def _content(self, pending: _Pending) -> Finished | None:
        try:
            return self._uploads.find(pending.upload)
        except NotFound:
            return None

    def _finalized_before(self, job: ServicesJob, request: FinalizeRequest) -> ArtifactInfo:
        """Return the artifact when this is said a second time (an answer was lost)."""
        info = self._needed(job.run_id, request.name)
        content = Finished(path="", digest=info.digest, size=info.size)
        if info.job != backend_id(job) or _difference(content, request):
            raise Refused("already_exists", EXISTS)
        return info

    def _find(self, run_id: str, name: str) -> ArtifactInfo | None:
        return next((info for info in self.of_run(run_id) if info.name == name), None)

    def _needed(self, run_id: str, name: str) -> ArtifactInfo:
        found = self._find(run_id, name)
        if found is None:
            raise Refused("not_found", "the run has no artifact of this name")
        return found


def rfc3339(time: float) -> str:
    """Return a time (seconds since the epoch) as GitHub writes it."""
    return datetime.fromtimestamp(int(time), UTC).isoformat().replace("+00:00", "Z")


def _check_run(job: ServicesJob, run: str) -> None:
    if run != job.run_id:
        raise Refused("permission_denied", "the token is not of this run")


def _check_ids(job: ServicesJob, run: str, number: str) -> None:
    _check_run(job, run)
    if number != backend_id(job):
        raise Refused("permission_denied", "the token is not of this job")


def _is_of(pending: _Pending, job: ServicesJob) -> bool:
    return (pending.run_id, pending.number) == (job.run_id, job.number)


def _difference(finished: Finished, request: FinalizeRequest) -> str:
    """Return what is not as the client says, or ''."""
    if request.size != finished.size:
        return f"the size is {request.size}, but {finished.size} bytes were uploaded"
    if request.hash and request.hash.lower() != finished.digest:
        return f"the hash is {request.hash}, but that of what was uploaded is {finished.digest}"
    return ""


def _record(info: ArtifactInfo, job: ServicesJob) -> Record:
    return Record(
        workflow_run_backend_id=info.run_id,
        workflow_job_run_backend_id=info.job or backend_id(job),
        database_id=info.id,
        name=info.name,
        size=str(info.size),
        created_at=rfc3339(info.created),
        digest=info.digest,
    )


def _file_name(info: ArtifactInfo) -> str:
    if info.archived and not info.name.lower().endswith(".zip"):
        return f"{info.name}.zip"
    return info.name
