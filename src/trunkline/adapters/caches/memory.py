"""Caches in memory, for tests."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import BinaryIO

from trunkline.base.errors import NotFound
from trunkline.ports.caches import CacheEntry
from trunkline.ports.clock import Clock


class MemoryCaches:
    """Keeps caches in a list. See the port `Caches`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: list[tuple[CacheEntry, bytes]] = []

    def find(
        self, scopes: Sequence[str], key: str, restore_keys: Sequence[str], version: str
    ) -> CacheEntry | None:
        """Return the entry that fits best, or None."""
        newest = [e for e, _ in reversed(self._entries) if e.version == version]
        for scope in scopes:
            here = [entry for entry in newest if entry.scope == scope]
            here.sort(key=lambda entry: entry.key != key)
            for prefix in (key, *restore_keys):
                for entry in here:
                    if entry.key.startswith(prefix):
                        return entry
        return None

    def open(self, entry: CacheEntry) -> BinaryIO:
        """Open what was saved. Raises NotFound."""
        for known, content in self._entries:
            if known == entry:
                return io.BytesIO(content)
        raise NotFound(f"Cache {entry.key} is gone.")

    def save(self, scope: str, key: str, version: str, content: BinaryIO) -> CacheEntry | None:
        """Keep `content`; None when the scope has this key and version already."""
        data = content.read()
        if any((e.scope, e.key, e.version) == (scope, key, version) for e, _ in self._entries):
            return None
        entry = CacheEntry(
            id=str(len(self._entries) + 1),
            key=key,
            version=version,
            scope=scope,
            size=len(data),
            created=self._clock.now(),
        )
        self._entries.append((entry, data))
        return entry
