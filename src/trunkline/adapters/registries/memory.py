"""The image store in memory: the fake. One lock guards everything."""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from typing import BinaryIO

import msgspec

from trunkline.base.errors import NotFound
from trunkline.oci.built import Built
from trunkline.oci.collection import (
    HeldBlob,
    HeldManifest,
    HeldTag,
    Holdings,
    Rules,
    garbage,
    orphans,
)
from trunkline.oci.descriptors import Descriptor
from trunkline.oci.digests import algorithm_of, digest_of, is_digest
from trunkline.oci.manifests import Manifest
from trunkline.oci.retention import matches
from trunkline.ports.clock import Clock, Ids
from trunkline.ports.image_store import (
    BlobFacts,
    BlobNamed,
    BrokenOff,
    Collected,
    DigestMismatch,
    ManifestFacts,
    MissingContent,
    Stream,
    Tag,
    TagFixed,
    Upload,
    UploadBusy,
    UploadOutOfOrder,
)

PIECE = 1 << 16


class _Kept(msgspec.Struct):
    """A manifest of a repository."""

    manifest: Manifest
    body: bytes
    created: float
    used: float


class _Repository(msgspec.Struct):
    """What a repository holds."""

    blobs: dict[str, float] = {}
    manifests: dict[str, _Kept] = {}
    tags: dict[str, HeldTag] = {}


class _Receiving(msgspec.Struct):
    """An upload that is under way."""

    repository: str
    started: float
    changed: float
    content: bytes = b""
    busy: bool = False


class _State:
    """What all parts of the store share."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.ids = ids
        self.contents: dict[str, bytes] = {}
        self.repositories: dict[str, _Repository] = {}
        self.uploads: dict[str, _Receiving] = {}
        self.built: list[Built] = []
        self.collected = 0.0

    def at(self, repository: str) -> _Repository:
        """Return a repository, made when it is not there."""
        return self.repositories.setdefault(repository, _Repository())

    def receiving(self, repository: str, upload: str) -> _Receiving:
        """Return an upload. Raises NotFound."""
        found = self.uploads.get(upload)
        if found is None or found.repository != repository:
            raise NotFound(f"There is no upload {upload}.")
        return found


class MemoryImageStore:
    """See the port `ImageStore`."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._state = _State(clock, ids)
        self.blobs = MemoryImageBlobs(self._state)
        self.uploads = MemoryUploads(self._state)
        self.manifests = MemoryManifests(self._state)
        self.evidence = MemoryEvidence(self._state)

    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def holdings(self) -> tuple[Holdings, ...]:
        """Return what every repository holds."""
        state = self._state
        with state.lock:
            return tuple(
                self._held(name)
                for name in sorted(state.repositories)
                if state.at(name).blobs or state.at(name).manifests
            )

    def collect(self, rules: Rules) -> Collected:
        """Take away what nothing needs."""
        state = self._state
        with state.lock:
            idle = self.uploads.idle(rules.now - rules.uploads)
            old = [one.id for one in idle if not state.uploads[one.id].busy]
            for upload in old:
                del state.uploads[upload]
            found = [garbage(held, rules) for held in self.holdings()]
            for gone in found:
                repository = state.at(gone.repository)
                for tag in gone.tags:
                    del repository.tags[tag]
                for digest in gone.manifests:
                    del repository.manifests[digest]
                for digest in gone.blobs:
                    del repository.blobs[digest]
            needed = {digest for one in state.repositories.values() for digest in one.blobs}
            lost = state.contents.keys() - needed
            size = sum(len(state.contents.pop(digest)) for digest in lost)
            state.collected = rules.now
        return Collected(
            tags=sum(len(gone.tags) for gone in found),
            manifests=sum(len(gone.manifests) for gone in found),
            blobs=len(lost),
            uploads=len(old),
            size=size,
        )

    def collected(self) -> float:
        """Return when garbage was last collected."""
        return self._state.collected

    def _held(self, name: str) -> Holdings:
        state, repository = self._state, self._state.at(name)
        received = (one.changed for one in state.uploads.values() if one.repository == name)
        return Holdings(
            repository=name,
            tags=dict(repository.tags),
            manifests={digest: _held(kept) for digest, kept in repository.manifests.items()},
            blobs={
                digest: HeldBlob(len(state.contents[digest]), used)
                for digest, used in repository.blobs.items()
            },
            received=max(received, default=0.0),
        )


