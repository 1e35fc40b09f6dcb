"""The images of this machine's registry, found by the names that people type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from trunkline.base.errors import NotFound
from trunkline.base.words import nearest
from trunkline.oci.built import Built
from trunkline.oci.references import InvalidReference, local_repository, parse_reference
from trunkline.services.registry import images
from trunkline.services.registry.images import KeptImage
from trunkline.services.registry.registry import Registry

# A hint lists no more tags.
MOST_TAGS = 20


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which images are wanted; '' is any.

    `name` is a repository as its users know it (`ghcr.io/o/n`, `o/n`, `alpine`), with `:tag` or
    `@digest` for one image of it; digests and commits may be cut short. `run` is an id.
    """

    name: str = ""
    run: str = ""
    commit: str = ""


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """An image with all its tags; `built` is the newest build that it came from."""

    repository: str
    tags: tuple[str, ...]
    digest: str
    size: int
    unique: int
    pushed: float
    built: Built | None


class Wanted(msgspec.Struct, frozen=True):
    """A repository ('': all), and which of its images: `tag` and `digest` are '' for all."""

    repository: str
    tag: str = ""
    digest: str = ""


def find(registry: Registry, which: Filter) -> tuple[KeptImage, ...]:
    """Return the images that a filter lets through. Raises NotFound for a name that fits none."""
    wanted = resolve(registry, which.name) if which.name else Wanted("")
    found = images.list_images(registry, wanted.repository, wanted.digest or wanted.tag)
    return tuple(each for each in found if _comes_from(each, which))


def published(registry: Registry, which: Filter) -> tuple[Built, ...]:
    """Return the builds that were pushed to other registries than this machine's, newest first."""
    return tuple(
        built
        for built in registry.store.evidence.records()
        if built.published and _is_named(built, which.name) and _is_from(built, which)
    )


def grouped(found: Iterable[KeptImage]) -> tuple[Image, ...]:
    """Return each image once, with its tags."""
    groups: dict[tuple[str, str], list[KeptImage]] = {}
    for each in found:
        groups.setdefault((each.repository, each.digest), []).append(each)
    return tuple(_one(members) for members in groups.values())


def remove(registry: Registry, names: Sequence[str]) -> Iterator[Wanted]:
    """Delete tags and images; yield each that is gone.

    Raises NotFound before anything is deleted, and RegistryError.
    """
    for wanted in dict.fromkeys([_one_image(registry, name) for name in names]):
        images.delete(registry, wanted.repository, wanted.digest or wanted.tag)
        yield wanted


def _one_image(registry: Registry, name: str) -> Wanted:
    wanted = resolve(registry, name)
    if not wanted.tag and not wanted.digest:
        raise NotFound(
            f"'{name}' is a repository.", hint="Name one of its images: NAME:TAG or NAME@DIGEST."
        )
    return wanted


def resolve(registry: Registry, name: str) -> Wanted:
    """Return what a name means among the images that are here. Raises NotFound."""
    known = registry.store.manifests.repositories()
    head, _, digest = name.partition("@")
    tag = head.rpartition("/")[2].partition(":")[2]
    head = head.removesuffix(f":{tag}") if tag else head
    fitting = _fitting(head, known)
    if len(fitting) > 1:
        raise NotFound(f"'{name}' names several repositories: {', '.join(fitting)}.")
    if fitting:
        return _checked(registry, Wanted(fitting[0], "" if digest else tag, digest), name)
    meant = nearest(head, [end for each in known for end in _ends(each)])
    hint = f"Did you mean '{meant}'?" if meant else "`trunkline images` lists what is here."
    raise NotFound(f"The registry has no repository '{head or name}'.", hint=hint)


def _fitting(name: str, known: Sequence[str]) -> list[str]:
    """Return the repositories that a name may mean: itself, Docker's reading of it, its end."""
    if not name:
        return []
    if name in known:
        return [name]
    try:
        whole = local_repository(parse_reference(name))
    except InvalidReference:
        whole = ""
    if whole in known:
        return [whole]
    return [each for each in known if each.endswith(f"/{name}")]


def _ends(repository: str) -> list[str]:
    """Return the names that end like a repository's: `ghcr.io/o/n`, `o/n`, `n`."""
    parts = repository.split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]


def _checked(registry: Registry, wanted: Wanted, name: str) -> Wanted:
    """Return it with its digest in full. Raises NotFound for a tag or digest that is not here."""
    tags = [tag.name for tag in registry.store.manifests.tags(wanted.repository) or ()]
    if wanted.tag and wanted.tag not in tags:
        raise NotFound(f"The registry has no image '{name}'.", hint=f"Its tags: {_first(tags)}.")
    if not wanted.digest:
        return wanted
    start = wanted.digest if ":" in wanted.digest else f"sha256:{wanted.digest}"
    known = images.digests(registry, wanted.repository)
    found = [digest for digest in known if digest.startswith(start)]
    if len(found) != 1:
        raise NotFound(f"'{name}' names {len(found) or 'no'} images of {wanted.repository}.")
    return Wanted(wanted.repository, "", found[0])


def _first(tags: Sequence[str]) -> str:
    """Return the first of a repository's tags, for people to read."""
    more = [f"and {len(tags) - MOST_TAGS} more"] if len(tags) > MOST_TAGS else []
    return ", ".join([*tags[:MOST_TAGS], *more]) or "none"


def _comes_from(image: KeptImage, which: Filter) -> bool:
    if not which.run and not which.commit:
        return True
    return any(_is_from(built, which) for built in image.built)


def _is_from(built: Built, which: Filter) -> bool:
    return which.run in {"", built.run_id} and built.commit.startswith(which.commit)


def _is_named(built: Built, name: str) -> bool:
    """Tell whether a name, or its end, is that of what was published."""
    full = {built.repository, *(f"{built.repository}:{tag}" for tag in built.tags)}
    return any(not name or each == name or each.endswith(f"/{name}") for each in full)


def _one(members: Sequence[KeptImage]) -> Image:
    first = members[0]
    tags = {member.tag for member in members if member.tag}
    own = [built for built in first.built if built.repository == first.repository]
    tagged = [built for built in own if tags.intersection(built.tags)]
    return Image(
        repository=first.repository,
        tags=tuple(sorted(tags)),
        digest=first.digest,
        size=first.size,
        unique=first.unique,
        pushed=max(member.pushed for member in members),
        built=next(iter([*tagged, *own, *first.built]), None),
    )
