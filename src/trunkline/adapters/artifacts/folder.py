"""Artifacts as files in the folder of their run, where users find them."""

from __future__ import annotations

import hashlib
import io
import os
import posixpath
import shutil
import time
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, BinaryIO

import msgspec

from trunkline.adapters.artifacts.archives import count_entries, files_of
from trunkline.adapters.file_locks import locked
from trunkline.base.errors import Corrupt, NotFound, Unavailable
from trunkline.ports.artifacts import (
    ArtifactExists,
    ArtifactFile,
    ArtifactInfo,
    NewArtifact,
    ReceivedArtifact,
)
from trunkline.ports.clock import Clock, Ids

CHUNK = 1 << 20
BIG = 1 << 31  # from here a zip needs its 64 bit form
# The modes of entries.
FILE, LINK = 0o100644, 0o120777
_DAY = 24 * 60 * 60


class FolderArtifacts:
    """Keeps `<runs>/<run id>/artifacts/<name>.zip` (or the plain file). See the port `Artifacts`.

    What is known of an artifact lies in `<runs>/<run id>/artifacts/.about/<id>.json`, written last:
    without it the artifact does not exist.
    """

    def __init__(self, runs: str | Path, clock: Clock, ids: Ids) -> None:
        """Keep artifacts below the folder of all runs."""
        self._runs = Path(runs)
        self._clock = clock
        self._ids = ids

    def create(self, new: NewArtifact, files: Sequence[ArtifactFile]) -> ArtifactInfo:
        """Keep `files` as an artifact. Raises ArtifactExists, Unavailable."""
        about = self._about(new.run_id)
        number = self._ids.run_id()
        draft = about / f"{number}.draft"
        try:
            about.mkdir(parents=True, exist_ok=True, mode=0o700)
            digest, size = self._write(draft, new, files)
            created = self._clock.now()
            info = ArtifactInfo(
                id=number,
                run_id=new.run_id,
                name=new.name,
                digest=digest,
                size=size,
                files=len(files),
                created=created,
                expires=created + new.retention_days * _DAY if new.retention_days else 0,
                archived=new.archived,
            )
            return self._place(draft, info, overwrite=new.overwrite)
        except OSError as error:
            raise Unavailable(f"Artifact {new.name} can't be kept: {error}") from error
        finally:
            draft.unlink(missing_ok=True)

    def adopt(self, received: ReceivedArtifact) -> ArtifactInfo:
        """Keep a file that came whole. Raises ArtifactExists, Unavailable."""
        about = self._about(received.run_id)
        number = self._ids.run_id()
        draft = about / f"{number}.draft"
        try:
            about.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.move(received.path, draft)
            info = ArtifactInfo(
                id=number,
                run_id=received.run_id,
                name=received.name,
                digest=received.digest,
                size=received.size,
                files=count_entries(draft) if received.archived else 1,
                created=self._clock.now(),
                expires=received.expires,
                archived=received.archived,
                job=received.job,
                content_type=received.content_type,
            )
            return self._place(draft, info, overwrite=False)
        except OSError as error:
            raise Unavailable(f"Artifact {received.name} can't be kept: {error}") from error
        finally:
            draft.unlink(missing_ok=True)
            Path(received.path).unlink(missing_ok=True)

    def _place(self, draft: Path, info: ArtifactInfo, *, overwrite: bool) -> ArtifactInfo:
        """Give a finished file its name, and make it known. Raises ArtifactExists."""
        about = draft.parent
        with _locked(about):
            old = [each for each in self._known(about) if each.name == info.name]
            if old and not overwrite:
                raise ArtifactExists(info.name)
            for each in old:
                _forget(about, each)
            placed = msgspec.structs.replace(info, path=str(_free_path(about.parent, info)))
            draft.rename(placed.path)
            _note(about, placed)
        return placed

    def find(self, run_id: str) -> tuple[ArtifactInfo, ...]:
        """Return a run's artifacts, oldest first. Raises NotFound."""
        if not (self._runs / run_id).is_dir() or not run_id.isalnum():
            raise NotFound(f"There is no run {run_id}.")
        about = self._about(run_id)
        with _locked(about):
            return self._known(about)

    def by_id(self, artifact_id: str) -> ArtifactInfo | None:
        """Return an artifact of whichever run."""
        if not artifact_id.isdecimal():
            return None
        for note in self._runs.glob(f"*/artifacts/.about/{artifact_id}.json"):
            infos = self.find(note.parents[2].name)
            return next((info for info in infos if info.id == artifact_id), None)
        return None

    def open(self, info: ArtifactInfo) -> BinaryIO:
        """Open the kept file. Raises NotFound."""
        try:
            (self._about(info.run_id) / f"{info.id}.json").stat()
            return Path(info.path).open("rb")
        except FileNotFoundError as error:
            raise NotFound(f"Artifact {info.name} is gone: {info.path}.") from error

    def read(self, info: ArtifactInfo) -> Iterator[tuple[str, BinaryIO]]:
        """Yield path and content of every file in it. Raises NotFound, Corrupt."""
        with self.open(info) as file:
            if not info.archived:
                yield info.name, file
                return
            try:
                with zipfile.ZipFile(file) as archive:
                    for entry in files_of(archive, os.fstat(file.fileno()).st_size):
                        with archive.open(entry) as content:
                            yield entry.filename, io.BufferedReader(_Unpacked(content))
            except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
                raise Corrupt(f"{info.path} can't be read: {error}") from error
            except Corrupt as error:
                raise Corrupt(f"Artifact {info.name}: {error}", hint=error.hint) from error

    def delete(self, run_id: str, name: str) -> bool:
        """Remove an artifact; tell whether it was there."""
        about = self._about(run_id)
        if not about.is_dir():
            return False
        with _locked(about):
            old = [info for info in self._known(about) if info.name == name]
            for info in old:
                _forget(about, info)
        return bool(old)

    def _about(self, run_id: str) -> Path:
        return self._runs / run_id / "artifacts" / ".about"

    def _known(self, about: Path) -> tuple[ArtifactInfo, ...]:
        notes = (path.read_bytes() for path in about.glob("*.json"))
        infos = [msgspec.json.decode(note, type=ArtifactInfo) for note in notes]
        now = self._clock.now()
        for info in infos:
            if info.expires and info.expires <= now:
                _forget(about, info)
        fresh = (info for info in infos if not info.expires or info.expires > now)
        return tuple(sorted(fresh, key=lambda info: int(info.id)))

    def _write(
        self, draft: Path, new: NewArtifact, files: Sequence[ArtifactFile]
    ) -> tuple[str, int]:
        with draft.open("xb+") as file:
            if new.archived:
                _write_zip(file, files, new, self._clock.now())
            else:
                with files[0].open() as content:
                    _copy(content, file)
            size = file.tell()
            file.seek(0)
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}", size


