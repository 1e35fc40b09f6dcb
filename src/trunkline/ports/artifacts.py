"""Port: what jobs keep for later: artifacts of runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO, Protocol

import msgspec


class ArtifactInfo(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact as it is kept.

    `id` is digits only and unique for ever. `digest` is `sha256:<hex>` of the kept file (the zip, or
    the file itself when it was not archived), `size` its bytes; `files` counts what is in it.
    `created` and `expires` are seconds since the epoch (0: never). `path` is where a user of this
    machine finds the file. `job` stands for the job that uploaded it, '' when that is not known;
    `content_type` is '' for what follows from `archived`.
    """

    id: str
    run_id: str
    name: str
    digest: str
    size: int
    files: int
    created: float
    expires: float = 0.0
    archived: bool = True
    path: str = ""
    job: str = ""
    content_type: str = ""


class NewArtifact(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact to make.

    `archived`: a zip, compressed at level 0 (not at all) to 9; else the one file as it is, whose
    name is the artifact's. `retention_days` 0 keeps it as long as its run. `links` are the paths of
    files that are symbolic links in the archive: their content is where they lead.
    """

    run_id: str
    name: str
    archived: bool = True
    compression: int = 6
    overwrite: bool = False
    retention_days: int = 0
    links: frozenset[str] = frozenset()


class ReceivedArtifact(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact whose content came as one file, which lies at `path` of this machine.

    The rest is as in `ArtifactInfo`.
    """

    run_id: str
    name: str
    path: str
    digest: str
    size: int
    archived: bool
    job: str = ""
    content_type: str = ""
    expires: float = 0.0


class ArtifactFile(Protocol):
    """A file that goes into an artifact."""

    @property
    def path(self) -> str:
        """Its path in the artifact, with `/`."""
        ...

    @property
    def size(self) -> int:
        """Its size in bytes."""
        ...

    def open(self) -> BinaryIO:
        """Open it for reading; the caller closes it."""
        ...


class ArtifactExists(Exception):
    """The run has an artifact of this name, and `overwrite` was not asked for."""


class Artifacts(Protocol):
    """Artifacts by (run, name). Names are unique in a run. Thread-safe, and safe across processes.

    Nothing is ever half-visible. Raises Unavailable when the disk refuses.
    """

    def create(self, new: NewArtifact, files: Sequence[ArtifactFile]) -> ArtifactInfo:
        """Keep `files` as the artifact that `new` says. Raises ArtifactExists."""
        ...

    def adopt(self, received: ReceivedArtifact) -> ArtifactInfo:
        """Keep a file that came whole; it is moved, or removed when this fails.

        It is stored as it is: an archive is not unpacked, its files are counted. Raises
        ArtifactExists.
        """
        ...

    def find(self, run_id: str) -> tuple[ArtifactInfo, ...]:
        """Return a run's artifacts, oldest first; expired ones are gone. Raises NotFound (no run)."""
        ...

    def by_id(self, artifact_id: str) -> ArtifactInfo | None:
        """Return an artifact of whichever run, or None."""
        ...

    def open(self, info: ArtifactInfo) -> BinaryIO:
        """Open the kept file. Raises NotFound."""
        ...

    def read(self, info: ArtifactInfo) -> Iterator[tuple[str, BinaryIO]]:
        """Yield path and content of every file in it; no path leads out of a folder.

        Raises NotFound; Corrupt before the first when it is damaged, or made to do harm.
        """
        ...

    def delete(self, run_id: str, name: str) -> bool:
        """Remove an artifact; tell whether it was there."""
        ...
