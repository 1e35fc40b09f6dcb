"""What a job's services hear of becomes events of its run: artifacts, writes to the repository."""

from __future__ import annotations

from collections.abc import Callable

from trunkline.engine.output import JobOutput
from trunkline.ports.artifacts import ArtifactInfo
from trunkline.ports.job_services import StoredListener, Written
from trunkline.run.events import ArtifactStored, Event, RepositoryWritten


def reported(key: str, report: Callable[[Event], None], output: JobOutput) -> StoredListener:
    """Return who reports artifacts that the actions of job `key` upload, and what they write."""

    def tell(info: ArtifactInfo | Written) -> None:
        if isinstance(info, Written):
            what = output.masked(info.what)
            report(RepositoryWritten(key=key, kind=info.kind, what=what, sent_to=info.sent_to))
            return
        report(
            ArtifactStored(
                key=key,
                name=info.name,
                digest=info.digest,
                size=info.size,
                files=info.files,
                path=info.path,
            )
        )

    return tell
