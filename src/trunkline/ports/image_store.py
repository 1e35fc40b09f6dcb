"""Port: where a registry keeps repositories, blobs, manifests, tags, uploads and evidence.

Everything is thread-safe and safe across processes; nothing is ever half-visible. Raises
Unavailable when the disk refuses (`NoSpace` when it is full) and Corrupt when what is kept can't
be read. Names, tags and digests follow the grammars of `trunkline.oci`; the caller has checked
them, and a store trusts none of them with a path. Times are seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO, Protocol

import msgspec

from trunkline.base.errors import Unavailable
from trunkline.oci.built import Built
from trunkline.oci.collection import Holdings, Rules
from trunkline.oci.descriptors import Descriptor
from trunkline.oci.manifests import Manifest


class NoSpace(Unavailable):
    """The disk is full; nothing of what was written is left."""


class BrokenOff(Exception):
    """A sender stopped in the middle of its content."""


class UploadBusy(Exception):
    """Another request is writing to the upload just now."""


class UploadOutOfOrder(Exception):
    """The content does not begin where the upload ends: `size` bytes are here."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


class DigestMismatch(Exception):
    """The content has another digest: `actual`. The upload is gone."""

    def __init__(self, actual: str) -> None:
        super().__init__(actual)
        self.actual = actual


class MissingContent(Exception):
    """A manifest names blobs or manifests that its repository lacks."""

    def __init__(self, digests: tuple[str, ...]) -> None:
        super().__init__(digests)
        self.digests = digests


class TagFixed(Exception):
    """A tag that may not change points to another digest, or would be removed."""

    def __init__(self, tag: str, digest: str) -> None:
        super().__init__(tag, digest)
        self.tag = tag
        self.digest = digest


class BlobNamed(Exception):
    """A blob that a manifest of the repository names can't be removed."""

    def __init__(self, manifest: str) -> None:
        super().__init__(manifest)
        self.manifest = manifest


class BlobFacts(msgspec.Struct, frozen=True):
    """A blob of a repository; `size` in bytes."""

    digest: str
    size: int


class Upload(msgspec.Struct, frozen=True):
    """An upload that is under way: `size` bytes are here; `changed` is when the last came."""

    id: str
    repository: str
    size: int
    started: float
    changed: float


class Tag(msgspec.Struct, frozen=True):
    """A tag, what it points to, and since when."""

    name: str
    digest: str
    updated: float


class ManifestFacts(msgspec.Struct, frozen=True):
    """A manifest of a repository. `created` is when it was pushed; `size` are its own bytes."""

    digest: str
    media_type: str
    size: int
    created: float


class Collected(msgspec.Struct, frozen=True, kw_only=True):
    """What a collection took away: how many of each, and the bytes that became free."""

    tags: int = 0
    manifests: int = 0
    blobs: int = 0
    uploads: int = 0
    size: int = 0


class Stream(Protocol):
    """Content that comes piece by piece."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, b'' at the end. Raises BrokenOff when its sender stops."""
        ...


class Blobs(Protocol):
    """Blobs by (repository, digest). Repositories share the content, which is kept once.

    A blob that was found, mounted or uploaded is kept for LEASE_SECONDS at least, so that a
    manifest can still name it.
    """

    def find(self, repository: str, digest: str) -> BlobFacts | None:
        """Return a blob of a repository, or None."""
        ...

    def open(self, repository: str, digest: str) -> BinaryIO:
        """Open a blob of a repository for reading; the caller closes it. Raises NotFound."""
        ...

    def holders(self, digest: str) -> tuple[str, ...]:
        """Return the repositories that have a blob, sorted."""
        ...

    def mount(self, source: str, digest: str, target: str) -> bool:
        """Give `target` a blob of `source`; False when `source` has none."""
        ...

    def remove(self, repository: str, digest: str) -> bool:
        """Take a blob from a repository; False when it has none. Raises BlobNamed."""
        ...


