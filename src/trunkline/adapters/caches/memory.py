"""Caches in memory, for tests."""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from trunkline.base.errors import NotFound
from trunkline.ports.caches import CacheEntry
from trunkline.ports.clock import Clock

UNUSED_SECONDS = 7 * 24 * 60 * 60


class MemoryCaches:
    """Keeps caches in a list. See the port `Caches`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._number = 0
        self._entries: list[tuple[CacheEntry, bytes]] = []

    def find(
        self, scopes: Sequence[str], key: str, restore_keys: Sequence[str], version: str
    ) -> CacheEntry | None:
        """Return the entry that fits best, or None."""
        newest = [e for e in self._newest() if e.version == version]
        for scope in scopes:
            here = [entry for entry in newest if entry.scope == scope]
            here.sort(key=lambda entry: entry.key != key)
            for prefix in (key, *restore_keys):
                for entry in here:
                    if entry.key.startswith(prefix):
                        return entry
        return None

    def open(self, entry: CacheEntry) -> BinaryIO:
        """Open what was saved, and count it as used. Raises NotFound."""
        with self._lock:
            for index, (known, content) in enumerate(self._entries):
                if known.id == entry.id:
                    used = msgspec.structs.replace(known, used=self._clock.now())
                    self._entries[index] = (used, content)
                    return io.BytesIO(content)
        raise NotFound(f"Cache {entry.key} is gone.")

    def save(self, scope: str, key: str, version: str, content: BinaryIO) -> CacheEntry | None:
        """Keep `content`; None when the scope has this key and version already."""
        return self._keep((scope, key, version), content.read(), "")

    def _keep(self, name: tuple[str, str, str], data: bytes, number: str) -> CacheEntry | None:
        if any((e.scope, e.key, e.version) == name for e in self._newest()):
            return None
        scope, key, version = name
        with self._lock:
            self._number += 1
            entry = CacheEntry(
                id=number or str(self._number),
                key=key,
                version=version,
                scope=scope,
                size=len(data),
                created=self._clock.now(),
                used=self._clock.now(),
            )
            self._entries.append((entry, data))
        return entry

    def adopt(
        self, scope: str, key: str, version: str, path: str, number: str = ""
    ) -> CacheEntry | None:
        """Keep a finished file; None when the scope has this key and version already."""
        file = Path(path)
        try:
            return self._keep((scope, key, version), file.read_bytes(), number)
        finally:
            file.unlink()

    def entries(self, repository: str) -> tuple[CacheEntry, ...]:
        """Return what is kept for a repository, newest first."""
        prefix = f"{repository}@" if repository else ""
        return tuple(e for e in self._newest() if e.scope.startswith(prefix))

    def remove(self, entry: CacheEntry) -> bool:
        """Remove an entry; tell whether it was there."""
        with self._lock:
            kept = [each for each in self._entries if each[0].id != entry.id]
            found = len(kept) < len(self._entries)
            self._entries = kept
        return found

    def _newest(self) -> list[CacheEntry]:
        """Return what was used in the last days, newest first."""
        since = self._clock.now() - UNUSED_SECONDS
        with self._lock:
            return [entry for entry, _ in reversed(self._entries) if entry.used >= since]
