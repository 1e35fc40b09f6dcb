"""Retention: which tags go, and which may never change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

import msgspec


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """A rule for the tags of the repositories that match a pattern.

    A tag goes when it matches one of `tags` and none of `keep`, is not among the `keep_last` that
    were changed last, and was not changed for `older_than` seconds. What is None does not count;
    a rule without both keeps everything. Patterns are those of a shell (`v*`, `release-[0-9]*`),
    and `*` also matches `/`.
    """

    repositories: str = "*"
    tags: tuple[str, ...] = ("*",)
    keep: tuple[str, ...] = ()
    keep_last: int | None = None
    older_than: float | None = None


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Tell whether a name matches one of the patterns; capitals count."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def expired_tags(
    repository: str, tags: Mapping[str, float], rules: Sequence[Retention], now: float
) -> frozenset[str]:
    """Return the tags (name -> when it changed) of a repository that some rule gives up."""
    gone: set[str] = set()
    for rule in rules:
        if matches(repository, (rule.repositories,)):
            gone |= _expired(tags, rule, now)
    return frozenset(gone)


def _expired(tags: Mapping[str, float], rule: Retention, now: float) -> set[str]:
    if rule.keep_last is None and rule.older_than is None:
        return set()
    counted = [n for n in tags if matches(n, rule.tags) and not matches(n, rule.keep)]
    newest = sorted(counted, key=lambda name: (tags[name], name), reverse=True)
    old = newest[rule.keep_last or 0 :]
    if rule.older_than is None:
        return set(old)
    return {name for name in old if now - tags[name] > rule.older_than}
