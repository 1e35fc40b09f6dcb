"""The digest of an upload's file, made while it comes in."""

from __future__ import annotations

import hashlib
import os
import threading

from trunkline.adapters.uploads.layout import Piece

CHUNK = 1 << 20


class RunningDigest:
    """Hashes the file from its start as far as it is known to be filled. Thread-safe."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._works = threading.Lock()
        self._filled: dict[int, int] = {}
        self._hash = hashlib.sha256()
        self._position = 0
        self._restarts = 0

    def add(self, piece: Piece) -> None:
        """Know that a place is filled."""
        with self._lock:
            if piece.length:
                self._filled[piece.offset] = piece.length

    def drop(self, piece: Piece) -> None:
        """Forget a place; what was hashed of it makes the work begin anew."""
        with self._lock:
            if self._filled.pop(piece.offset, None) and piece.offset <= self._position:
                self._hash = hashlib.sha256()
                self._position = 0
                self._restarts += 1

    def advance(self) -> None:
        """Hash what follows; another thread that does so already is left to it."""
        if not self._works.acquire(blocking=False):
            return
        try:
            while self._take_next():
                pass
        finally:
            self._works.release()

    def finish(self, size: int) -> str:
        """Return the digest of the file, whose first `size` bytes are all of it."""
        with self._works:
            while self._take_next():
                pass
            if self._position == size:
                return f"sha256:{self._hash.hexdigest()}"
        return digest_of(self._path)

    def _take_next(self) -> bool:
        with self._lock:
            length = self._filled.get(self._position, 0)
            hashed, position, restarts = self._hash, self._position, self._restarts
        if not length:
            return False
        with open(self._path, "rb", buffering=0) as file:
            file.seek(position)
            left = length
            while left and (data := file.read(min(CHUNK, left))):
                hashed.update(data)
                left -= len(data)
        with self._lock:
            if self._restarts == restarts:
                self._position += length
        return True


def digest_of(path: str) -> str:
    """Return the digest of a file."""
    with open(path, "rb", buffering=0) as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def copy_pieces(source: str, target: str, pieces: list[Piece]) -> None:
    """Write the places of a file one behind the other into a new one."""
    with open(source, "rb", buffering=0) as old, open(target, "xb", buffering=0) as new:
        for piece in pieces:
            offset, left = piece.offset, piece.length
            while left:
                done = os.sendfile(new.fileno(), old.fileno(), offset, left)
                if not done:
                    raise OSError(f"{source} is shorter than it was")
                offset += done
                left -= done
