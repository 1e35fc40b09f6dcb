"""Journals as files: `<root>/runs/<run id>/events.jsonl`, one JSON line a record.

Folders have mode 0700 and files 0600. The writer holds a lock on `writer.lock` beside the journal
until the run is complete; when it dies the kernel lets go, and followers see that it is gone.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
import weakref
from collections.abc import Callable, Iterator, Sequence

from trunkline.adapters.slugs import slug
from trunkline.adapters.trees import make_private, remove_tree
from trunkline.base.errors import Conflict, Corrupt, NotFound, Unavailable
from trunkline.ports.clock import Clock
from trunkline.run.codec import decode, encode
from trunkline.run.events import Event, JobCompleted, Record, RunCompleted, RunStarted

LOCK = "writer.lock"
SYNCED = (RunStarted, JobCompleted, RunCompleted)
POLL_SECONDS = 0.03
CHUNK = 1 << 20


class FileJournals:
    """All runs below one folder."""

    def __init__(self, root: str, clock: Clock, work: str = "") -> None:
        """Keep runs below `root`; their workspaces lie below `work` (default: `root`)."""
        self._root = root
        self._work = work or root
        self._clock = clock

    def create(self, run_id: str) -> FileJournal:
        """Start a journal; the caller is its writer from now on. Raises Conflict if it exists."""
        folder = self._folder(run_id)
        draft = f"{folder}.new"  # no id: others see the run once it has a writer
        try:
            make_private(os.path.dirname(folder))
            os.mkdir(draft, 0o700)
        except FileExistsError as error:
            raise Conflict(f"Run {run_id} exists already.") from error
        except OSError as error:
            raise _unavailable(error, draft) from error
        try:
            journal = FileJournal(draft, self._clock)
            journal.lock()
            now = self._clock.now()
            os.utime(os.path.join(draft, LOCK), (now, now))
            journal.move(folder)
        except BaseException:
            remove_tree(draft)
            raise
        return journal

    def open(self, run_id: str) -> FileJournal:
        """Return a run's journal. Raises NotFound."""
        folder = self._folder(run_id)
        if not os.path.isdir(folder):
            raise NotFound(f"There is no run {run_id}.")
        return FileJournal(folder, self._clock)

    def runs(self) -> list[str]:
        """Return the run ids, oldest first."""
        try:
            names = os.listdir(os.path.join(self._root, "runs"))
        except FileNotFoundError:
            return []
        return sorted((name for name in names if name.isdecimal()), key=int)

    def begun(self, run_id: str) -> float:
        """Return when a run began: the time of its lock, set once. Raises NotFound."""
        try:
            return os.stat(os.path.join(self._folder(run_id), LOCK)).st_mtime
        except FileNotFoundError:
            raise NotFound(f"There is no run {run_id}.") from None

    def next_number(self, workflow: str) -> int:
        """Return the next run number of a workflow file, counted across processes."""
        folder = os.path.join(self._root, "numbers")
        path = os.path.join(folder, slug(workflow))
        try:
            make_private(folder)
            number = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(number, fcntl.LOCK_EX)
                text = os.read(number, 32).strip()
                count = int(text) + 1 if text.isdigit() else 1
                os.pwrite(number, b"%d\n" % count, 0)
            finally:
                os.close(number)
        except OSError as error:
            raise _unavailable(error, path) from error
        return count

    def remove(self, run_id: str) -> None:
        """Forget a run, its logs and its kept workspaces."""
        for root, kind in ((self._root, "runs"), (self._work, "work")):
            folder = os.path.join(root, kind, os.path.basename(run_id))
            try:
                remove_tree(folder)
            except OSError as error:
                raise _unavailable(error, folder) from error

    def _folder(self, run_id: str) -> str:
        if not run_id.isdecimal():
            raise NotFound(f"'{run_id}' is not the id of a run: an id has digits only.")
        return os.path.join(self._root, "runs", run_id)


