"""Port: what git clients fetch from a repository."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from trunkline.ports.job_services import ServicesJob


class GitService(Protocol):
    """Serves fetches of the repository of a job, by git's own programs. Thread-safe.

    `protocol` is what the client asked for (`version=2`), '' for the oldest. Raises NotFound for a
    repository that is not here, Unavailable when git can't be run.
    """

    def advertise(self, job: ServicesJob, repository: str, protocol: str) -> bytes:
        """Return what `git upload-pack` says first: refs, or what version 2 can do."""
        ...

    def upload_pack(
        self, job: ServicesJob, repository: str, protocol: str, request: Iterator[bytes]
    ) -> Iterator[bytes]:
        """Yield the answer to one request of a client; closing it stops git."""
        ...