class MemoryImageBlobs:
    """See the port `Blobs`."""

    def __init__(self, state: _State) -> None:
        self._state = state

    def find(self, repository: str, digest: str) -> BlobFacts | None:
        """Return a blob of a repository, or None."""
        with self._state.lock:
            blobs = self._state.at(repository).blobs
            if digest not in blobs:
                return None
            blobs[digest] = self._state.clock.now()
            return BlobFacts(digest, len(self._state.contents[digest]))

    def open(self, repository: str, digest: str) -> BinaryIO:
        """Open a blob of a repository. Raises NotFound."""
        if self.find(repository, digest) is None:
            raise NotFound(f"{repository} has no blob {digest}.")
        return io.BytesIO(self._state.contents[digest])

    def holders(self, digest: str) -> tuple[str, ...]:
        """Return the repositories that have a blob, sorted."""
        with self._state.lock:
            found = self._state.repositories.items()
            return tuple(sorted(name for name, one in found if digest in one.blobs))

    def mount(self, source: str, digest: str, target: str) -> bool:
        """Give `target` a blob of `source`; False when `source` has none."""
        with self._state.lock:
            if digest not in self._state.at(source).blobs:
                return False
            self._state.at(target).blobs[digest] = self._state.clock.now()
            return True

    def remove(self, repository: str, digest: str) -> bool:
        """Take a blob from a repository. Raises BlobNamed."""
        with self._state.lock:
            held = self._state.at(repository)
            for name, kept in held.manifests.items():
                named = kept.manifest.blobs + kept.manifest.children
                if digest in named and digest in held.blobs:
                    raise BlobNamed(name)
            return held.blobs.pop(digest, None) is not None


class MemoryUploads:
    """See the port `Uploads`."""

    def __init__(self, state: _State) -> None:
        self._state = state

    def start(self, repository: str, _algorithm: str) -> Upload:
        """Begin an upload."""
        with self._state.lock:
            upload, now = self._state.ids.token(), self._state.clock.now()
            self._state.uploads[upload] = _Receiving(repository, now, now)
            return Upload(upload, repository, 0, now, now)

    def find(self, repository: str, upload: str) -> Upload | None:
        """Return an upload of a repository, or None."""
        with self._state.lock:
            try:
                found = self._state.receiving(repository, upload)
            except NotFound:
                return None
            size = len(found.content)
            return Upload(upload, repository, size, found.started, found.changed)

    def append(
        self, repository: str, upload: str, content: Stream, first: int | None, length: int | None
    ) -> Upload:
        """Take content."""
        with self._state.lock:
            found = self._state.receiving(repository, upload)
            before = found.content
            if found.busy:
                raise UploadBusy(upload)
            if first is not None and first != len(before):
                raise UploadOutOfOrder(len(before))
            found.busy = True
        try:
            while data := content.read(PIECE):
                found.content += data
        finally:
            found.changed = self._state.clock.now()
            found.busy = False
        come = len(found.content) - len(before)
        if length is not None and come > length:
            found.content = before
            raise ValueError(f"{come} bytes came, {length} were announced")
        if length is not None and come < length:
            raise BrokenOff(f"{come} of {length} bytes came")
        return Upload(upload, repository, len(found.content), found.started, found.changed)

    def finish(self, repository: str, upload: str, digest: str) -> BlobFacts:
        """Make the upload a blob of its repository."""
        state = self._state
        with state.lock:
            found = state.receiving(repository, upload)
            if found.busy:
                raise UploadBusy(upload)
            del state.uploads[upload]
            actual = digest_of(found.content, algorithm_of(digest))
            if actual != digest:
                raise DigestMismatch(actual)
            state.contents[digest] = found.content
            state.at(repository).blobs[digest] = state.clock.now()
            return BlobFacts(digest, len(found.content))

    def cancel(self, repository: str, upload: str) -> bool:
        """Forget an upload; False when there is none."""
        with self._state.lock:
            found = self.find(repository, upload)
            if found is not None and self._state.uploads[upload].busy:
                raise UploadBusy(upload)
            return found is not None and self._state.uploads.pop(upload, None) is not None

    def idle(self, before: float) -> tuple[Upload, ...]:
        """Return the uploads that got nothing since `before`."""
        with self._state.lock:
            found = (self.find(one.repository, key) for key, one in self._state.uploads.items())
            return tuple(one for one in found if one is not None and one.changed < before)


