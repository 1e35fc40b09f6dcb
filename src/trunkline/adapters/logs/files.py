"""Log lines as files: `<root>/runs/<run id>/logs/<job>.log`, plain text, one file a job.

While lines may still come the file is called `<job>.log.part`. Lines are only counted; the store
keeps an entry in memory for every MiB, so that its size does not grow with the log's.
"""

from __future__ import annotations

import os
import threading
import weakref
from bisect import bisect_right

from trunkline.adapters.slugs import slug
from trunkline.adapters.trees import make_private
from trunkline.base.errors import Conflict, Unavailable

CHUNK = 1 << 20
PART = ".part"


class FileLogStore:
    """All logs below one folder."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._open: dict[tuple[str, str], _LogFile] = {}

    def append(
        self, run_id: str, key: str, offset: int, lines: bytes, *, final: bool = False
    ) -> int:
        """Store whole lines from line number `offset`; return how many lines are stored."""
        path = self._path(run_id, key)
        try:
            log = self._log(run_id, key, path)
            count = log.append(offset, lines)
            if final:
                self._finish(run_id, key, path)
        except OSError as error:
            raise Unavailable(f"The log can't be written: {error.strerror}: '{path}'") from error
        return count

    def read(self, run_id: str, key: str, start: int = 0, count: int = 0) -> bytes:
        """Return `count` lines from `start` (0: all that follow)."""
        with self._lock:
            log = self._open.get((run_id, key))
        line, position = log.mark_before(start) if log else (0, 0)
        path = self._path(run_id, key)
        for name in (path, path + PART, path):  # it may be renamed while we look
            try:
                with open(name, "rb", buffering=0) as stream:
                    return _read_lines(stream.fileno(), position, start - line, count)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise Unavailable(f"The log can't be read: {error.strerror}: '{name}'") from error
        return b""

    def _path(self, run_id: str, key: str) -> str:
        return os.path.join(self._root, "runs", run_id, "logs", slug(key) + ".log")

    def _log(self, run_id: str, key: str, path: str) -> _LogFile:
        with self._lock:
            log = self._open.get((run_id, key))
            if log is None:
                log = self._open[run_id, key] = _LogFile(path)
            return log

    def _finish(self, run_id: str, key: str, path: str) -> None:
        if os.path.exists(path + PART):
            os.rename(path + PART, path)
        with self._lock:
            log = self._open.pop((run_id, key))
        log.close()


class _LogFile:
    """A job's log, open for writing: a torn last line is cut, whole lines are counted."""

    def __init__(self, path: str) -> None:
        self._file = _open_log(path)
        self.close = weakref.finalize(self, os.close, self._file)
        self._marks = [(0, 0)]
        self._count = 0
        self._size = 0
        position = 0
        while data := os.pread(self._file, CHUNK, position):
            if b"\n" in data:
                end = position + data.rindex(b"\n") + 1
                self._counted(data.count(b"\n"), end - self._size)
            position += len(data)
        if self._size < position:
            os.ftruncate(self._file, self._size)

    def append(self, offset: int, lines: bytes) -> int:
        if offset > self._count:
            raise Conflict(f"The log has {self._count} lines; line {offset} leaves a hole.")
        fresh = lines.count(b"\n")
        if offset < self._count:
            lines = _after_lines(lines, self._count - offset)
            fresh = max(0, fresh - (self._count - offset))
        if lines:
            self._write(lines)
            self._counted(fresh, len(lines))
        return self._count

    def mark_before(self, line: int) -> tuple[int, int]:
        """Return the nearest known (line, byte) at or before a line."""
        marks = self._marks
        return marks[bisect_right(marks, (line, 1 << 62)) - 1]

    def _counted(self, lines: int, size: int) -> None:
        self._count += lines
        self._size += size
        if self._size - self._marks[-1][1] >= CHUNK:
            self._marks.append((self._count, self._size))

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            os.ftruncate(self._file, self._size)
            raise


def _open_log(path: str) -> int:
    """Open a log for writing; a final one as well, since its repeats must be known."""
    name = path if os.path.exists(path) else path + PART
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
    try:
        return os.open(name, flags, 0o600)
    except FileNotFoundError:
        make_private(os.path.dirname(path))
        return os.open(name, flags, 0o600)


def _after_lines(data: bytes, count: int) -> bytes:
    """Return what follows the first `count` lines."""
    position = 0
    for _ in range(count):
        position = data.find(b"\n", position) + 1
        if not position:
            return b""
    return data[position:]


def _read_lines(file: int, position: int, skip: int, count: int) -> bytes:
    """Read `count` whole lines (0: all), `skip` lines after a byte position."""
    found: list[bytes] = []
    left = count
    while data := os.pread(file, CHUNK, position):
        position += len(data)
        lines = data.count(b"\n")
        if skip:
            passed = min(skip, lines)
            data = _after_lines(data, passed) if passed == skip else b""
            skip -= passed
            lines -= passed
            if skip:
                continue
        if count and lines >= left:
            found.append(_first_lines(data, left))
            return b"".join(found)
        left -= lines
        found.append(data)
    whole = b"".join(found)
    return whole[: whole.rfind(b"\n") + 1]


def _first_lines(data: bytes, count: int) -> bytes:
    position = 0
    for _ in range(count):
        position = data.index(b"\n", position) + 1
    return data[:position]
