"""The data of a run's repository: scratch git data and records in the run's folder."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from trunkline.adapters.github_data.records import FolderRecords
from trunkline.adapters.github_data.repository import ScratchGit
from trunkline.adapters.github_data.scratch import make_scratch
from trunkline.plan.facts import ZERO_SHA
from trunkline.ports.blobs import BlobStore
from trunkline.ports.clock import Ids
from trunkline.ports.job_services import ServicesJob

FOLDER = "github"


class LocalGitHubData:
    """Keeps `<runs>/<run id>/github/`: what a run writes is seen by that run alone.

    `source` is the user's repository, which is read and never written. See the port `GitHubData`.
    """

    def __init__(
        self, runs: str | Path, source: str, ids: Ids, make_blobs: Callable[[str], BlobStore]
    ) -> None:
        self._runs = Path(runs)
        self._source = source
        self._ids = ids
        self._make_blobs = make_blobs
        self._lock = threading.Lock()
        self._git: dict[str, ScratchGit] = {}
        self._records: dict[str, FolderRecords] = {}

    def git(self, job: ServicesJob) -> ScratchGit:
        """Return the git data of the job's run, made with the first call. Raises Unavailable."""
        with self._lock:
            if job.run_id not in self._git:
                self._git[job.run_id] = ScratchGit(self._scratch(job))
            return self._git[job.run_id]

    def records(self, job: ServicesJob) -> FolderRecords:
        """Return what the job's run has written."""
        with self._lock:
            if job.run_id not in self._records:
                self._records[job.run_id] = FolderRecords(self._folder(job) / "records", self._ids)
            return self._records[job.run_id]

    def blobs(self, job: ServicesJob) -> BlobStore:
        """Return where the content of what the run has written lies."""
        return self._make_blobs(str(self._folder(job)))

    def git_dir(self, job: ServicesJob) -> str:
        """Return the folder of the run's own bare repository, for who serves it over git."""
        return self.git(job).folder

    def _folder(self, job: ServicesJob) -> Path:
        return self._runs / job.run_id / FOLDER

    def _scratch(self, job: ServicesJob) -> Path:
        folder = self._folder(job) / "repository.git"
        event = job.github.get("event")
        repository = event.get("repository") if isinstance(event, dict) else None
        branch = repository.get("default_branch") if isinstance(repository, dict) else None
        held = {str(job.github.get("ref", "")): str(job.github.get("sha", "") or ZERO_SHA)}
        make_scratch(folder, self._source, str(branch or ""), held)
        return folder
