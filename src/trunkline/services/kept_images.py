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
        """Return the bytes of the blobs that a kept manifest names, or those that it lists name.

        Each blob counts once; 0 if the manifest is not kept.
        """
        manifests, sizes = self._store().manifests, dict[str, int]()
        seen: set[str] = set()
        waiting = [digest] if is_digest(digest) else []
        while waiting:
            wanted = waiting.pop()
            facts = manifests.find(repository, wanted)
            if facts is None or wanted in seen:
                continue
            seen.add(wanted)
            read = read_manifest(manifests.body(repository, wanted), facts.media_type)
            blobs = (*read.layers, *(() if read.config is None else (read.config,)))
            sizes |= {blob.digest: blob.size for blob in blobs}
            waiting += read.children
        return sum(sizes.values())
