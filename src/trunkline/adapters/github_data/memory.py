"""GitHub's data in memory, for tests."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from trunkline.adapters.github_data.memory_git import MemoryGit
from trunkline.adapters.github_data.records import check_kind
from trunkline.ports.blobs import BlobStore
from trunkline.ports.clock import Ids
from trunkline.ports.job_services import ServicesJob


class MemoryRecords:
    """See the port `Records`."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._lock = threading.Lock()
        self._kept: defaultdict[str, dict[int, bytes]] = defaultdict(dict)

    def add(self, kind: str, document: Mapping[str, Any]) -> int:
        """Keep a document."""
        number = int(self._ids.run_id())
        self.replace(kind, number, document)
        return number

    def find(self, kind: str, number: int) -> Mapping[str, Any] | None:
        """Return a document, or None."""
        check_kind(kind)
        with self._lock:
            found = self._kept[kind].get(number)
        return None if found is None else _decoded(found)

    def every(self, kind: str) -> tuple[tuple[int, Mapping[str, Any]], ...]:
        """Return the documents of a kind, oldest first."""
        check_kind(kind)
        with self._lock:
            found = sorted(self._kept[kind].items())
        return tuple((number, _decoded(document)) for number, document in found)

    def replace(self, kind: str, number: int, document: Mapping[str, Any]) -> None:
        """Keep a document in the place of another."""
        check_kind(kind)
        with self._lock:
            self._kept[kind][number] = msgspec.json.encode(document)

    def remove(self, kind: str, number: int) -> bool:
        """Remove a document."""
        check_kind(kind)
        with self._lock:
            return self._kept[kind].pop(number, None) is not None


def _decoded(document: bytes) -> Mapping[str, Any]:
    found: Mapping[str, Any] = msgspec.json.decode(document)
    return found


class MemoryGitHubData:
    """See the port `GitHubData`. `make_git` returns what a run's repository has at first."""

    def __init__(
        self, ids: Ids, make_git: Callable[[], MemoryGit], make_blobs: Callable[[], BlobStore]
    ) -> None:
        self._ids = ids
        self._make_git = make_git
        self._make_blobs = make_blobs
        self._lock = threading.Lock()
        self._runs: dict[str, tuple[MemoryGit, MemoryRecords, BlobStore]] = {}

    def git(self, job: ServicesJob) -> MemoryGit:
        """Return the git data of the job's repository."""
        return self._run(job)[0]

    def records(self, job: ServicesJob) -> MemoryRecords:
        """Return what was written to it."""
        return self._run(job)[1]

    def blobs(self, job: ServicesJob) -> BlobStore:
        """Return where the content of what was written lies."""
        return self._run(job)[2]

    def _run(self, job: ServicesJob) -> tuple[MemoryGit, MemoryRecords, BlobStore]:
        with self._lock:
            if job.run_id not in self._runs:
                made = (self._make_git(), MemoryRecords(self._ids), self._make_blobs())
                self._runs[job.run_id] = made
            return self._runs[job.run_id]
