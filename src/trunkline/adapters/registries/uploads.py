"""Uploads as files: `<root>/uploads/<id>`. A file's length is how far its upload has come."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from trunkline.adapters.registries.database import Database, refused, world_errors
from trunkline.adapters.trees import make_private
from trunkline.base.errors import NotFound
from trunkline.oci.digests import RunningHash, algorithm_of, running_hash
from trunkline.ports.blobs import BlobStore
from trunkline.ports.clock import Clock, Ids
from trunkline.ports.image_store import (
    BlobFacts,
    BrokenOff,
    DigestMismatch,
    Stream,
    Upload,
    UploadBusy,
    UploadOutOfOrder,
)

PIECE = 1 << 20
ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class _Hashed(msgspec.Struct):
    """A hash of an upload's first `size` bytes."""

    algorithm: str
    running: RunningHash
    size: int = 0


class FileUploads:
    """See the port `Uploads`. Who writes to an upload has its file locked.

    The hash is made while content comes in; after a restart it is made from the file at the end.
    """

    def __init__(
        self, root: str, database: Database, contents: BlobStore, clock: Clock, ids: Ids
    ) -> None:
        self._folder = os.path.join(root, "uploads")
        self._database = database
        self._contents = contents
        self._clock = clock
        self._ids = ids
        self._lock = threading.Lock()
        self._hashed: dict[str, _Hashed] = {}

    def start(self, repository: str, algorithm: str) -> Upload:
        """Begin an upload."""
        token = self._ids.token()
        upload = "-".join((token[:8], token[8:12], token[12:16], token[16:20], token[20:32]))
        now = self._clock.now()
        path = self._path(upload)
        with world_errors(path):
            make_private(self._folder)
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            os.utime(path, (now, now))
        with self._database.writing() as writing:
            writing.execute("INSERT INTO uploads VALUES (?, ?, ?)", (upload, repository, now))
        with self._lock:
            self._hashed[upload] = _Hashed(algorithm, running_hash(algorithm))
        return Upload(upload, repository, 0, now, now)

    def find(self, repository: str, upload: str) -> Upload | None:
        """Return an upload of a repository, or None."""
        rows = self._database.rows(
            "SELECT started FROM uploads WHERE id = ? AND repository = ?", (upload, repository)
        )
        if not rows:
            return None
        try:
            state = os.stat(self._path(upload))
        except FileNotFoundError:
            return None
        return Upload(upload, repository, state.st_size, rows[0][0], state.st_mtime)

    def append(
        self, repository: str, upload: str, content: Stream, first: int | None, length: int | None
    ) -> Upload:
        """Take content, streaming."""
        with self._opened(repository, upload) as file:
            size = os.fstat(file).st_size
            if first is not None and first != size:
                raise UploadOutOfOrder(size)
            hashed = self._hash_at(upload, size)
            try:
                come = self._receive(file, upload, content, hashed)
            finally:
                now = self._clock.now()
                os.utime(file, (now, now))
            if length is not None and come > length:
                os.ftruncate(file, size)
                self._forget(upload)
                raise ValueError(f"{come} bytes came, {length} were announced")
            if length is not None and come < length:
                raise BrokenOff(f"{come} of {length} bytes came")
        found = self.find(repository, upload)
        if found is None:
            raise _unknown(upload)
        return found

    def finish(self, repository: str, upload: str, digest: str) -> BlobFacts:
        """Make the upload a blob of its repository."""
        with self._opened(repository, upload) as file:
            size = os.fstat(file).st_size
            actual = self._digest(file, upload, size, algorithm_of(digest))
            if actual != digest:
                self._discard(upload)
                raise DigestMismatch(actual)
            path = self._path(upload)
            with world_errors(path):
                if not self._contents.has(digest):
                    os.fsync(file)
            self._keep(file, repository, upload, BlobFacts(digest, size))
        self._forget(upload)
        return BlobFacts(digest, size)

    def cancel(self, repository: str, upload: str) -> bool:
        """Forget an upload; False when there is none."""
        try:
            with self._opened(repository, upload):
                self._discard(upload)
        except NotFound:
            return False
        return True

    def idle(self, before: float) -> tuple[Upload, ...]:
        """Return the uploads that got nothing since `before`."""
        rows = self._database.rows("SELECT id, repository FROM uploads")
        found = (self.find(repository, upload) for upload, repository in rows)
        return tuple(one for one in found if one is not None and one.changed < before)

    def sweep(self, before: float) -> int:
        """Remove the uploads that got nothing since `before`; return how many."""
        removed = 0
        for upload, repository in self._database.rows("SELECT id, repository FROM uploads"):
            found = self.find(repository, upload)
            try:
                if found is None:
                    self._discard(upload)
                elif found.changed < before and self.cancel(repository, upload):
                    removed += 1
            except UploadBusy:
                continue
        self._remove_strays(before)
        return removed

    def _keep(self, file: int, repository: str, upload: str, blob: BlobFacts) -> None:
        """Move the file to the blobs, and write down that the repository has it, at once."""
        path = self._path(upload)
        with self._database.writing() as writing:
            if self._contents.has(blob.digest):
                os.unlink(path)
            else:
                os.fsync(file)
                self._contents.adopt(path, blob.digest)
            writing.execute(
                "INSERT OR REPLACE INTO contents VALUES (?, ?)", (blob.digest, blob.size)
            )
            writing.execute(
                "INSERT OR REPLACE INTO blobs VALUES (?, ?, ?)",
                (repository, blob.digest, self._clock.now()),
            )
            writing.execute("DELETE FROM uploads WHERE id = ?", (upload,))

    def _receive(self, file: int, upload: str, content: Stream, hashed: _Hashed | None) -> int:
        """Write what comes to the end of the file; return how much it was."""
        come = 0
        os.lseek(file, 0, os.SEEK_END)
        while data := content.read(PIECE):
            try:
                _write(file, data)
            except OSError as error:
                os.ftruncate(file, 0)  # room for what follows, while the file is open
                self._discard(upload)
                raise refused(error, self._path(upload)) from error
            come += len(data)
            if hashed is not None:
                hashed.running.update(data)
                hashed.size += len(data)
        return come

    def _hash_at(self, upload: str, size: int) -> _Hashed | None:
        """Return the running hash, if it has seen all that is in the file."""
        with self._lock:
            hashed = self._hashed.get(upload)
        return hashed if hashed is not None and hashed.size == size else None

    def _digest(self, file: int, upload: str, size: int, algorithm: str) -> str:
        hashed = self._hash_at(upload, size)
        if hashed is not None and hashed.algorithm == algorithm:
            return f"{algorithm}:{hashed.running.hexdigest()}"
        with world_errors(self._path(upload)), open(file, "rb", closefd=False) as content:
            content.seek(0)
            return f"{algorithm}:{hashlib.file_digest(content, algorithm).hexdigest()}"

    @contextmanager
    def _opened(self, repository: str, upload: str) -> Iterator[int]:
        """Open an upload's file and lock it. Raises NotFound, UploadBusy."""
        if self.find(repository, upload) is None:
            raise _unknown(upload)
        path = self._path(upload)
        try:
            file = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise _unknown(upload) from error
        except OSError as error:
            raise refused(error, path) from error
        try:
            _lock(file, path)
            yield file
        finally:
            os.close(file)

    def _discard(self, upload: str) -> None:
        """Remove an upload's file, then its row: a full disk has room for the row again."""
        try:
            os.unlink(self._path(upload))
        except FileNotFoundError:
            pass
        except OSError as error:
            raise refused(error, self._path(upload)) from error
        self._forget(upload)
        with self._database.writing() as writing:
            writing.execute("DELETE FROM uploads WHERE id = ?", (upload,))

    def _remove_strays(self, before: float) -> None:
        """Remove old files that no row knows: a process died between the two."""
        known = {upload for (upload,) in self._database.rows("SELECT id FROM uploads")}
        with world_errors(self._folder):
            make_private(self._folder)
            for name in os.listdir(self._folder):
                path = os.path.join(self._folder, name)
                try:
                    if name not in known and os.lstat(path).st_mtime < before:
                        os.unlink(path)
                except FileNotFoundError:
                    continue

    def _forget(self, upload: str) -> None:
        with self._lock:
            self._hashed.pop(upload, None)

    def _path(self, upload: str) -> str:
        if not ID.fullmatch(upload):
            raise _unknown(upload)
        return os.path.join(self._folder, upload)


def _lock(file: int, path: str) -> None:
    """Lock an upload's file for this writer. Raises UploadBusy, NotFound."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UploadBusy(path) from error
    try:
        is_there = os.path.samestat(os.fstat(file), os.stat(path))
    except FileNotFoundError:
        is_there = False
    if not is_there:  # finished or cancelled between the opening and the lock
        raise _unknown(os.path.basename(path))


def _write(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


def _unknown(upload: str) -> NotFound:
    return NotFound(f"There is no upload {upload}.")