class MemoryManifests:
    """See the port `Manifests`."""

    def __init__(self, state: _State) -> None:
        self._state = state

    def put(
        self,
        repository: str,
        manifest: Manifest,
        body: bytes,
        tags: Sequence[str],
        fixed: Sequence[str] = (),
    ) -> ManifestFacts:
        """Keep a manifest and let `tags` point to it."""
        with self._state.lock:
            held, now = self._state.at(repository), self._state.clock.now()
            for tag in tags:
                _check_tag(held, tag, manifest.digest, fixed)
            missing = [one for one in manifest.blobs if one not in held.blobs]
            known = held.blobs.keys() | held.manifests.keys()
            missing += [one for one in manifest.children if one not in known]
            if missing:
                raise MissingContent(tuple(dict.fromkeys(missing)))
            before = held.manifests.get(manifest.digest)
            kept = _Kept(manifest, body, before.created if before else now, now)
            held.manifests[manifest.digest] = kept
            held.tags |= {tag: HeldTag(manifest.digest, now) for tag in tags}
            return _facts(kept)

    def find(self, repository: str, reference: str) -> ManifestFacts | None:
        """Return the manifest of a tag or digest, or None."""
        with self._state.lock:
            held = self._state.at(repository)
            tag = None if is_digest(reference) else held.tags.get(reference)
            kept = held.manifests.get(tag.digest if tag else reference)
            if kept is None:
                return None
            kept.used = self._state.clock.now()
            return _facts(kept)

    def body(self, repository: str, digest: str) -> bytes:
        """Return a manifest's bytes. Raises NotFound."""
        with self._state.lock:
            kept = self._state.at(repository).manifests.get(digest)
            if kept is None:
                raise NotFound(f"{repository} has no manifest {digest}.")
            return kept.body

    def remove(self, repository: str, digest: str, fixed: Sequence[str] = ()) -> bool:
        """Remove a manifest, its tags, and the untagged manifests whose subject it was."""
        with self._state.lock:
            held = self._state.at(repository)
            if digest not in held.manifests:
                return False
            pointing = sorted(name for name, tag in held.tags.items() if tag.digest == digest)
            for tag in pointing:
                _check_tag(held, tag, "", fixed)
            subjects = {key: kept.manifest.subject for key, kept in held.manifests.items()}
            tagged = {tag.digest for tag in held.tags.values()}
            for gone in {digest} | orphans(subjects, tagged, digest):
                del held.manifests[gone]
            for tag in pointing:
                del held.tags[tag]
            return True

    def remove_tag(self, repository: str, tag: str, fixed: Sequence[str] = ()) -> bool:
        """Remove a tag; False when there is none."""
        with self._state.lock:
            held = self._state.at(repository)
            _check_tag(held, tag, "", fixed)
            return held.tags.pop(tag, None) is not None

    def tags(
        self, repository: str, after: str = "", most: int | None = None
    ) -> tuple[Tag, ...] | None:
        """Return a repository's tags, sorted; None when there is no such repository."""
        with self._state.lock:
            if repository not in self.repositories():
                return None
            held = self._state.at(repository).tags
            names = sorted(name for name in held if name > after)[:most]
            return tuple(Tag(name, held[name].digest, held[name].updated) for name in names)

    def referrers(self, repository: str, digest: str) -> tuple[Descriptor, ...]:
        """Return the manifests whose subject is `digest`, sorted by digest."""
        with self._state.lock:
            held = self._state.at(repository).manifests
            found = (held[one].manifest for one in sorted(held))
            return tuple(one.descriptor for one in found if one.subject == digest)

    def repositories(self, after: str = "", most: int | None = None) -> tuple[str, ...]:
        """Return the names of the repositories that hold something, sorted."""
        with self._state.lock:
            found = self._state.repositories.items()
            names = (name for name, one in found if one.blobs or one.manifests)
            return tuple(sorted(name for name in names if name > after)[:most])


class MemoryEvidence:
    """See the port `Evidence`."""

    def __init__(self, state: _State) -> None:
        self._state = state

    def record(self, built: Built) -> None:
        """Keep a record."""
        with self._state.lock:
            self._state.built.append(built)

    def records(self, digest: str = "") -> tuple[Built, ...]:
        """Return the records of a digest ('': of all), newest first."""
        with self._state.lock:
            found = [one for one in reversed(self._state.built) if digest in ("", one.digest)]
            return tuple(sorted(found, key=lambda one: one.created, reverse=True))


def _facts(kept: _Kept) -> ManifestFacts:
    manifest = kept.manifest
    return ManifestFacts(manifest.digest, manifest.media_type, manifest.size, kept.created)


def _check_tag(held: _Repository, tag: str, digest: str, fixed: Sequence[str]) -> None:
    found = held.tags.get(tag)
    if found is not None and found.digest != digest and matches(tag, fixed):
        raise TagFixed(tag, found.digest)


def _held(kept: _Kept) -> HeldManifest:
    manifest = kept.manifest
    return HeldManifest(
        size=manifest.size,
        created=kept.created,
        used=kept.used,
        media_type=manifest.media_type,
        config=manifest.config.digest if manifest.config else "",
        blobs=manifest.blobs,
        children=manifest.children,
        subject=manifest.subject,
    )
