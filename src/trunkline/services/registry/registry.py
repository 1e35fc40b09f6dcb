"""A registry: its store, its rules, and the checks that every request shares."""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from trunkline.oci.digests import is_digest
from trunkline.oci.errors import RegistryError
from trunkline.oci.names import is_repository, is_tag
from trunkline.oci.retention import Retention
from trunkline.ports.clock import Clock
from trunkline.ports.image_store import ImageStore, TagFixed


class Registry(msgspec.Struct, frozen=True, kw_only=True):
    """What the use cases work on.

    Tags that match a pattern of `immutable` can be pushed once, and neither moved nor deleted
    (a rehearsal's registry has none). `retention` is what a collection applies, and `untagged`
    after how many seconds it takes untagged manifests (None: never). It leaves what was pushed by
    the runs that `runs` names, which are kept.
    """

    store: ImageStore
    clock: Clock
    immutable: tuple[str, ...] = ()
    retention: tuple[Retention, ...] = ()
    untagged: float | None = None
    runs: Callable[[], Collection[str]] = tuple


def check_repository(name: str) -> None:
    """Raise NAME_INVALID for what is not a repository's name."""
    if not is_repository(name):
        raise RegistryError("NAME_INVALID", detail={"name": name})


def check_digest(digest: str) -> None:
    """Raise DIGEST_INVALID for what is not a digest, or of an unknown algorithm."""
    if not is_digest(digest):
        raise RegistryError(
            "DIGEST_INVALID",
            "a digest is sha256:<64 lower-case hexadecimal digits> or sha512:<128>",
            detail={"digest": digest},
        )


def check_tag(tag: str) -> None:
    """Raise MANIFEST_INVALID for what is not a tag."""
    if not is_tag(tag):
        raise RegistryError(
            "MANIFEST_INVALID",
            "a tag is a letter, digit or _, then at most 127 of letters, digits, '_', '.' and '-'",
            detail={"tag": tag},
        )


def tag_is_fixed(error: TagFixed) -> RegistryError:
    """Return the refusal to change or delete an immutable tag."""
    return RegistryError(
        "DENIED",
        f"the tag '{error.tag}' is immutable and points to {error.digest}",
        detail={"tag": error.tag, "digest": error.digest},
    )
