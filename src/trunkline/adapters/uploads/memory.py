"""Uploads in memory, for tests; what is whole is a file, as the port has it."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from trunkline.base.errors import NotFound
from trunkline.ports.clock import Clock, Ids
from trunkline.ports.image_store import BrokenOff, Stream
from trunkline.ports.uploads import (
    COMMITTED,
    UNCOMMITTED,
    Block,
    Finished,
    Superseded,
    TooLarge,
    UnknownBlock,
)

PIECE = 1 << 16


class _Upload(msgspec.Struct):
    """An upload that goes on; `coming` counts bytes that are announced and not here yet."""

    limit: int
    touched: float
    generation: int = 0
    coming: int = 0
    uncommitted: dict[str, bytes] = {}
    committed: dict[str, bytes] = {}
    finished: Finished | None = None

    def used(self) -> int:
        """Return how many bytes count against the limit."""
        whole = self.finished.size if self.finished else 0
        return self.coming + whole + sum(map(len, self.uncommitted.values()))


class MemoryUploads:
    """See the port `Uploads`. `root` is a folder for what is whole."""

    def __init__(self, root: str, clock: Clock, ids: Ids) -> None:
        self._root = Path(root)
        self._clock = clock
        self._ids = ids
        self._lock = threading.Lock()
        self._uploads: dict[str, _Upload] = {}

    def start(self, limit: int) -> str:
        """Begin an upload."""
        upload = self._ids.token()
        with self._lock:
            self._uploads[upload] = _Upload(limit, self._clock.now())
        return upload

    def put_block(
        self,
        upload: str,
        block: str,
        content: Stream,
        length: int | None,
        expected: int | None = None,  # noqa: ARG002 - memory has no places
    ) -> None:
        """Take a block."""
        with self._receiving(upload, content, length) as (found, data):
            found.uncommitted[block] = data

    def put(self, upload: str, content: Stream, length: int | None, content_type: str) -> None:
        """Take all of the content at once."""
        with self._receiving(upload, content, length) as (found, data):
            self._finish(upload, found, {"": data}, data, content_type)

    def commit(self, upload: str, blocks: Sequence[Block], content_type: str) -> None:
        """Make the content of `blocks`."""
        with self._lock:
            found = self._found(upload)
            chosen = [(block.id, _content(found, block)) for block in blocks]
            data = b"".join(content for _, content in chosen)
            if len(data) > found.limit:
                raise TooLarge(found.limit)
            self._finish(upload, found, dict(chosen), data, content_type)

    def find(self, upload: str) -> Finished | None:
        """Return the content when it is whole."""
        with self._lock:
            return self._found(upload).finished

    def take(self, upload: str) -> Finished:
        """End a whole upload."""
        with self._lock:
            finished = self._found(upload).finished
            if finished is None:
                raise NotFound(f"There is no whole upload {upload}.")
            del self._uploads[upload]
            return finished

    def discard(self, upload: str) -> bool:
        """Forget an upload."""
        with self._lock:
            found = self._uploads.pop(upload, None)
            if found and found.finished:
                Path(found.finished.path).unlink()
            return found is not None

    def sweep(self, before: float) -> int:
        """Remove uploads that got nothing since `before`."""
        with self._lock:
            idle = [name for name, found in self._uploads.items() if found.touched < before]
        return sum(self.discard(upload) for upload in idle)

    def _found(self, upload: str) -> _Upload:
        if upload not in self._uploads:
            raise NotFound(f"There is no upload {upload}.")
        return self._uploads[upload]

    @contextmanager
    def _receiving(
        self, upload: str, content: Stream, length: int | None
    ) -> Iterator[tuple[_Upload, bytes]]:
        """Read content without holding the lock; yield it with the lock held.

        Content of unknown length is read first: it counts, and is late or not, from its end on.
        """
        with self._lock:
            limit = self._found(upload).limit
        if length is None:
            data = _read_at_most(content, limit)
            content, length = io.BytesIO(data), len(data)
        with self._lock:
            found = self._found(upload)
            if found.used() + length > limit:
                raise TooLarge(limit)
            generation, found.touched = found.generation, self._clock.now()
            found.coming += length
        try:
            data = _read(content, length)
        finally:
            with self._lock:
                found.coming -= length
        with self._lock:
            if self._uploads.get(upload) is not found or found.generation != generation:
                raise Superseded(upload)
            found.touched = self._clock.now()
            yield found, data

    def _finish(
        self, upload: str, found: _Upload, blocks: dict[str, bytes], data: bytes, content_type: str
    ) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        path = self._root / upload
        path.write_bytes(data)
        found.committed, found.uncommitted = blocks, {}
        found.generation += 1
        found.touched = self._clock.now()
        found.finished = Finished(
            path=str(path),
            digest=f"sha256:{hashlib.sha256(data).hexdigest()}",
            size=len(data),
            content_type=content_type,
        )


def _read_at_most(content: Stream, limit: int) -> bytes:
    """Return all of the content. Raises TooLarge when it is more than `limit` bytes."""
    found = bytearray()
    while data := content.read(PIECE):
        found += data
        if len(found) > limit:
            raise TooLarge(limit)
    return bytes(found)


def _read(content: Stream, length: int) -> bytes:
    """Return `length` bytes of the content. Raises BrokenOff when fewer come."""
    found = bytearray()
    while len(found) < length and (data := content.read(PIECE)):
        found += data
    if len(found) != length:
        raise BrokenOff(f"{len(found)} of {length} bytes came")
    return bytes(found)


def _content(found: _Upload, block: Block) -> bytes:
    data = None
    if block.source != COMMITTED:
        data = found.uncommitted.get(block.id)
    if data is None and block.source != UNCOMMITTED:
        data = found.committed.get(block.id)
    if data is None:
        raise UnknownBlock(block.id)
    return data
