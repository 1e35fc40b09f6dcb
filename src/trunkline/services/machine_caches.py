"""The caches of this machine as people ask for them: listed, found by key, removed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trunkline.base.errors import NotFound
from trunkline.base.words import did_you_mean, printable
from trunkline.ports.caches import CacheEntry, Caches

LIST = "`trunkline caches` lists what is here."
HEADS, TAGS = "refs/heads/", "refs/tags/"


def find(
    caches: Caches, key: str = "", repository: str = "", ref: str = ""
) -> tuple[CacheEntry, ...]:
    """Return the caches whose key begins with `key`, newest first; '' is any.

    `repository` is `owner/name`; `ref` is whole, or the name of a branch or tag. Raises Unavailable.
    """
    return tuple(
        each
        for each in caches.entries(repository.lower())
        if each.key.startswith(key) and _is_of(each, ref)
    )


def remove(
    caches: Caches, keys: Sequence[str], repository: str = "", ref: str = ""
) -> Iterator[CacheEntry]:
    """Remove all caches that have one of these keys; yield each that is gone.

    Raises NotFound for a key that none has, before anything is removed, and Unavailable.
    """
    here = find(caches, "", repository, ref)
    known = {each.key for each in here}
    for key in keys:
        if key not in known:
            hint = printable(did_you_mean(key, sorted(known))) or LIST
            raise NotFound(f"There is no cache '{printable(key)}'.", hint=hint)
    for each in here:
        if each.key in keys and caches.remove(each):
            yield each


def place(entry: CacheEntry) -> tuple[str, str]:
    """Return the repository and the ref that a cache was made for."""
    repository, _, ref = entry.scope.partition("@")
    return repository, ref


def _is_of(entry: CacheEntry, ref: str) -> bool:
    return not ref or place(entry)[1] in {ref, f"{HEADS}{ref}", f"{TAGS}{ref}"}
