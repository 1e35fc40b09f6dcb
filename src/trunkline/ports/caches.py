"""Port: what jobs keep between runs: caches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO, Protocol

import msgspec


class CacheEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A kept cache. `id` is digits only; `scope` is the `owner/name@ref` it was made for.

    `created` and `used` (last) are seconds since 1970.
    """

    id: str
    key: str
    version: str
    scope: str
    size: int
    created: float
    used: float = 0.0


class Caches(Protocol):
    """Caches by (scope, key, version), never changed once saved (GitHub: caching dependencies).

    Thread-safe, and safe across processes; nothing is ever half-visible. Entries that were not used
    for 7 days are gone, the longest unused beyond 10 GB are removed. Raises Unavailable when the
    disk refuses.
    """

    def find(
        self, scopes: Sequence[str], key: str, restore_keys: Sequence[str], version: str
    ) -> CacheEntry | None:
        """Return the entry that fits best, or None.

        In each scope, in order: the exact `key`, then the newest entry whose key starts with `key`,
        then with each of `restore_keys` in turn. The version must be equal.
        """
        ...

    def open(self, entry: CacheEntry) -> BinaryIO:
        """Open what was saved, and count it as used. Raises NotFound."""
        ...

    def save(self, scope: str, key: str, version: str, content: BinaryIO) -> CacheEntry | None:
        """Keep `content`; None when the scope has this key and version already."""
        ...

    def adopt(
        self, scope: str, key: str, version: str, path: str, number: str = ""
    ) -> CacheEntry | None:
        """Keep a finished file of this machine, as `save` does; the file disappears, kept or not.

        It is moved, not copied, when it lies on the store's disk. `number` is the entry's id, digits
        that no other entry has.
        """
        ...

    def entries(self, repository: str) -> tuple[CacheEntry, ...]:
        """Return what is kept for the scopes of `repository` (`owner/name`; '': all), newest first."""
        ...

    def remove(self, entry: CacheEntry) -> bool:
        """Remove an entry; tell whether it was there. Who has it open can still read it."""
        ...