class _Unpacked(io.RawIOBase):
    """A file of a zip, as the plain binary file that others expect."""

    def __init__(self, content: IO[bytes]) -> None:
        self._content = content

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._content.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _write_zip(
    target: BinaryIO, files: Sequence[ArtifactFile], new: NewArtifact, now: float
) -> None:
    """Write a zip as GitHub's: no permissions, no folders; links only where they are asked for."""
    compression = new.compression
    method = zipfile.ZIP_DEFLATED if compression else zipfile.ZIP_STORED
    date = time.gmtime(now)[:6]
    with zipfile.ZipFile(target, "w", method, compresslevel=compression or None) as archive:
        for file in files:
            entry = zipfile.ZipInfo(file.path, date)
            entry.compress_type = method
            entry.external_attr = (LINK if file.path in new.links else FILE) << 16
            with (
                file.open() as content,
                archive.open(entry, "w", force_zip64=file.size >= BIG) as place,
            ):
                while data := content.read(CHUNK):
                    place.write(data)
    target.seek(0, os.SEEK_END)


def _copy(content: BinaryIO, target: BinaryIO) -> None:
    while data := content.read(CHUNK):
        target.write(data)


def _free_path(folder: Path, info: ArtifactInfo) -> Path:
    """Return where the artifact goes; in a folder of its own when its plain place is taken."""
    name = posixpath.basename(f"{info.name}.zip" if info.archived else info.name)
    path = folder / name
    if path.exists() or name == ".about":
        path = folder / info.id / name
        path.parent.mkdir(mode=0o700)
    return path


def _note(about: Path, info: ArtifactInfo) -> None:
    draft = about / f"{info.id}.note"
    draft.write_bytes(msgspec.json.encode(info))
    draft.rename(about / f"{info.id}.json")


def _forget(about: Path, info: ArtifactInfo) -> None:
    (about / f"{info.id}.json").unlink(missing_ok=True)
    Path(info.path).unlink(missing_ok=True)


def _locked(about: Path) -> AbstractContextManager[None]:
    """Keep other threads and processes out of a run's artifacts, if there are any."""
    return locked(about / "lock") if about.is_dir() else nullcontext()
