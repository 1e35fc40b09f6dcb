"""The registry of this machine as rehearsals use it."""

from __future__ import annotations

from collections.abc import Callable

from trunkline.oci.digests import is_digest
from trunkline.oci.manifests import read_manifest
from trunkline.ports.endpoints import REGISTRY, Endpoints
from trunkline.ports.image_store import ImageStore


class LocalImages:
    """What rehearsals pushed: asked of the store itself, so that the registry starts for pushes alone."""

    def __init__(self, endpoints: Endpoints, store: Callable[[], ImageStore]) -> None:
        """Take the services of this machine, and what opens the registry's store."""
        self._endpoints = endpoints
        self._store = store

    def address(self) -> str:
        """Return where the registry listens (`127.0.0.1:5000`), started when needed."""
        return self._endpoints.ensure(REGISTRY).partition("://")[2]

    def find(self, repository: str, reference: str) -> str:
        """Return the digest that a tag or digest of a repository stands for, '' if it is not kept."""
        found = self._store().manifests.find(repository, reference)
        return found.digest if found is not None else ""

    def size(self, repository: str, digest: str) -> int:
        """Return the bytes of the blobs that a kept manifest names, 0 if it is not kept."""
        manifests = self._store().manifests
        facts = manifests.find(repository, digest) if is_digest(digest) else None
        if facts is None:
            return 0
        read = read_manifest(manifests.body(repository, facts.digest), facts.media_type)
        blobs = (*read.layers, *(() if read.config is None else (read.config,)))
        return sum(blob.size for blob in blobs)
