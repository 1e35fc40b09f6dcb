"""Caches as files, never changed once saved."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

from trunkline.base.errors import NotFound, Unavailable
from trunkline.ports.caches import CacheEntry
from trunkline.ports.clock import Clock, Ids

CHUNK = 1 << 20
UNUSED_SECONDS = 7 * 24 * 60 * 60
LARGEST_TOTAL = 10 << 30


class FolderCaches:
    """Keeps `<root>/<id>.json` and `<root>/<id>.data`. See the port `Caches`.

    A data file's modification time is when it was last used.
    """

    def __init__(
        self, root: str | Path, clock: Clock, ids: Ids, *, largest_total: int = LARGEST_TOTAL
    ) -> None:
        """Keep caches below `root`, at most `largest_total` bytes of them."""
        self._root = Path(root)
        self._clock = clock
        self._ids = ids
        self._largest_total = largest_total

    def find(
        self, scopes: Sequence[str], key: str, restore_keys: Sequence[str], version: str
    ) -> CacheEntry | None:
        """Return the entry that fits best, or None."""
        entries = [entry for entry in self._entries() if entry.version == version]
        for scope in scopes:
            found = best([e for e in entries if e.scope == scope], key, restore_keys)
            if found:
                return found
        return None

    def open(self, entry: CacheEntry) -> BinaryIO:
        """Open what was saved, and count it as used. Raises NotFound."""
        path = self._data(entry.id)
        try:
            file = path.open("rb")
        except FileNotFoundError as error:
            raise NotFound(f"Cache {entry.key} is gone.") from error
        self._touch(path)
        return file

    def save(self, scope: str, key: str, version: str, content: BinaryIO) -> CacheEntry | None:
        """Keep `content`; None when the scope has this key and version already."""
        number = self._ids.run_id()
        draft = self._root / f"{number}.draft"
        try:
            self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
            with draft.open("xb") as file:
                shutil.copyfileobj(content, file, CHUNK)
                size = file.tell()
            with self._locked():
                if any(
                    (entry.scope, entry.key, entry.version) == (scope, key, version)
                    for entry in self._entries()
                ):
                    return None
                entry = CacheEntry(
                    id=number,
                    key=key,
                    version=version,
                    scope=scope,
                    size=size,
                    created=self._clock.now(),
                )
                draft.rename(self._data(number))
                self._touch(self._data(number))
                self._note(entry)
                self._make_room()
        except OSError as error:
            raise Unavailable(f"Cache {key} can't be kept: {error}") from error
        finally:
            draft.unlink(missing_ok=True)
        return entry

    def _entries(self) -> list[CacheEntry]:
        """Return what is there, oldest first."""
        found: list[CacheEntry] = []
        for path in self._root.glob("*.json"):
            try:
                found.append(msgspec.json.decode(path.read_bytes(), type=CacheEntry))
            except FileNotFoundError:  # removed meanwhile
                continue
        return sorted(found, key=lambda entry: int(entry.id))

    def _make_room(self) -> None:
        """Remove what was not used for long, then the longest unused of what is too much."""
        now = self._clock.now()
        used = {entry: self._used(entry) for entry in self._entries()}
        total = 0
        for entry in sorted(used, key=lambda entry: used[entry], reverse=True):
            total += entry.size
            if total > self._largest_total or now - used[entry] > UNUSED_SECONDS:
                (self._root / f"{entry.id}.json").unlink(missing_ok=True)
                self._data(entry.id).unlink(missing_ok=True)

    def _used(self, entry: CacheEntry) -> float:
        try:
            return self._data(entry.id).stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def _touch(self, path: Path) -> None:
        now = self._clock.now()
        os.utime(path, (now, now))

    def _note(self, entry: CacheEntry) -> None:
        draft = self._root / f"{entry.id}.note"
        draft.write_bytes(msgspec.json.encode(entry))
        draft.rename(self._root / f"{entry.id}.json")

    def _data(self, number: str) -> Path:
        return self._root / f"{number}.data"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other threads and processes from saving."""
        lock = os.open(self._root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def best(entries: Sequence[CacheEntry], key: str, restore_keys: Sequence[str]) -> CacheEntry | None:
    """Return the best of one scope's entries (oldest first): exact, else newest by prefix."""
    exact = [entry for entry in entries if entry.key == key]
    if exact:
        return exact[-1]
    for prefix in (key, *restore_keys):
        fitting = [entry for entry in entries if entry.key.startswith(prefix)]
        if fitting:
            return fitting[-1]
    return None
