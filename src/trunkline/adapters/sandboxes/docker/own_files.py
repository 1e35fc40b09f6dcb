"""A container's own files, those of its image above all: read and written through the engine."""

from __future__ import annotations

import base64
import io
import os
import stat
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from typing import BinaryIO

import msgspec
from docker.errors import NotFound

from trunkline.adapters.docker.engine import Engine, refusals
from trunkline.adapters.file_search import Kind
from trunkline.base.errors import Unavailable

# Go's os.FileMode, as far as it is not Unix's.
IS_FOLDER, IS_LINK = 1 << 31, 1 << 27
NO_FILE = IS_FOLDER | 1 << 26 | 1 << 25 | 1 << 24 | 1 << 21 | 1 << 19
MOST_LINKS = 40
# The names in a folder, each behind the letter of its kind.
LIST = (
    'cd -- "$1" || exit; for f in * .*; do case $f in .|..) continue;; esac;'
    ' if [ -L "$f" ]; then k=l; elif [ -d "$f" ]; then k=d; elif [ -e "$f" ]; then k=f;'
    " else continue; fi; printf '%s%s\\0' $k \"$f\"; done"
)
KINDS = {"l": Kind.LINK, "d": Kind.FOLDER, "f": Kind.FILE}


class Status(msgspec.Struct, frozen=True):
    """What the engine says of a file: Go's mode; `target` is where a link leads."""

    mode: int = 0
    size: int = 0
    target: str = msgspec.field(name="linkTarget", default="")

    @property
    def is_program(self) -> bool:
        """Tell whether it is a file that somebody may execute."""
        return not self.mode & NO_FILE and bool(self.mode & 0o111)


class ContainerFiles:
    """The files of one container that runs."""

    def __init__(self, engine: Engine, container: str) -> None:
        self._engine = engine
        self._container = container
        self._lock = threading.Lock()
        self._programs: dict[str, bool] = {}

    def status(self, path: str) -> Status | None:
        """Describe what is at a path, links followed; None when nothing is. Raises Unavailable."""
        return self._followed(path)[1]

    def _followed(self, path: str) -> tuple[str, Status | None]:
        """Return where a path leads when links are followed, and what is there."""
        for _ in range(MOST_LINKS):
            with refusals():
                text = self._engine.stat(self._container, path)
            if not text:
                return path, None
            found = msgspec.json.decode(base64.b64decode(text), type=Status)
            if not found.mode & IS_LINK:
                return path, found
            path = os.path.join(os.path.dirname(path), found.target)
        return path, None

    def is_program(self, path: str) -> bool:
        """Tell whether a program is at a path. One that was found stays known."""
        with self._lock:
            if path in self._programs:
                return True
        status = self.status(path)
        if status is None or not status.is_program:
            return False
        with self._lock:
            self._programs[path] = True
        return True

    def children(self, path: str) -> list[tuple[str, Kind]]:
        """Return the names in a folder; none when the image has no shell. Raises Unavailable."""
        with refusals():
            made = self._engine.client.exec_create(self._container, ["sh", "-c", LIST, "sh", path])
            listed = self._engine.client.exec_start(made["Id"], demux=True)[0] or b""
        entries = [os.fsdecode(entry) for entry in listed.split(b"\0") if entry]
        found = [(entry[1:], KINDS[entry[0]]) for entry in entries if entry[0] in KINDS]
        return sorted(found, key=lambda child: os.fsencode(child[0]))

    def get(self, path: str) -> BinaryIO | None:
        """Open a copy of a file, None if there is none. Raises Unavailable."""
        real, status = self._followed(path)
        if status is None:
            return None
        content = tempfile.TemporaryFile()  # noqa: SIM115 - the caller's
        with refusals():
            try:
                chunks, _ = self._engine.client.get_archive(self._container, real)
            except NotFound:
                return None
            with tarfile.open(fileobj=_Stream(chunks), mode="r|") as archive:
                entry = archive.next()
                inner = archive.extractfile(entry) if entry is not None and entry.isreg() else None
                if inner is None:
                    content.close()
                    raise Unavailable(f"'{path}' can't be read: it is not a file.")
                while data := inner.read(1 << 20):
                    content.write(data)
        content.seek(0)
        return content

    def put(self, path: str, content: bytes | BinaryIO, mode: int) -> None:
        """Write a file, making the folders above it. Raises Unavailable."""
        status = self.status(path)
        if status is not None and status.mode & IS_FOLDER:
            raise Unavailable(f"'{path}' can't be written: Is a directory: '{path}'")
        with tempfile.TemporaryFile() as packed:
            with tarfile.open(fileobj=packed, mode="w") as archive:
                _add(archive, path.lstrip("/"), content, mode)
            self._send(packed)

    def put_folder(self, path: str, source: str, files: tuple[str, ...] | None) -> None:
        """Bring a folder's files below a path. Raises Unavailable."""
        target = path.strip("/")
        with tempfile.TemporaryFile() as packed:
            with tarfile.open(fileobj=packed, mode="w") as archive:
                for name in ("",) if files is None else files:
                    whole = os.path.join(source, name)
                    if os.path.lexists(whole):
                        archive.add(whole, f"{target}/{name}".rstrip("/"), filter=_cleaned)
            self._send(packed)

    def _send(self, packed: BinaryIO) -> None:
        packed.seek(0)
        with refusals():
            self._engine.client.put_archive(self._container, "/", packed)


class _Stream(io.RawIOBase):
    """The chunks of an answer as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def _add(archive: tarfile.TarFile, name: str, content: bytes | BinaryIO, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.mode = mode
    if isinstance(content, bytes):
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
        return
    with tempfile.TemporaryFile() as whole:  # its size must be known before
        while data := content.read(1 << 20):
            whole.write(data)
        entry.size = whole.tell()
        whole.seek(0)
        archive.addfile(entry, whole)


def _cleaned(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Make what is brought the container's root's."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    if entry.isreg():
        entry.mode = 0o755 if entry.mode & stat.S_IXUSR else 0o644
    return entry
