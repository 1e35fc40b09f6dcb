"""Images as their users see them: what is there, how large, and where each came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from trunkline.base.errors import NotFound
from trunkline.oci.built import Built
from trunkline.oci.collection import HeldManifest, Holdings, named_blobs
from trunkline.oci.errors import RegistryError
from trunkline.services.registry import manifests
from trunkline.services.registry.registry import Registry

# Longer configurations are not read for a listing.
LARGEST_CONFIG = 1 << 20


class KeptImage(msgspec.Struct, frozen=True, kw_only=True):
    """An image of the registry under one of its tags ('': it has none).

    `size` is the bytes of all blobs it needs, each counted once; `unique` those of them that no
    other image needs: what its deletion would give back. `created` is when it was made as its
    configuration says, else when it was pushed; both in seconds since the epoch. `built` are the
    builds that it came from, newest first.
    """

    repository: str
    tag: str
    digest: str
    media_type: str
    size: int
    unique: int
    created: float
    pushed: float
    built: tuple[Built, ...] = ()


class Usage(msgspec.Struct, frozen=True):
    """What a registry keeps: `size` is the bytes on disk, `named` what all images add up to.

    `repositories` are those with images.
    """

    repositories: int
    images: int
    blobs: int
    size: int
    named: int


class _Config(msgspec.Struct):
    """The part of an image's configuration that a listing shows."""

    created: str | None = None


def list_images(
    registry: Registry, repository: str = "", reference: str = ""
) -> tuple[KeptImage, ...]:
    """Return the images of a repository ('': of all), by repository and tag.

    With `reference` only those with this tag or digest. Untagged are listed that belong to no other
    image. Raises NotFound for an unknown repository.
    """
    held = registry.store.holdings()
    wanted = [one for one in held if repository in ("", one.repository)]
    if repository and not wanted:
        raise NotFound(f"The registry has no repository '{repository}'.")
    users = _users(held)
    records: dict[str, list[Built]] = {}
    for built in registry.store.evidence.records():
        records.setdefault(built.digest, []).append(built)
    return tuple(
        _image(registry, one, tag, digest, users, records.get(digest, ()))
        for one in wanted
        for tag, digest in _roots(one)
        if reference in ("", tag, digest)
    )


def digests(registry: Registry, repository: str) -> tuple[str, ...]:
    """Return the digests of a repository's images, sorted; none for an unknown repository."""
    held = (one for one in registry.store.holdings() if one.repository == repository)
    return tuple(sorted({digest for one in held for _, digest in _roots(one)}))


def usage(registry: Registry) -> Usage:
    """Return how much a registry keeps."""
    held = registry.store.holdings()
    stored = {digest: blob.size for one in held for digest, blob in one.blobs.items()}
    images = {digest: one for one in held for _, digest in _roots(one)}
    named = sum(
        one.blobs[blob].size
        for digest, one in images.items()
        for blob in _needed(one, digest)
        if blob in one.blobs
    )
    repositories = sum(1 for one in held if one.manifests)
    return Usage(repositories, len(images), len(stored), sum(stored.values()), named)


def resolve(registry: Registry, repository: str, reference: str) -> str:
    """Return the digest of a tag or digest. Raises NotFound."""
    try:
        return manifests.find(registry, repository, reference).digest
    except RegistryError as error:
        mark = "@" if ":" in reference else ":"
        raise NotFound(f"The registry has no image '{repository}{mark}{reference}'.") from error


def delete(registry: Registry, repository: str, reference: str) -> None:
    """Delete an image: by digest with all its tags, by its last tag too; else the tag alone.

    Its blobs go with the next collection. Raises NotFound, RegistryError (DENIED).
    """
    digest = resolve(registry, repository, reference)
    tags = registry.store.manifests.tags(repository) or ()
    is_last = [tag.name for tag in tags if tag.digest == digest] == [reference]
    manifests.delete(registry, repository, digest if is_last else reference)


def record(registry: Registry, built: Built) -> None:
    """Keep a build's record."""
    registry.store.evidence.record(built)


def built(registry: Registry, digest: str) -> tuple[Built, ...]:
    """Return the builds that an image came from, newest first."""
    return registry.store.evidence.records(digest)


def _roots(held: Holdings) -> Iterator[tuple[str, str]]:
    """Yield (tag, digest) of a repository's images: the tagged, then those nothing belongs to."""
    tagged = {tag.digest for tag in held.tags.values()}
    for name in sorted(held.tags):
        yield name, held.tags[name].digest
    parts = {child for one in held.manifests.values() for child in one.children}
    for digest in sorted(held.manifests.keys() - tagged - parts):
        if held.manifests[digest].subject not in held.manifests:
            yield "", digest


def _needed(held: Holdings, digest: str) -> set[str]:
    """Return the blobs that an image needs, without those of what is attached to it."""
    parts: set[str] = set()
    waiting = [digest]
    while waiting:
        part = waiting.pop()
        if part in held.manifests and part not in parts:
            parts.add(part)
            waiting += held.manifests[part].children
    return named_blobs(held.manifests, parts)


def _users(held: Sequence[Holdings]) -> Counter[str]:
    """Count the images that need each blob; the same digest in two places is one image."""
    needs = {digest: _needed(one, digest) for one in held for _, digest in _roots(one)}
    return Counter(blob for needed in needs.values() for blob in needed)


def _image(
    registry: Registry,
    held: Holdings,
    tag: str,
    digest: str,
    users: Mapping[str, int],
    records: Iterable[Built],
) -> KeptImage:
    manifest = held.manifests[digest]
    sizes = {one: held.blobs[one].size for one in _needed(held, digest) if one in held.blobs}
    return KeptImage(
        repository=held.repository,
        tag=tag,
        digest=digest,
        media_type=manifest.media_type,
        size=sum(sizes.values()),
        unique=sum(size for one, size in sizes.items() if users[one] == 1),
        created=_created(registry, held, manifest) or manifest.created,
        pushed=manifest.created,
        built=tuple(records),
    )


def _created(registry: Registry, held: Holdings, manifest: HeldManifest) -> float:
    """Return when an image (or an index's first) says it was made; 0 when it does not say."""
    while manifest.children and manifest.children[0] in held.manifests:
        manifest = held.manifests[manifest.children[0]]
    blob = held.blobs.get(manifest.config)
    if blob is None or blob.size > LARGEST_CONFIG:
        return 0.0
    try:
        with registry.store.blobs.open(held.repository, manifest.config) as content:
            config = msgspec.json.decode(content.read(LARGEST_CONFIG), type=_Config)
        made = datetime.fromisoformat(config.created or "")
        return made.replace(tzinfo=made.tzinfo or UTC).timestamp()
    except (NotFound, msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
        return 0.0
