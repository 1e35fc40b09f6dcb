"""What redirects lead to: archives of commits, files, logs, each behind a signed address."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterable
from typing import BinaryIO

from trunkline.base.errors import NotFound
from trunkline.plan.payloads import stable_id
from trunkline.ports.github_data import GitHubData
from trunkline.ports.job_services import ServicesJob
from trunkline.ports.journal import Journals
from trunkline.ports.logs import LogStore
from trunkline.services import runs
from trunkline.services.actions.calls import Download
from trunkline.services.actions.signed_urls import READ
from trunkline.services.github.calls import Answer, Call, Redirect
from trunkline.services.github.refusals import not_found

ARCHIVES, FILES, LOGS = "archives", "files", "logs"
FORMS = {"tar.gz": "application/x-gzip", "zip": "application/zip"}
PLACE = re.compile(r"(?P<form>tar\.gz|zip)\.(?P<sha>[0-9a-f]{40,64})")
PIECE = 1 << 20
NO_FILE_NAME = re.compile(r'[\x00-\x1f\\/:*?"<>|]')
Pack = Callable[[Iterable[tuple[str, bytes]]], BinaryIO]


def tarball(call: Call) -> Answer:
    """Lead to an archive of a ref."""
    return _archive(call, "tar.gz")


def zipball(call: Call) -> Answer:
    """Lead to an archive of a ref."""
    return _archive(call, "zip")


def _archive(call: Call, form: str) -> Answer:
    try:
        sha = call.git.resolve(str(call.path.get("ref") or call.git.default_branch()))
    except NotFound as error:
        raise not_found() from error
    place = f"{form}.{sha}"
    return Redirect(call.stores.urls.url(call.origin, call.job, READ, ARCHIVES, place))


class Downloads:
    """Opens what signed addresses name. `pack` makes a zip of files."""

    def __init__(self, data: GitHubData, journals: Journals, logs: LogStore, pack: Pack) -> None:
        self._data = data
        self._journals = journals
        self._logs = logs
        self._pack = pack

    def archive(self, job: ServicesJob, place: str) -> Download:
        """Open an archive of a commit. Raises NotFound."""
        found = PLACE.fullmatch(place)
        if found is None:
            raise NotFound(place)
        form, sha = found["form"], found["sha"]
        name = f"{job.repository.replace('/', '-')}-{sha[:7]}"
        file = self._data.git(job).archive(sha, form, name)
        return _download(file, FORMS[form], f"{name}.{form}")

    def file(self, job: ServicesJob, place: str) -> Download:
        """Open a file of the repository by its id. Raises NotFound."""
        content = self._data.git(job).blob(place)
        return _download(io.BytesIO(content), "application/octet-stream", place)

    def log(self, job: ServicesJob, place: str) -> Download:
        """Open a job's log, or a run's logs as a zip. Raises NotFound."""
        run_id, _, number = place.partition("-")
        run = runs.view(run_id, self._journals.open(run_id).read())
        if run.repository.lower() != job.repository.lower():
            raise NotFound(f"There is no run {run_id}.")
        if not number:
            files = (
                (
                    f"{index}_{NO_FILE_NAME.sub('_', each.name)}.txt",
                    self._logs.read(run_id, each.key),
                )
                for index, each in enumerate(run.jobs.values())
            )
            return _download(self._pack(files), "application/zip", f"logs_{run_id}.zip")
        for each in run.jobs.values():
            if str(stable_id(f"{run_id}/{each.key}")) == number:
                file = io.BytesIO(self._logs.read(run_id, each.key))
                return _download(file, "text/plain; charset=utf-8", f"{number}.txt")
        raise NotFound(f"There is no job {number}.")


def _download(file: BinaryIO, content_type: str, name: str) -> Download:
    digest, size = hashlib.sha256(), 0
    file.seek(0)
    while data := file.read(PIECE):
        digest.update(data)
        size += len(data)
    file.seek(0)
    told = f"sha256:{digest.hexdigest()}"
    return Download(file=file, size=size, digest=told, content_type=content_type, name=name)
