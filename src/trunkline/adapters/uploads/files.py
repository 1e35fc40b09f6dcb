"""Uploads as files: blocks go where they will probably stay, one file an upload."""

from __future__ import annotations

import errno
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import msgspec

from trunkline.adapters.trees import make_private
from trunkline.adapters.uploads.layout import Layout, Numbering, Piece
from trunkline.adapters.uploads.running_digest import RunningDigest, copy_pieces
from trunkline.base.errors import NotFound, Unavailable
from trunkline.ports.clock import Clock, Ids
from trunkline.ports.image_store import BrokenOff, NoSpace, Stream
from trunkline.ports.uploads import (
    COMMITTED,
    UNCOMMITTED,
    Block,
    Finished,
    Superseded,
    TooLarge,
    UnknownBlock,
)

PIECE = 1 << 19
MOST_BLOCKS = 50_000
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class _Upload(msgspec.Struct):
    """An upload that goes on. `lock` is held for every change and every write to its file.

    `generation` counts the times its content became whole: who began to write before stops.
    """

    path: str
    limit: int
    layout: Layout
    digest: RunningDigest
    lock: threading.Lock
    touched: float
    numbering: Numbering
    generation: int = 0
    uncommitted: dict[str, Piece] = {}
    committed: dict[str, Piece] = {}
    finished: Finished | None = None
    ended: bool = False