class FileJournal:
    """One run's events. The first `append` takes the writer's lock and mends a torn last line."""

    def __init__(self, folder: str, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._file = -1
        self._last = 0
        self._release: Callable[[], object] = _nothing

    @property
    def _path(self) -> str:
        return os.path.join(self._folder, "events.jsonl")

    @property
    def _lock_path(self) -> str:
        return os.path.join(self._folder, LOCK)

    def move(self, folder: str) -> None:
        """Give the run its place. Raises Conflict when another one has it."""
        try:
            os.rename(self._folder, folder)
        except OSError as error:
            if error.errno in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}:
                raise Conflict(f"Run {os.path.basename(folder)} exists already.") from error
            raise _unavailable(error, folder) from error
        self._folder = folder

    def lock(self) -> None:
        """Become the writer. Raises Conflict while another process (or object) is."""
        if self._file >= 0:
            return
        try:
            lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise _unavailable(error, self._lock_path) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.pwrite(lock, b"%d\n" % os.getpid(), 0)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            self._last = _mend(self._file)
        except BlockingIOError as error:
            os.close(lock)
            raise Conflict("Another process writes this run's journal.") from error
        except OSError as error:
            os.close(lock)
            raise _unavailable(error, self._path) from error
        self._release = weakref.finalize(self, _close, self._file, lock)

    def append(self, events: Sequence[Event], expected: int) -> int:
        """Append events with one write; sync when one of them must outlive a power cut."""
        self.lock()
        if expected != self._last:
            raise Conflict(f"The journal is at record {self._last}, not {expected}.")
        at = self._clock.now()
        lines = [encode(expected + 1 + i, at, event) for i, event in enumerate(events)]
        self._write(b"".join(line + b"\n" for line in lines))
        self._last += len(lines)
        if any(isinstance(event, SYNCED) for event in events):
            os.fsync(self._file)
        if any(isinstance(event, RunCompleted) for event in events):
            self._release()
            self._file = -1
        return expected + len(lines)

    def _write(self, data: bytes) -> None:
        start = os.lseek(self._file, 0, os.SEEK_END)
        try:
            _write_whole(self._file, data)
        except OSError as error:
            os.ftruncate(self._file, start)
            raise _unavailable(error, self._path) from error

    def read(self, after: int = 0) -> list[Record]:
        """Return the records after number `after`; earlier lines are skipped, not decoded."""
        return [record for records in self._batches(after) for record in records]

    def follow(self, after: int = 0) -> Iterator[Record]:
        """Yield records as they come, until RunCompleted or the writer's end."""
        tail = _Tail(self._path)
        number = 0
        while True:
            gone = self._is_writer_gone()
            lines = tail.lines()
            for line in lines:
                number += 1
                if number > after:
                    record = _checked(line, number)
                    yield record
                    if isinstance(record.event, RunCompleted):
                        return
            if gone and not lines:
                return
            if not lines:
                time.sleep(POLL_SECONDS)

    def _batches(self, after: int) -> Iterator[list[Record]]:
        tail = _Tail(self._path)
        number = 0
        while lines := tail.lines():
            skipped = max(0, min(after - number, len(lines)))
            yield [_checked(line, number + 1 + i) for i, line in enumerate(lines) if i >= skipped]
            number += len(lines)

    def writer(self) -> int | None:
        """Return the process id of the run's engine while it is alive, else None."""
        if self._is_writer_gone():
            return None
        with open(self._lock_path, "rb") as lock:
            text = lock.read().strip()
        return int(text) if text.isdigit() else None

    def _is_writer_gone(self) -> bool:
        if self._file >= 0:
            return False
        try:
            lock = os.open(self._lock_path, os.O_RDWR)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            return True
        finally:
            os.close(lock)


class _Tail:
    """Reads a growing file's whole lines, a chunk at a time; what is torn waits."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._offset = 0

    def lines(self) -> list[bytes]:
        size = CHUNK
        while True:
            try:
                with open(self._path, "rb", buffering=0) as stream:
                    stream.seek(self._offset)
                    data = stream.read(size)
            except FileNotFoundError:
                return []
            end = data.rfind(b"\n") + 1
            if end or len(data) < size:
                self._offset += end
                return data[:end].splitlines()
            size *= 4  # a line longer than the chunk: a big plan


def _checked(line: bytes, number: int) -> Record:
    record = decode(line)
    if record.number != number:
        raise Corrupt(f"Record {number} of the journal says that it is {record.number}.")
    return record


def _mend(file: int) -> int:
    """Cut a torn last line off; return how many whole lines there are."""
    size = os.fstat(file).st_size
    count = end = position = 0
    while position < size:
        data = os.pread(file, CHUNK, position)
        count += data.count(b"\n")
        if b"\n" in data:
            end = position + data.rfind(b"\n") + 1
        position += len(data)
    if end < size:
        os.ftruncate(file, end)
    return count


def _write_whole(file: int, data: bytes) -> None:
    if os.write(file, data) < len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _close(*files: int) -> None:
    for file in files:
        os.close(file)


def _nothing() -> None:
    """Stand in for the release of a lock that was never taken."""


def _unavailable(error: OSError, path: str) -> Unavailable:
    return Unavailable(
        f"The journal can't be written: {error.strerror}: '{path}'",
        hint="TRUNKLINE_STATE names another folder for runs.",
    )
