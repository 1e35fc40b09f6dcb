"""Blobs: find, open, mount, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from trunkline.base.errors import NotFound
from trunkline.oci.errors import RegistryError
from trunkline.ports.image_store import BlobFacts, BlobNamed
from trunkline.services.registry.registry import Registry, check_digest, check_repository


def find(registry: Registry, repository: str, digest: str) -> BlobFacts:
    """Return a blob's size. Raises NAME_INVALID, DIGEST_INVALID, BLOB_UNKNOWN."""
    check_repository(repository)
    check_digest(digest)
    found = registry.store.blobs.find(repository, digest)
    if found is None:
        raise _unknown(digest)
    return found


def open_blob(registry: Registry, repository: str, digest: str) -> BinaryIO:
    """Open a blob that `find` found; the caller closes it. Raises BLOB_UNKNOWN."""
    try:
        return registry.store.blobs.open(repository, digest)
    except NotFound as error:
        raise _unknown(digest) from error


def mount(
    registry: Registry,
    repository: str,
    digest: str,
    source: str,
    readable: Callable[[str], bool],
) -> bool:
    """Give a repository the blob of another one; False when that has none.

    Without a `source` any repository will do for which `readable` holds (the client may pull from
    it): whoever knows a digest must not get the content with it. Raises NAME_INVALID,
    DIGEST_INVALID.
    """
    check_repository(repository)
    check_digest(digest)
    if source:
        check_repository(source)
        return readable(source) and registry.store.blobs.mount(source, digest, repository)
    return any(
        readable(holder) and registry.store.blobs.mount(holder, digest, repository)
        for holder in registry.store.blobs.holders(digest)
    )


def delete(registry: Registry, repository: str, digest: str) -> None:
    """Take a blob from a repository. Raises as `find` does, and UNSUPPORTED while it is named."""
    check_repository(repository)
    check_digest(digest)
    try:
        removed = registry.store.blobs.remove(repository, digest)
    except BlobNamed as error:
        raise RegistryError(
            "UNSUPPORTED",
            f"the blob belongs to manifest {error.manifest}: delete that first",
            detail={"digest": digest, "manifest": error.manifest},
        ) from error
    if not removed:
        raise _unknown(digest)


def _unknown(digest: str) -> RegistryError:
    return RegistryError("BLOB_UNKNOWN", detail={"digest": digest})
