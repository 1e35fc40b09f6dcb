"""Port: what git clients fetch from repositories, and push to a job's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import msgspec

from trunkline.ports.job_services import ServicesJob

UPLOAD_PACK = "git-upload-pack"
RECEIVE_PACK = "git-receive-pack"


class GitRequest(msgspec.Struct, frozen=True):
    """What a client asks for: the repository (`owner/name`), and one of git's two services.

    `protocol` is the version that it asked for (`version=2`), '' for the oldest.
    """

    job: ServicesJob
    repository: str
    service: str
    protocol: str = ""


class GitService(Protocol):
    """Serves fetches and pushes of jobs, by git's own programs. Thread-safe.

    The repository of a job has what its run wrote, and what is pushed is written there: the user's
    own stays as it is. Raises NotFound for a repository that is not here (to push to: any but the
    job's own), Unavailable when git can't be run.
    """

    def advertise(self, asked: GitRequest) -> bytes:
        """Return what git says first: refs, or what version 2 can do."""
        ...

    def answer(self, asked: GitRequest, body: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the answer to a client's request; closing it stops git."""
        ...
