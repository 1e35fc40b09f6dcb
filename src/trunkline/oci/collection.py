"""Garbage collection as a pure step: what repositories hold, and what of it nothing needs.

Kept are tagged and recorded manifests, what they name (an index its manifests, a manifest its blobs), what has
a kept manifest as its subject, and blobs that were used a moment ago: a push that is under way
may still name them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from trunkline.oci.retention import Retention, expired_tags, matches

# How long a blob is kept after a client heard that it is there.
LEASE_SECONDS = 60 * 60
# An upload that got nothing for so long is given up.
UPLOAD_SECONDS = 7 * 24 * 60 * 60


class HeldManifest(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest of a repository and what it names.

    `created` is when it was first pushed, `used` when a client last pushed it or heard of it.
    """

    size: int
    created: float
    used: float
    media_type: str = ""
    config: str = ""
    blobs: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    subject: str = ""


class HeldBlob(msgspec.Struct, frozen=True):
    """A blob of a repository: its size, and when a client last heard that it is there."""

    size: int
    used: float


class HeldTag(msgspec.Struct, frozen=True):
    """A tag of a repository: what it points to, and since when."""

    digest: str
    updated: float


class Holdings(msgspec.Struct, frozen=True, kw_only=True):
    """All that a repository holds, by digest or tag. `received`: when its last upload got data."""

    repository: str
    tags: Mapping[str, HeldTag] = {}
    manifests: Mapping[str, HeldManifest] = {}
    blobs: Mapping[str, HeldBlob] = {}
    received: float = 0.0


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What a collection may take at the time `now`; durations are seconds.

    Untagged manifests are kept for ever when `untagged` is None: somebody may use them by digest.
    Else they go when they were not used for so long (and for `lease`: a push may be under way).
    Manifests whose digests are in `recorded` stay, with or without a tag. Tags that match a pattern
    of `fixed` never expire.
    """

    now: float
    lease: float = LEASE_SECONDS
    uploads: float = UPLOAD_SECONDS
    untagged: float | None = None
    retention: tuple[Retention, ...] = ()
    fixed: tuple[str, ...] = ()
    recorded: frozenset[str] = frozenset()


class Garbage(msgspec.Struct, frozen=True):
    """What of a repository goes."""

    repository: str
    tags: tuple[str, ...] = ()
    manifests: tuple[str, ...] = ()
    blobs: tuple[str, ...] = ()


def garbage(held: Holdings, rules: Rules) -> Garbage:
    """Return what a repository no longer needs."""
    changed = {name: tag.updated for name, tag in held.tags.items()}
    expired = {
        name
        for name in expired_tags(held.repository, changed, rules.retention, rules.now)
        if not matches(name, rules.fixed) and not _is_leased(held, name, rules)
    }
    tagged = {tag.digest for name, tag in held.tags.items() if name not in expired}
    given_up = _given_up(held, expired, tagged)
    roots = (
        tagged
        | rules.recorded
        | {
            digest
            for digest, manifest in held.manifests.items()
            if digest not in given_up and _is_recent(manifest, rules)
        }
    )
    kept = reachable(held.manifests, roots)
    return Garbage(
        held.repository,
        tuple(sorted(expired)),
        tuple(sorted(held.manifests.keys() - kept)),
        _unneeded_blobs(held, kept, rules),
    )


def reachable(manifests: Mapping[str, HeldManifest], roots: Iterable[str]) -> set[str]:
    """Return the manifests that `roots` need: themselves, their children, and their referrers."""
    referrers: dict[str, list[str]] = {}
    for digest, manifest in manifests.items():
        if manifest.subject:
            referrers.setdefault(manifest.subject, []).append(digest)
    kept: set[str] = set()
    waiting = [digest for digest in roots if digest in manifests]
    while waiting:
        digest = waiting.pop()
        if digest in kept:
            continue
        kept.add(digest)
        waiting += [child for child in manifests[digest].children if child in manifests]
        waiting += referrers.get(digest, ())
    return kept


def named_blobs(manifests: Mapping[str, HeldManifest], digests: Iterable[str]) -> set[str]:
    """Return the blobs that these manifests name (an index may name blobs as its children)."""
    return {
        blob
        for digest in digests
        for blob in (*manifests[digest].blobs, *manifests[digest].children)
    }


def orphans(subjects: Mapping[str, str], tagged: Collection[str], gone: str) -> set[str]:
    """Return the untagged manifests whose only reason was the subject `gone`, and theirs.

    `subjects` has the subject of every manifest that has one.
    """
    found: set[str] = set()
    waiting = [gone]
    while waiting:
        lost = waiting.pop()
        for digest, subject in subjects.items():
            if subject == lost and digest not in found and digest not in tagged:
                found.add(digest)
                waiting.append(digest)
    return found


def _is_leased(held: Holdings, tag: str, rules: Rules) -> bool:
    """Tell whether a tag's manifest was used a moment ago: it may be part of a push."""
    manifest = held.manifests.get(held.tags[tag].digest)
    return manifest is not None and rules.now - manifest.used <= rules.lease


def _given_up(held: Holdings, expired: set[str], tagged: set[str]) -> set[str]:
    """Return what went with expired tags: their manifests, and what was only for these."""
    lost = reachable(held.manifests, {held.tags[name].digest for name in expired} - tagged)
    return lost - tagged


def _is_recent(manifest: HeldManifest, rules: Rules) -> bool:
    """Tell whether an untagged manifest is kept for its age."""
    if rules.untagged is None:
        return True
    return rules.now - manifest.used <= max(rules.untagged, rules.lease)


def _unneeded_blobs(held: Holdings, kept: set[str], rules: Rules) -> tuple[str, ...]:
    if rules.now - held.received <= rules.lease:
        return ()
    needed = named_blobs(held.manifests, kept)
    return tuple(
        sorted(
            digest
            for digest, blob in held.blobs.items()
            if digest not in needed and rules.now - blob.used > rules.lease
        )
    )
