"""Listings: a repository's tags, all repositories, a manifest's referrers."""

from __future__ import annotations

from collections.abc import Callable

from trunkline.oci.descriptors import Descriptor
from trunkline.oci.errors import RegistryError
from trunkline.oci.pages import Page, page_of
from trunkline.oci.referrers import of_type, page_of_referrers
from trunkline.services.registry.registry import Registry, check_digest, check_repository

# How many names are asked for, of which a client may perhaps read few.
AT_ONCE = 500


def tags(registry: Registry, repository: str, limit: int | None, last: str = "") -> Page[str]:
    """Return a page of a repository's tags after `last`. Raises NAME_INVALID, NAME_UNKNOWN."""
    check_repository(repository)
    most = None if limit is None else limit + 1
    found = registry.store.manifests.tags(repository, last, most)
    if found is None:
        raise RegistryError("NAME_UNKNOWN", detail={"name": repository})
    return page_of([tag.name for tag in found], limit)


def repositories(
    registry: Registry,
    limit: int | None,
    last: str = "",
    readable: Callable[[str], bool] | None = None,
) -> Page[str]:
    """Return a page of the repositories after `last` for which `readable` holds (None: of all)."""
    found: list[str] = []
    while limit is None or len(found) <= limit:
        names = registry.store.manifests.repositories(last, AT_ONCE)
        found += [name for name in names if readable is None or readable(name)]
        if len(names) < AT_ONCE:
            break
        last = names[-1]
    return page_of(found, limit)


def referrers(
    registry: Registry, repository: str, digest: str, artifact_type: str = "", last: str = ""
) -> Page[Descriptor]:
    """Return a page of the manifests whose subject is `digest`; an unknown one has none.

    Raises NAME_INVALID, DIGEST_INVALID.
    """
    check_repository(repository)
    check_digest(digest)
    found = registry.store.manifests.referrers(repository, digest)
    return page_of_referrers(of_type(found, artifact_type), last)
