"""Reading manifests: what an image manifest or index names, and whether it may be kept.

Accepted are OCI image manifests and indexes, Docker's manifests (version 2, schema 2) and
manifest lists. Docker's schema 1 is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from trunkline.oci.descriptors import Descriptor
from trunkline.oci.digests import CANONICAL, digest_of, is_digest
from trunkline.oci.errors import RegistryError
from trunkline.oci.media_types import (
    INDEXES,
    JSON,
    MANIFESTS,
    NON_DISTRIBUTABLE,
    OCI_INDEX,
    OCI_MANIFEST,
    OCTET_STREAM,
    SCHEMA_1,
    without_parameters,
)

# The specification asks for 4 MiB at least.
LARGEST_MANIFEST = 8 << 20


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest that was read.

    `artifact_type` is the referrers listing's: the manifest's own, else (for an image manifest)
    its configuration's media type.
    """

    digest: str
    size: int
    media_type: str
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] = ()
    manifests: tuple[Descriptor, ...] = ()
    subject: str = ""
    artifact_type: str = ""
    annotations: Mapping[str, str] = {}

    @property
    def blobs(self) -> tuple[str, ...]:
        """Return the digests of the blobs that its repository must have, each once."""
        named = (() if self.config is None else (self.config,)) + self.layers
        needed = (one.digest for one in named if one.media_type not in NON_DISTRIBUTABLE)
        return tuple(dict.fromkeys(needed))

    @property
    def children(self) -> tuple[str, ...]:
        """Return the digests of the manifests (or blobs) that an index names, each once."""
        return tuple(dict.fromkeys(one.digest for one in self.manifests))

    @property
    def descriptor(self) -> Descriptor:
        """Return how a listing of referrers describes it."""
        return Descriptor(
            self.media_type,
            self.digest,
            self.size,
            artifact_type=self.artifact_type,
            annotations=self.annotations,
        )


class _Written(msgspec.Struct, rename="camel"):
    """The parts of a manifest that matter to a registry; the rest is not looked at."""

    schema_version: int | None = None
    media_type: str = ""
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] | None = None
    manifests: tuple[Descriptor, ...] | None = None
    subject: Descriptor | None = None
    artifact_type: str = ""
    annotations: Mapping[str, str] | None = None


def read_manifest(body: bytes, content_type: str, algorithm: str = CANONICAL) -> Manifest:
    """Read a manifest that was sent as `content_type`; its digest is made with `algorithm`.

    Raises RegistryError: MANIFEST_INVALID, or SIZE_INVALID (413) when it is too large.
    """
    if len(body) > LARGEST_MANIFEST:
        raise too_large()
    written = _decoded(body)
    media_type = _media_type(written, without_parameters(content_type))
    is_index = media_type in INDEXES
    _check_shape(written, is_index=is_index)
    named = _named(written)
    for one in named:
        if not is_digest(one.digest):
            raise _invalid(f"'{one.digest}' is not a digest that this registry knows")
    config_type = written.config.media_type if written.config and not is_index else ""
    return Manifest(
        digest=digest_of(body, algorithm),
        size=len(body),
        media_type=media_type,
        config=written.config,
        layers=written.layers or (),
        manifests=written.manifests or (),
        subject=written.subject.digest if written.subject else "",
        artifact_type=written.artifact_type or config_type,
        annotations=written.annotations or {},
    )


def too_large() -> RegistryError:
    """Return the refusal of a manifest that is longer than LARGEST_MANIFEST."""
    return RegistryError(
        "SIZE_INVALID",
        f"manifest is larger than {LARGEST_MANIFEST} bytes",
        detail={"limit": LARGEST_MANIFEST},
        status=413,
    )


def _decoded(body: bytes) -> _Written:
    try:
        return msgspec.json.decode(body, type=_Written)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise _invalid(f"manifest can't be read: {error}") from error


def _media_type(written: _Written, sent: str) -> str:
    """Return the manifest's type: what it says of itself must be what it was sent as."""
    said = written.media_type
    if {said, sent} & SCHEMA_1 or written.schema_version == 1:
        raise _invalid("manifests of schema version 1 are not supported: push schema version 2")
    if sent in ("", JSON, OCTET_STREAM):
        guessed = OCI_INDEX if written.manifests is not None else OCI_MANIFEST
        sent = said or guessed
    if said and said != sent:
        raise _invalid(f"the manifest's mediaType '{said}' is not its Content-Type '{sent}'")
    if sent not in MANIFESTS | INDEXES:
        raise _invalid(f"'{sent}' is not a manifest type that this registry keeps")
    if written.schema_version != 2:
        raise _invalid("the manifest's schemaVersion must be 2")
    return sent


def _check_shape(written: _Written, *, is_index: bool) -> None:
    """Refuse what reads as another kind for another reader (CVE-2021-41190)."""
    if is_index:
        if written.config is not None or written.layers is not None:
            raise _invalid("an index has no config and no layers")
        if written.manifests is None:
            raise _invalid("the index has no manifests")
        return
    if written.manifests is not None:
        raise _invalid("an image manifest names no manifests")
    if written.config is None or written.layers is None:
        raise _invalid("the manifest has no config or no layers")


def _named(written: _Written) -> list[Descriptor]:
    single = [one for one in (written.config, written.subject) if one is not None]
    return [*single, *(written.layers or ()), *(written.manifests or ())]


def _invalid(message: str, detail: Any = None) -> RegistryError:
    return RegistryError("MANIFEST_INVALID", message, detail=detail)
