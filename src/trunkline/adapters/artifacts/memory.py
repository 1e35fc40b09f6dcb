"""Artifacts in memory, for tests."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from trunkline.base.errors import NotFound
from trunkline.ports.artifacts import (
    ArtifactExists,
    ArtifactFile,
    ArtifactInfo,
    NewArtifact,
    ReceivedArtifact,
)
from trunkline.ports.clock import Clock

_DAY = 24 * 60 * 60


class MemoryArtifacts:
    """Keeps files in a table. See the port `Artifacts`."""

    def __init__(self, clock: Clock, runs: Sequence[str] = ()) -> None:
        """Know the `runs`; more come with their artifacts."""
        self._clock = clock
        self._runs: dict[str, dict[str, ArtifactInfo]] = {run: {} for run in runs}
        self._content: dict[str, tuple[tuple[str, bytes], ...]] = {}

    def create(self, new: NewArtifact, files: Sequence[ArtifactFile]) -> ArtifactInfo:
        """Keep `files`. Raises ArtifactExists."""
        run = self._runs.setdefault(new.run_id, {})
        if new.name in run and not new.overwrite:
            raise ArtifactExists(new.name)
        content = tuple((file.path, _read(file)) for file in files)
        number = str(len(self._content) + 1)
        joined = b"".join(data for _, data in content)
        info = ArtifactInfo(
            id=number,
            run_id=new.run_id,
            name=new.name,
            digest=f"sha256:{hashlib.sha256(joined).hexdigest()}",
            size=len(joined),
            files=len(files),
            created=self._clock.now(),
            expires=self._clock.now() + new.retention_days * _DAY if new.retention_days else 0,
            archived=new.archived,
        )
        run.pop(new.name, None)
        run[new.name] = info
        self._content[number] = content
        return info

    def adopt(self, received: ReceivedArtifact) -> ArtifactInfo:
        """Keep a file that came whole. Raises ArtifactExists."""
        path = Path(received.path)
        content = path.read_bytes()
        path.unlink()
        run = self._runs.setdefault(received.run_id, {})
        if received.name in run:
            raise ArtifactExists(received.name)
        info = ArtifactInfo(
            id=str(len(self._content) + 1),
            run_id=received.run_id,
            name=received.name,
            digest=received.digest,
            size=received.size,
            files=1,
            created=self._clock.now(),
            expires=received.expires,
            archived=received.archived,
            job=received.job,
            content_type=received.content_type,
        )
        run[received.name] = info
        self._content[info.id] = ((received.name, content),)
        return info

    def find(self, run_id: str) -> tuple[ArtifactInfo, ...]:
        """Return a run's artifacts. Raises NotFound."""
        if run_id not in self._runs:
            raise NotFound(f"There is no run {run_id}.")
        now = self._clock.now()
        known = self._runs[run_id].values()
        return tuple(info for info in known if not info.expires or info.expires > now)

    def by_id(self, artifact_id: str) -> ArtifactInfo | None:
        """Return an artifact of whichever run."""
        found = (info for run in self._runs for info in self.find(run))
        return next((info for info in found if info.id == artifact_id), None)

    def open(self, info: ArtifactInfo) -> BinaryIO:
        """Open all its files as one. Raises NotFound."""
        return io.BytesIO(b"".join(data for _, data in self._files(info)))

    def read(self, info: ArtifactInfo) -> Iterator[tuple[str, BinaryIO]]:
        """Yield path and content of every file. Raises NotFound."""
        for path, data in self._files(info):
            yield path, io.BytesIO(data)

    def delete(self, run_id: str, name: str) -> bool:
        """Remove an artifact; tell whether it was there."""
        return self._runs.get(run_id, {}).pop(name, None) is not None

    def _files(self, info: ArtifactInfo) -> tuple[tuple[str, bytes], ...]:
        if self._runs.get(info.run_id, {}).get(info.name) != info:
            raise NotFound(f"Artifact {info.name} is gone.")
        return self._content[info.id]


def _read(file: ArtifactFile) -> bytes:
    with file.open() as content:
        return content.read()
