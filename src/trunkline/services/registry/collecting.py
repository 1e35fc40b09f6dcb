"""Collection: taking away what a registry's rules and its users no longer need."""

from __future__ import annotations

from trunkline.oci.collection import LEASE_SECONDS, UPLOAD_SECONDS, Garbage, Rules, garbage
from trunkline.ports.image_store import Collected, Upload
from trunkline.services.registry.registry import Registry


def collect(registry: Registry, lease: float = LEASE_SECONDS) -> Collected:
    """Take away what nothing needs; the registry may serve meanwhile.

    What was used within `lease` seconds stays: with less than an hour a push that is under way
    may have to begin again. 0 says that none is under way: unfinished uploads go then, too, which
    else are given up when they got nothing for a week.
    """
    return registry.store.collect(_rules(registry, lease))


def collect_if_due(registry: Registry, interval: float) -> Collected | None:
    """Take away what nothing needs, unless that was done within `interval` seconds: None then."""
    if registry.clock.now() < registry.store.collected() + interval:
        return None
    return collect(registry)


def preview(registry: Registry, lease: float = LEASE_SECONDS) -> tuple[Garbage, ...]:
    """Return what `collect` would take away, by repository; those without garbage are left out."""
    rules = _rules(registry, lease)
    found = (garbage(held, rules) for held in registry.store.holdings())
    return tuple(one for one in found if one.tags or one.manifests or one.blobs)


def abandoned(registry: Registry, lease: float = LEASE_SECONDS) -> tuple[Upload, ...]:
    """Return the unfinished uploads that `collect` would give up, unless somebody writes to them."""
    rules = _rules(registry, lease)
    return registry.store.uploads.idle(rules.now - rules.uploads)


def _rules(registry: Registry, lease: float) -> Rules:
    runs = set(registry.runs())
    built = [one for one in registry.store.evidence.records() if one.run_id in runs]
    return Rules(
        now=registry.clock.now(),
        lease=lease,
        uploads=UPLOAD_SECONDS if lease else 0,
        untagged=registry.untagged,
        retention=registry.retention,
        fixed=registry.immutable,
        recorded=frozenset(digest for one in built for digest in (one.digest, one.base_digest)),
    )