class Uploads(Protocol):
    """Blobs that are being received. They survive a restart."""

    def start(self, repository: str, algorithm: str) -> Upload:
        """Begin an upload whose digest will probably be of `algorithm`."""
        ...

    def find(self, repository: str, upload: str) -> Upload | None:
        """Return an upload of a repository by its id, or None."""
        ...

    def append(
        self, repository: str, upload: str, content: Stream, first: int | None, length: int | None
    ) -> Upload:
        """Take content, streaming, and return the upload after it.

        `first` is the offset of the content's first byte (None: wherever the upload ends) and
        `length` its bytes as announced (None: not announced). Raises NotFound, UploadBusy,
        UploadOutOfOrder; BrokenOff when less came than was announced or reading `content` raised
        it, with what came kept; ValueError when more came than announced, with nothing kept of
        this content.
        """
        ...

    def finish(self, repository: str, upload: str, digest: str) -> BlobFacts:
        """Make the upload a blob of its repository. Raises NotFound, UploadBusy, DigestMismatch."""
        ...

    def cancel(self, repository: str, upload: str) -> bool:
        """Forget an upload; False when there is none. Raises UploadBusy."""
        ...

    def idle(self, before: float) -> tuple[Upload, ...]:
        """Return the uploads that got nothing since `before` (epoch seconds), in any order."""
        ...


class Manifests(Protocol):
    """Manifests and tags of repositories."""

    def put(
        self,
        repository: str,
        manifest: Manifest,
        body: bytes,
        tags: Sequence[str],
        fixed: Sequence[str] = (),
    ) -> ManifestFacts:
        """Keep a manifest, byte by byte as it came, and let `tags` point to it.

        Tags that match one of the patterns `fixed` may be new, not changed. Raises
        MissingContent and TagFixed; nothing is kept then.
        """
        ...

    def find(self, repository: str, reference: str) -> ManifestFacts | None:
        """Return the manifest that a tag points to or that has a digest, or None."""
        ...

    def body(self, repository: str, digest: str) -> bytes:
        """Return a manifest's bytes. Raises NotFound."""
        ...

    def remove(self, repository: str, digest: str, fixed: Sequence[str] = ()) -> bool:
        """Remove a manifest, its tags, and the untagged manifests whose subject it was.

        False when there is none. Raises TagFixed for a tag that matches a pattern of `fixed`.
        """
        ...

    def remove_tag(self, repository: str, tag: str, fixed: Sequence[str] = ()) -> bool:
        """Remove a tag; False when there is none. Raises TagFixed when `fixed` matches it."""
        ...

    def tags(
        self, repository: str, after: str = "", most: int | None = None
    ) -> tuple[Tag, ...] | None:
        """Return a repository's tags, sorted by name; None when there is no such repository.

        Only those after the name `after` ('': from the first), and no more than `most`.
        """
        ...

    def referrers(self, repository: str, digest: str) -> tuple[Descriptor, ...]:
        """Return the manifests whose subject is `digest`, sorted by digest."""
        ...

    def repositories(self, after: str = "", most: int | None = None) -> tuple[str, ...]:
        """Return the names of the repositories that hold something, sorted.

        Only those after the name `after` ('': from the first), and no more than `most`.
        """
        ...


class Evidence(Protocol):
    """Where images came from. Records outlive their images."""

    def record(self, built: Built) -> None:
        """Keep a record."""
        ...

    def records(self, digest: str = "") -> tuple[Built, ...]:
        """Return the records of a digest ('': of all), newest first."""
        ...


class ImageStore(Protocol):
    """All of it."""

    @property
    def blobs(self) -> Blobs:
        """Return the blobs."""
        ...

    @property
    def uploads(self) -> Uploads:
        """Return the uploads."""
        ...

    @property
    def manifests(self) -> Manifests:
        """Return the manifests and tags."""
        ...

    @property
    def evidence(self) -> Evidence:
        """Return the records."""
        ...

    def holdings(self) -> tuple[Holdings, ...]:
        """Return what every repository holds, as the collection sees it."""
        ...

    def collect(self, rules: Rules) -> Collected:
        """Take away what nothing needs; safe beside pushes of this and other processes."""
        ...

    def collected(self) -> float:
        """Return when garbage was last collected, as its rules said, 0 for never."""
        ...
