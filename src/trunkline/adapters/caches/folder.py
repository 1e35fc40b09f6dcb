"""Caches as files, never changed once saved."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

from trunkline.adapters.file_locks import locked
from trunkline.base.errors import NotFound, Unavailable
from trunkline.ports.caches import CacheEntry
from trunkline.ports.clock import Clock, Ids

CHUNK = 1 << 20
UNUSED_SECONDS = 7 * 24 * 60 * 60
LARGEST_TOTAL = 10 << 30
LONGEST_DRAFT = 24 * 60 * 60


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
        self._known: dict[str, CacheEntry] = {}  # entries never change

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
            self._touch(path)
        except FileNotFoundError as error:
            raise NotFound(f"Cache {entry.key} is gone.") from error
        return file

    def save(self, scope: str, key: str, version: str, content: BinaryIO) -> CacheEntry | None:
        """Keep `content`; None when the scope has this key and version already."""
        with self._drafting(key) as number:
            with self._draft(number).open("xb") as file:
                shutil.copyfileobj(content, file, CHUNK)
            return self._keep(number, scope, key, version)

    def adopt(
        self, scope: str, key: str, version: str, path: str, number: str = ""
    ) -> CacheEntry | None:
        """Keep a finished file; None when the scope has this key and version already."""
        with self._drafting(key, number) as chosen:
            shutil.move(path, self._draft(chosen))
            return self._keep(chosen, scope, key, version)

    def entries(self, repository: str) -> tuple[CacheEntry, ...]:
        """Return what is kept for a repository, newest first."""
        prefix = f"{repository}@" if repository else ""
        return tuple(e for e in reversed(self._entries()) if e.scope.startswith(prefix))

    def remove(self, entry: CacheEntry) -> bool:
        """Remove an entry; tell whether it was there."""
        try:
            self._data(entry.id).unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise Unavailable(f"Cache {entry.key} can't be removed: {error}") from error
        self._note_of(entry.id).unlink(missing_ok=True)
        return True

    def _keep(self, number: str, scope: str, key: str, version: str) -> CacheEntry | None:
        """Make a draft an entry, unless there is one like it."""
        draft, data = self._draft(number), self._data(number)
        new = (scope, key, version)
        with locked(self._root / "lock"):
            if any((e.scope, e.key, e.version) == new for e in self._entries()):
                return None
            entry = CacheEntry(
                id=number,
                key=key,
                version=version,
                scope=scope,
                size=draft.stat().st_size,
                created=self._clock.now(),
            )
            draft.chmod(0o600)
            draft.rename(data)
            self._touch(data)
            self._write(entry)
            self._make_room()
        return msgspec.structs.replace(entry, used=entry.created)

    def _entries(self) -> list[CacheEntry]:
        """Return what is there and was used lately, oldest first."""
        used = self._data_files()
        found: list[CacheEntry] = []
        for number in sorted(used, key=int):
            entry = self._read(number)
            if entry and self._clock.now() - used[number] <= UNUSED_SECONDS:
                found.append(msgspec.structs.replace(entry, used=used[number]))
        return sorted(found, key=lambda entry: entry.created)

    def _data_files(self) -> dict[str, float]:
        """Return when each data file was last used, by number."""
        found: dict[str, float] = {}
        try:
            with os.scandir(self._root) as listed:
                for each in listed:
                    number, _, kind = each.name.partition(".")
                    if kind == "data" and number.isdigit():
                        found[number] = each.stat().st_mtime
        except FileNotFoundError:  # nothing was kept yet, or one was removed meanwhile
            return found
        return found

    def _read(self, number: str) -> CacheEntry | None:
        """Return what is known of a data file; None when its entry is not complete, or gone."""
        if number not in self._known:
            try:
                data = self._note_of(number).read_bytes()
            except FileNotFoundError:
                return None
            self._known[number] = msgspec.json.decode(data, type=CacheEntry)
        return self._known[number]

    def _make_room(self) -> None:
        """Remove what was not used for long, then the longest unused of what is too much."""
        now = self._clock.now()
        used = self._data_files()
        for number in set(self._known) - set(used):
            del self._known[number]
        total = 0
        for number in sorted(used, key=lambda number: used[number], reverse=True):
            entry = self._read(number)
            total += entry.size if entry else 0
            if not entry or total > self._largest_total or now - used[number] > UNUSED_SECONDS:
                self._note_of(number).unlink(missing_ok=True)
                self._data(number).unlink(missing_ok=True)
        self._sweep()

    def _sweep(self) -> None:
        """Remove drafts that a process left behind when it died."""
        for draft in [*self._root.glob("*.draft"), *self._root.glob("*.note")]:
            try:
                if self._clock.now() - draft.stat().st_mtime > LONGEST_DRAFT:
                    draft.unlink()
            except FileNotFoundError:  # it became an entry
                continue

    def _touch(self, path: Path) -> None:
        now = self._clock.now()
        os.utime(path, (now, now))

    def _write(self, entry: CacheEntry) -> None:
        draft = self._root / f"{entry.id}.note"
        draft.write_bytes(msgspec.json.encode(entry))
        draft.rename(self._note_of(entry.id))

    def _data(self, number: str) -> Path:
        return self._root / f"{number}.data"

    def _draft(self, number: str) -> Path:
        return self._root / f"{number}.draft"

    def _note_of(self, number: str) -> Path:
        return self._root / f"{number}.json"

    @contextmanager
    def _drafting(self, key: str, wanted: str = "") -> Iterator[str]:
        """Give the number of a draft that is gone at the end, if no entry was made of it."""
        number = wanted or self._ids.run_id()
        try:
            self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                yield number
            finally:
                self._draft(number).unlink(missing_ok=True)
        except OSError as error:
            raise Unavailable(f"Cache {key} can't be kept: {error}") from error


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
