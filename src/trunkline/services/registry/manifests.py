"""Manifests: put, find, read, delete; by tag or digest."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from trunkline.base.errors import NotFound
from trunkline.oci.digests import CANONICAL, algorithm_of, is_digest
from trunkline.oci.errors import RegistryError
from trunkline.oci.manifests import read_manifest
from trunkline.ports.image_store import ManifestFacts, MissingContent, TagFixed
from trunkline.services.registry.registry import (
    Registry,
    check_digest,
    check_repository,
    check_tag,
    tag_is_fixed,
)


class Put(msgspec.Struct, frozen=True):
    """A manifest that was kept: its digest, its tags, and the subject it has ('': none)."""

    digest: str
    tags: tuple[str, ...]
    subject: str


class PutRequest(msgspec.Struct, frozen=True):
    """A manifest as it was sent: `reference` is a tag or a digest, `tags` those beside a digest."""

    repository: str
    reference: str
    content_type: str
    body: bytes
    tags: tuple[str, ...] = ()


def put(registry: Registry, request: PutRequest) -> Put:
    """Keep a manifest.

    Raises NAME_INVALID, DIGEST_INVALID, MANIFEST_INVALID, MANIFEST_BLOB_UNKNOWN, SIZE_INVALID
    (413) and DENIED for an immutable tag. Nothing is kept then.
    """
    check_repository(request.repository)
    by_digest = ":" in request.reference
    tags = request.tags if by_digest else (request.reference,)
    if by_digest:
        check_digest(request.reference)
    for tag in tags:
        check_tag(tag)
    algorithm = algorithm_of(request.reference) if by_digest else CANONICAL
    manifest = read_manifest(request.body, request.content_type, algorithm)
    if by_digest and manifest.digest != request.reference:
        raise RegistryError(
            "DIGEST_INVALID", detail={"digest": request.reference, "actual": manifest.digest}
        )
    try:
        registry.store.manifests.put(
            request.repository, manifest, request.body, tags, registry.immutable
        )
    except MissingContent as error:
        raise _missing(error.digests) from error
    except TagFixed as error:
        raise tag_is_fixed(error) from error
    return Put(manifest.digest, tags, manifest.subject)


def find(registry: Registry, repository: str, reference: str) -> ManifestFacts:
    """Return a manifest's facts. Raises NAME_INVALID, DIGEST_INVALID, MANIFEST_UNKNOWN."""
    check_repository(repository)
    if ":" in reference:
        check_digest(reference)
    found = registry.store.manifests.find(repository, reference)
    if found is None:
        raise _unknown(repository, reference)
    return found


def read(registry: Registry, repository: str, reference: str) -> tuple[ManifestFacts, bytes]:
    """Return a manifest's facts and its bytes. Raises as `find` does."""
    found = find(registry, repository, reference)
    try:
        return found, registry.store.manifests.body(repository, found.digest)
    except NotFound as error:
        raise _unknown(repository, reference) from error


def delete(registry: Registry, repository: str, reference: str) -> None:
    """Delete a tag, or a manifest with its tags and what was attached to it.

    Raises as `find` does, and DENIED for an immutable tag.
    """
    check_repository(repository)
    if ":" in reference:
        check_digest(reference)
    manifests = registry.store.manifests
    remove = manifests.remove if is_digest(reference) else manifests.remove_tag
    try:
        removed = remove(repository, reference, registry.immutable)
    except TagFixed as error:
        raise tag_is_fixed(error) from error
    if not removed:
        raise _unknown(repository, reference)


def _unknown(repository: str, reference: str) -> RegistryError:
    return RegistryError(
        "MANIFEST_UNKNOWN", detail={"repository": repository, "reference": reference}
    )


def _missing(digests: Sequence[str]) -> RegistryError:
    return RegistryError("MANIFEST_BLOB_UNKNOWN", detail={"digests": list(digests)})
