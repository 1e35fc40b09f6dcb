"""Blobs as files: `<root>/blobs/sha256/<first two digits>/<digest>`, written aside and renamed."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from typing import BinaryIO

from trunkline.adapters.trees import make_private
from trunkline.base.errors import NotFound, Unavailable

DIGEST = re.compile(r"(sha256):([0-9a-f]{64})|(sha512):([0-9a-f]{128})")
CHUNK = 1 << 20


class FileBlobs:
    """Blobs below one folder. A blob is read-only, and whole as soon as its name is there."""

    def __init__(self, root: str) -> None:
        self._folder = os.path.join(root, "blobs")

    def put(self, content: BinaryIO) -> tuple[str, int]:
        """Store a stream's bytes; return digest and size."""
        aside = self._aside()
        try:
            try:
                make_private(os.path.dirname(aside))
                digest, size = _write(aside, content)
                self._keep(aside, digest)
            except BaseException:
                _discard(aside)
                raise
        except OSError as error:
            raise _refused(error, aside) from error
        return digest, size

    def adopt(self, path: str, digest: str) -> None:
        """Make a finished file a blob."""
        try:
            os.chmod(path, 0o400)
            try:
                self._keep(path, digest)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                self._copy(path, digest)
        except OSError as error:
            raise _refused(error, path) from error

    def open(self, digest: str) -> BinaryIO:
        """Open a blob for reading. Raises NotFound."""
        try:
            return open(self._path(digest), "rb")
        except FileNotFoundError as error:
            raise NotFound(f"The store has no {digest}.") from error
        except OSError as error:
            raise Unavailable(f"{digest} can't be read: {error.strerror}") from error

    def has(self, digest: str) -> bool:
        """Tell whether the blob is there."""
        return bool(DIGEST.fullmatch(digest)) and os.path.exists(self._path(digest))

    def size(self, digest: str) -> int:
        """Return a blob's size. Raises NotFound."""
        try:
            return os.stat(self._path(digest)).st_size
        except FileNotFoundError as error:
            raise NotFound(f"The store has no {digest}.") from error

    def remove(self, digest: str) -> bool:
        """Remove a blob; False when it is not there."""
        try:
            os.unlink(self._path(digest))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise Unavailable(f"{digest} can't be removed: {error.strerror}") from error
        return True

    def digests(self) -> Iterator[str]:
        """Yield the digests of all blobs."""
        for algorithm in _names(self._folder):
            for start in _names(os.path.join(self._folder, algorithm)):
                for name in _names(os.path.join(self._folder, algorithm, start)):
                    if DIGEST.fullmatch(digest := f"{algorithm}:{name}"):
                        yield digest

    def _aside(self) -> str:
        return os.path.join(self._folder, "sha256", f".{os.getpid()}-{os.urandom(8).hex()}")

    def _keep(self, path: str, digest: str) -> None:
        kept = self._path(digest)
        make_private(os.path.dirname(kept))
        os.replace(path, kept)

    def _copy(self, path: str, digest: str) -> None:
        aside = self._aside()
        try:
            make_private(os.path.dirname(aside))
            with open(path, "rb") as content, open(aside, "xb") as copy:
                shutil.copyfileobj(content, copy, CHUNK)
                copy.flush()
                os.fsync(copy.fileno())
            os.chmod(aside, 0o400)
            self._keep(aside, digest)
        except BaseException:
            _discard(aside)
            raise
        os.unlink(path)

    def _path(self, digest: str) -> str:
        found = DIGEST.fullmatch(digest)
        if found is None:
            raise NotFound(f"'{digest}' is not a digest: sha256:<64 hexadecimal digits>.")
        algorithm, name = found[1] or found[3], found[2] or found[4]
        return os.path.join(self._folder, algorithm, name[:2], name)


def _write(path: str, content: BinaryIO) -> tuple[str, int]:
    """Write a new file, synced: a rename may outlive a power cut that its content did not."""
    hashed = hashlib.sha256()
    size = 0
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    try:
        while data := content.read(CHUNK):
            hashed.update(data)
            size += len(data)
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(file, rest) :]
        os.fsync(file)
    finally:
        os.close(file)
    return f"sha256:{hashed.hexdigest()}", size


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _discard(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def _refused(error: OSError, path: str) -> Unavailable:
    return Unavailable(f"The store can't be written: {error.strerror or error}: '{path}'")