class FileUploads:
    """See the port `Uploads`. The table of blocks is in memory, the content in `<root>/<id>`.

    A block's place in the file is chosen when it begins to come: where its number says that it
    belongs, else behind those before it. When the list puts it there too, as that of every known
    client does, the file is whole without another copy, and its digest has been made meanwhile.
    """

    def __init__(self, root: str, clock: Clock, ids: Ids) -> None:
        self._root = root
        self._clock = clock
        self._ids = ids
        self._lock = threading.Lock()
        self._uploads: dict[str, _Upload] = {}

    def start(self, limit: int) -> str:
        """Begin an upload; return its id."""
        upload = self._ids.token()
        path = os.path.join(self._root, upload)
        with _world_errors(path):
            make_private(self._root)
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        made = _Upload(
            path=path,
            limit=limit,
            layout=Layout(limit),
            digest=RunningDigest(path),
            lock=threading.Lock(),
            touched=self._clock.now(),
            numbering=Numbering(),
        )
        with self._lock:
            self._uploads[upload] = made
        return upload

    def put_block(
        self,
        upload: str,
        block: str,
        content: Stream,
        length: int | None,
        expected: int | None = None,
    ) -> None:
        """Take a block."""
        found = self._found(upload)

        def keep(piece: Piece) -> None:
            if block not in found.uncommitted and len(found.uncommitted) >= MOST_BLOCKS:
                raise TooLarge(found.limit)
            old = found.uncommitted.get(block)
            found.uncommitted[block] = piece
            if old is not None:
                _free(found, old)

        def reserve(size: int) -> Piece:
            wanted = found.numbering.expected(block, size) if expected is None else expected
            return found.layout.reserve(size, wanted)

        self._receive(found, content, length, reserve, keep)
        with _world_errors(found.path):
            found.digest.advance()

    def put(self, upload: str, content: Stream, length: int | None, content_type: str) -> None:
        """Take all of the content at once."""
        found = self._found(upload)

        def keep(piece: Piece) -> None:
            _finish(found, [("", piece)], content_type)

        def reserve(size: int) -> Piece:
            return found.layout.reserve(size)

        self._receive(found, content, length, reserve, keep)

    def commit(self, upload: str, blocks: Sequence[Block], content_type: str) -> None:
        """Make the content of `blocks`."""
        found = self._found(upload)
        with _world_errors(found.path), _changing(found):
            chosen = [(block.id, _piece(found, block)) for block in blocks]
            if sum(piece.length for _, piece in chosen) > found.limit:
                raise TooLarge(found.limit)
            _finish(found, chosen, content_type)
            found.touched = self._clock.now()

    def find(self, upload: str) -> Finished | None:
        """Return the content when it is whole."""
        return self._found(upload).finished

    def take(self, upload: str) -> Finished:
        """End a whole upload. Raises NotFound."""
        found = self._found(upload)
        with _changing(found):
            if found.finished is None:
                raise _unknown(upload)
            found.ended = True
            with self._lock:
                self._uploads.pop(upload, None)
            return found.finished

    def discard(self, upload: str) -> bool:
        """Forget an upload."""
        with self._lock:
            found = self._uploads.pop(upload, None)
        if found is None:
            return False
        with _world_errors(found.path), found.lock:
            found.ended = True
            os.unlink(found.path)
        return True

    def sweep(self, before: float) -> int:
        """Remove uploads that got nothing since `before`."""
        with self._lock:
            idle = [name for name, upload in self._uploads.items() if upload.touched < before]
            known = set(self._uploads)
        removed = sum(self.discard(upload) for upload in idle)
        with _world_errors(self._root):
            try:
                names = set(os.listdir(self._root)) - known
            except FileNotFoundError:
                return removed
            return removed + sum(_remove_stray(self._root, name, before) for name in names)

    def _found(self, upload: str) -> _Upload:
        with self._lock:
            found = self._uploads.get(upload)
        if found is None:
            raise _unknown(upload)
        return found

    def _receive(
        self,
        found: _Upload,
        content: Stream,
        length: int | None,
        reserve: Callable[[int], Piece],
        keep: Callable[[Piece], None],
    ) -> None:
        """Write content to a place of its own in the file, then have it kept."""
        if length is None:
            with _world_errors(found.path), tempfile.TemporaryFile(dir=self._root) as spool:
                size = _spool(content, spool.fileno(), found.limit)
                spool.seek(0)
                self._receive(found, spool, size, reserve, keep)
            return
        with _world_errors(found.path):
            with _changing(found):
                generation = found.generation
                found.touched = self._clock.now()
                piece = reserve(length)
                file = os.open(found.path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                _fill(found, generation, file, piece, content)
                with _changing(found, generation):
                    found.digest.add(piece)
                    keep(piece)
                    found.touched = self._clock.now()
            except BaseException:
                with found.lock:
                    if found.generation == generation:
                        _free(found, piece)
                raise
            finally:
                os.close(file)


def _fill(found: _Upload, generation: int, file: int, piece: Piece, content: Stream) -> None:
    """Write content into its place. Raises BrokenOff when it is not as long."""
    written = 0
    while written < piece.length and (data := content.read(min(PIECE, piece.length - written))):
        with _changing(found, generation):
            _write_at(file, data, piece.offset + written)
        written += len(data)
    if written != piece.length:
        raise BrokenOff(f"{written} of {piece.length} bytes came")


def _write_at(file: int, data: bytes, offset: int) -> None:
    rest = memoryview(data)
    while rest:
        done = os.pwrite(file, rest, offset)
        rest, offset = rest[done:], offset + done


def _spool(content: Stream, file: int, limit: int) -> int:
    """Write content of unknown length to a file; return its length."""
    size = 0
    while data := content.read(PIECE):
        if size + len(data) > limit:
            raise TooLarge(limit)
        _write_at(file, data, size)
        size += len(data)
    return size


def _piece(found: _Upload, block: Block) -> Piece:
    piece = None
    if block.source != COMMITTED:
        piece = found.uncommitted.get(block.id)
    if piece is None and block.source != UNCOMMITTED:
        piece = found.committed.get(block.id)
    if piece is None:
        raise UnknownBlock(block.id)
    return piece


def _finish(found: _Upload, chosen: Sequence[tuple[str, Piece]], content_type: str) -> None:
    """Make the file hold the pieces and nothing else, in their order."""
    placed: list[tuple[str, Piece]] = []
    size = 0
    for block, piece in chosen:
        placed.append((block, Piece(size, piece.length)))
        size += piece.length
    if placed == list(chosen):
        os.truncate(found.path, size)
        # What was hashed may be cut off now, with something else in its place.
        if found.finished is not None:
            found.digest = RunningDigest(found.path)
    else:
        aside = f"{found.path}.whole"
        try:
            copy_pieces(found.path, aside, [piece for _, piece in chosen])
            os.replace(aside, found.path)
        except BaseException:
            _unlink(aside)
            raise
        found.digest = RunningDigest(found.path)
    digest = found.digest.finish(size)
    found.generation += 1
    found.layout = Layout(found.limit, size)
    found.committed, found.uncommitted = dict(placed), {}
    found.finished = Finished(path=found.path, digest=digest, size=size, content_type=content_type)


def _free(found: _Upload, piece: Piece) -> None:
    """Give a place back, unless it holds what is whole already."""
    if piece not in found.committed.values():
        found.digest.drop(piece)
        found.layout.free(piece)


@contextmanager
def _changing(found: _Upload, generation: int | None = None) -> Iterator[None]:
    """Hold an upload's lock. Raises Superseded when it has ended or changed its generation."""
    with found.lock:
        if found.ended or generation not in (None, found.generation):
            raise Superseded(found.path)
        yield


@contextmanager
def _world_errors(path: str) -> Iterator[None]:
    """Turn what the disk refuses into errors of ours."""
    try:
        yield
    except OSError as error:
        kind = NoSpace if error.errno in FULL else Unavailable
        raise kind(f"Uploads can't be kept: {error.strerror or error}: '{path}'") from error


def _remove_stray(root: str, name: str, before: float) -> bool:
    """Remove an old file that no upload of this process has."""
    path = os.path.join(root, name)
    try:
        old = os.lstat(path).st_mtime < before
        if old:
            os.unlink(path)
    except FileNotFoundError:
        return False
    return old


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def _unknown(upload: str) -> NotFound:
    return NotFound(f"There is no upload {upload}.")
