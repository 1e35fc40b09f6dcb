"""A repository's caches, listed and removed (GitHub's REST API: `/repos/{owner}/{repo}/actions/caches`)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from trunkline.base.errors import UsageError
from trunkline.ports.caches import CacheEntry, Caches
from trunkline.services.actions.caches import owner

SORTS: dict[str, Callable[[CacheEntry], float]] = {
    "created_at": lambda entry: entry.created,
    "last_accessed_at": lambda entry: entry.used,
    "size_in_bytes": lambda entry: entry.size,
}


class Usage(msgspec.Struct, frozen=True):
    """How many caches there are, and how many bytes they take."""

    caches: int
    size: int


class KeptCaches:
    """The caches that are kept. Repositories are written `owner/name`."""

    def __init__(self, caches: Caches) -> None:
        self._caches = caches

    def find(
        self,
        repository: str,
        *,
        key: str = "",
        ref: str = "",
        sort: str = "last_accessed_at",
        ascending: bool = False,
    ) -> tuple[CacheEntry, ...]:
        """Return caches whose key begins with `key`, made for `ref` ('': any), in an order.

        Raises UsageError for an order that there is not.
        """
        if sort not in SORTS:
            raise UsageError(f"Caches are sorted by {', '.join(SORTS)}, not by '{sort}'.")
        found = [e for e in self._of(repository, ref) if e.key.startswith(key)]
        return tuple(sorted(found, key=SORTS[sort], reverse=not ascending))

    def usage(self, repository: str) -> Usage:
        """Return what the caches of a repository take."""
        found = self._caches.entries(owner(repository))
        return Usage(len(found), sum(entry.size for entry in found))

    def remove(self, repository: str, number: str) -> bool:
        """Remove a cache by its id; tell whether it was there."""
        every = self._caches.entries(owner(repository))
        return any(entry.id == number and self._caches.remove(entry) for entry in every)

    def remove_key(self, repository: str, key: str, ref: str = "") -> tuple[CacheEntry, ...]:
        """Remove the caches of exactly this key; return them."""
        found = [entry for entry in self._of(repository, ref) if entry.key == key]
        return tuple(entry for entry in found if self._caches.remove(entry))

    def _of(self, repository: str, ref: str) -> list[CacheEntry]:
        every = self._caches.entries(owner(repository))
        return [entry for entry in every if ref in ("", made_for(entry))]


def made_for(entry: CacheEntry) -> str:
    """Return the ref that a cache was made for."""
    return entry.scope.partition("@")[2]


def record(entry: CacheEntry) -> dict[str, object]:
    """Return what GitHub's REST API tells of a cache."""
    return {
        "id": int(entry.id),
        "ref": made_for(entry),
        "key": entry.key,
        "version": entry.version,
        "last_accessed_at": _time(entry.used),
        "created_at": _time(entry.created),
        "size_in_bytes": entry.size,
    }


def _time(seconds: float) -> str:
    told = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")
    return told.replace("+00:00", "Z")
