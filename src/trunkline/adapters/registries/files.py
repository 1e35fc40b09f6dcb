"""The image store on this machine's disk.

`<root>/index.db` says what repositories hold, `<root>/blobs/` has the content, each once,
`<root>/uploads/` what is being received; `<root>/collected` is as old as the last collection. The
blobs belong to this store alone.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence

from trunkline.adapters.registries.blobs import FileImageBlobs
from trunkline.adapters.registries.database import Database, world_errors
from trunkline.adapters.registries.evidence import FileEvidence
from trunkline.adapters.registries.manifests import FileManifests, remove_manifests
from trunkline.adapters.registries.uploads import FileUploads
from trunkline.oci.collection import (
    Garbage,
    HeldBlob,
    HeldManifest,
    HeldTag,
    Holdings,
    Rules,
    garbage,
)
from trunkline.ports.blobs import BlobStore
from trunkline.ports.clock import Clock, Ids
from trunkline.ports.image_store import Collected

# How many files are removed in one transaction: pushes wait for it.
BATCH = 16


class FileImageStore:
    """See the port `ImageStore`. Several may use one root, in one process or in several."""

    def __init__(self, root: str, contents: BlobStore, clock: Clock, ids: Ids) -> None:
        """Keep everything below `root`; `contents` holds the blobs of this store alone."""
        self._mark = os.path.join(root, "collected")
        self._database = Database(root)
        self._contents = contents
        self.blobs = FileImageBlobs(self._database, contents, clock)
        self.uploads = FileUploads(root, self._database, contents, clock, ids)
        self.manifests = FileManifests(self._database, contents, clock)
        self.evidence = FileEvidence(self._database)

    def close(self) -> None:
        """Close the index; nothing works after it."""
        self._database.close()

    def holdings(self) -> tuple[Holdings, ...]:
        """Return what every repository holds."""
        received = self._received()
        with self._database.reading() as reading:
            return _holdings(reading, received)

    def collect(self, rules: Rules) -> Collected:
        """Take away what nothing needs."""
        uploads = self.uploads.sweep(rules.now - rules.uploads)
        received = self._received()
        with self._database.writing(durable=True) as writing:
            found = [garbage(held, rules) for held in _holdings(writing, received)]
            for gone in found:
                _remove(writing, gone)
            writing.execute(
                "DELETE FROM contents WHERE NOT EXISTS"
                " (SELECT 1 FROM blobs WHERE blobs.digest = contents.digest)"
            )
        blobs, size = self._remove_unknown()
        with world_errors(self._mark):
            os.close(os.open(self._mark, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600))
            os.utime(self._mark, (rules.now, rules.now))
        return Collected(
            tags=sum(len(gone.tags) for gone in found),
            manifests=sum(len(gone.manifests) for gone in found),
            blobs=blobs,
            uploads=uploads,
            size=size,
        )

    def collected(self) -> float:
        """Return when garbage was last collected."""
        try:
            return os.stat(self._mark).st_mtime
        except FileNotFoundError:
            return 0.0

    def _received(self) -> dict[str, float]:
        """Return when each repository's last upload got data."""
        latest: dict[str, float] = {}
        for upload, repository in self._database.rows("SELECT id, repository FROM uploads"):
            found = self.uploads.find(repository, upload)
            if found is not None:
                latest[repository] = max(latest.get(repository, 0.0), found.changed)
        return latest

    def _remove_unknown(self) -> tuple[int, int]:
        """Remove content that no row knows; return how many blobs and bytes.

        Also what a process left that died between the two. A push that brings the content again
        meanwhile has written its row, in a transaction like those here.
        """
        known = {digest for (digest,) in self._database.rows("SELECT digest FROM contents")}
        waiting = [digest for digest in self._contents.digests() if digest not in known]
        blobs = size = 0
        for start in range(0, len(waiting), BATCH):
            with self._database.writing() as writing:
                for digest in waiting[start : start + BATCH]:
                    if _is_kept(writing, digest):
                        continue
                    length = self._contents.size(digest)
                    if self._contents.remove(digest):
                        blobs += 1
                        size += length
        return blobs, size


def _is_kept(reading: sqlite3.Connection, digest: str) -> bool:
    found = reading.execute("SELECT 1 FROM contents WHERE digest = ?", (digest,)).fetchone()
    return found is not None


def _remove(writing: sqlite3.Connection, gone: Garbage) -> None:
    """Remove a repository's garbage from the index."""
    _delete(writing, "DELETE FROM tags WHERE repository = ? AND name = ?", gone, gone.tags)
    remove_manifests(writing, gone.repository, gone.manifests)
    _delete(writing, "DELETE FROM blobs WHERE repository = ? AND digest = ?", gone, gone.blobs)


def _delete(writing: sqlite3.Connection, order: str, gone: Garbage, names: Sequence[str]) -> None:
    writing.executemany(order, [(gone.repository, name) for name in names])


def _holdings(reading: sqlite3.Connection, received: dict[str, float]) -> tuple[Holdings, ...]:
    """Return what every repository holds, sorted by name."""
    tags: dict[str, dict[str, HeldTag]] = {}
    for name, tag, digest, updated in reading.execute("SELECT * FROM tags"):
        tags.setdefault(name, {})[tag] = HeldTag(digest, updated)
    blobs: dict[str, dict[str, HeldBlob]] = {}
    for name, digest, size, used in reading.execute(
        "SELECT repository, digest, size, used FROM blobs JOIN contents USING (digest)"
    ):
        blobs.setdefault(name, {})[digest] = HeldBlob(size, used)
    manifests = _held_manifests(reading)
    return tuple(
        Holdings(
            repository=name,
            tags=tags.get(name, {}),
            manifests=manifests.get(name, {}),
            blobs=blobs.get(name, {}),
            received=received.get(name, 0.0),
        )
        for name in sorted(blobs.keys() | manifests.keys())
    )


def _held_manifests(reading: sqlite3.Connection) -> dict[str, dict[str, HeldManifest]]:
    named: dict[tuple[str, str, int], list[str]] = {}
    for name, digest, manifest, child in reading.execute("SELECT * FROM named"):
        named.setdefault((name, manifest, child), []).append(digest)
    found: dict[str, dict[str, HeldManifest]] = {}
    for name, digest, media_type, size, created, used, config, subject in reading.execute(
        "SELECT repository, digest, media_type, size, created, used, config, subject FROM manifests"
    ):
        found.setdefault(name, {})[digest] = HeldManifest(
            size=size,
            created=created,
            used=used,
            media_type=media_type,
            config=config,
            blobs=tuple(named.get((name, digest, 0), ())),
            children=tuple(named.get((name, digest, 1), ())),
            subject=subject,
        )
    return found
