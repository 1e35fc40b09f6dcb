"""Manifests and tags of repositories, in the index: a push is one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec

from trunkline.adapters.registries.blobs import FIND, RENEWAL
from trunkline.adapters.registries.database import Database
from trunkline.base.errors import NotFound
from trunkline.oci.collection import orphans
from trunkline.oci.descriptors import Descriptor
from trunkline.oci.digests import is_digest
from trunkline.oci.manifests import Manifest
from trunkline.oci.retention import matches
from trunkline.ports.blobs import BlobStore
from trunkline.ports.clock import Clock
from trunkline.ports.image_store import ManifestFacts, MissingContent, Tag, TagFixed

HAS = "SELECT 1 FROM manifests WHERE repository = ? AND digest = ?"
FACTS = (
    "SELECT digest, media_type, size, created, used FROM manifests"
    " WHERE repository = ? AND digest = ?"
)
BY_TAG = (
    "SELECT digest, media_type, size, created, used FROM tags"
    " JOIN manifests USING (repository, digest) WHERE repository = ? AND name = ?"
)
REPOSITORIES = (
    "SELECT repository FROM manifests WHERE repository > ?"
    " UNION SELECT repository FROM blobs WHERE repository > ? ORDER BY 1 LIMIT ?"
)
ALL = -1  # as a LIMIT
KEEP = (
    "INSERT INTO manifests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET used = excluded.used, media_type = excluded.media_type,"
    " descriptor = excluded.descriptor"
)


class FileManifests:
    """See the port `Manifests`."""

    def __init__(self, database: Database, contents: BlobStore, clock: Clock) -> None:
        self._database = database
        self._contents = contents
        self._clock = clock

    def put(
        self,
        repository: str,
        manifest: Manifest,
        body: bytes,
        tags: Sequence[str],
        fixed: Sequence[str] = (),
    ) -> ManifestFacts:
        """Keep a manifest and let `tags` point to it."""
        now = self._clock.now()
        with self._database.writing(durable=True) as writing:
            for tag in tags:
                _check_tag(writing, repository, tag, manifest.digest, fixed)
            missing = self._missing(writing, repository, manifest)
            if missing:
                raise MissingContent(missing)
            _keep(writing, repository, manifest, body, now)
            writing.executemany(
                "INSERT OR REPLACE INTO tags VALUES (?, ?, ?, ?)",
                [(repository, tag, manifest.digest, now) for tag in tags],
            )
            found = writing.execute(FACTS, (repository, manifest.digest)).fetchone()
        return ManifestFacts(*found[:4])

    def find(self, repository: str, reference: str) -> ManifestFacts | None:
        """Return the manifest of a tag or digest, or None; its lease is renewed."""
        question = FACTS if is_digest(reference) else BY_TAG
        rows = self._database.rows(question, (repository, reference))
        if not rows:
            return None
        digest, *_, used = rows[0]
        now = self._clock.now()
        if now - used > RENEWAL:
            with self._database.writing() as writing:
                writing.execute(
                    "UPDATE manifests SET used = ? WHERE repository = ? AND digest = ?",
                    (now, repository, digest),
                )
        return ManifestFacts(*rows[0][:4])

    def body(self, repository: str, digest: str) -> bytes:
        """Return a manifest's bytes. Raises NotFound."""
        rows = self._database.rows(
            "SELECT body FROM bodies JOIN manifests USING (digest)"
            " WHERE repository = ? AND digest = ?",
            (repository, digest),
        )
        if not rows:
            raise NotFound(f"{repository} has no manifest {digest}.")
        found: bytes = rows[0][0]
        return found

    def remove(self, repository: str, digest: str, fixed: Sequence[str] = ()) -> bool:
        """Remove a manifest, its tags, and the untagged manifests whose subject it was."""
        with self._database.writing(durable=True) as writing:
            if writing.execute(HAS, (repository, digest)).fetchone() is None:
                return False
            tagged = dict(
                writing.execute("SELECT name, digest FROM tags WHERE repository = ?", (repository,))
            )
            for tag in sorted(name for name, named in tagged.items() if named == digest):
                if matches(tag, fixed):
                    raise TagFixed(tag, digest)
            subjects = dict(
                writing.execute(
                    "SELECT digest, subject FROM manifests WHERE repository = ? AND subject != ''",
                    (repository,),
                )
            )
            gone = {digest} | orphans(subjects, set(tagged.values()), digest)
            remove_manifests(writing, repository, sorted(gone))
        return True

    def remove_tag(self, repository: str, tag: str, fixed: Sequence[str] = ()) -> bool:
        """Remove a tag; False when there is none."""
        with self._database.writing(durable=True) as writing:
            _check_tag(writing, repository, tag, "", fixed)
            removed = writing.execute(
                "DELETE FROM tags WHERE repository = ? AND name = ?", (repository, tag)
            )
            return removed.rowcount > 0

    def tags(
        self, repository: str, after: str = "", most: int | None = None
    ) -> tuple[Tag, ...] | None:
        """Return a repository's tags, sorted; None when there is no such repository."""
        with self._database.reading() as reading:
            rows = reading.execute(
                "SELECT name, digest, updated FROM tags WHERE repository = ? AND name > ?"
                " ORDER BY name LIMIT ?",
                (repository, after, ALL if most is None else most),
            ).fetchall()
            if not rows and not _is_known(reading, repository):
                return None
        return tuple(Tag(*row) for row in rows)

    def referrers(self, repository: str, digest: str) -> tuple[Descriptor, ...]:
        """Return the manifests whose subject is `digest`, sorted by digest."""
        rows = self._database.rows(
            "SELECT descriptor FROM manifests WHERE repository = ? AND subject = ? ORDER BY digest",
            (repository, digest),
        )
        return tuple(msgspec.json.decode(row[0], type=Descriptor) for row in rows)

    def repositories(self, after: str = "", most: int | None = None) -> tuple[str, ...]:
        """Return the names of the repositories that hold something, sorted."""
        rows = self._database.rows(REPOSITORIES, (after, after, ALL if most is None else most))
        return tuple(name for (name,) in rows)

    def _missing(
        self, writing: sqlite3.Connection, repository: str, manifest: Manifest
    ) -> tuple[str, ...]:
        """Return what the manifest names and its repository lacks."""

        def has_blob(digest: str) -> bool:
            found = writing.execute(FIND, (repository, digest)).fetchone()
            return found is not None and self._contents.has(digest)

        def has_child(digest: str) -> bool:
            found = writing.execute(HAS, (repository, digest)).fetchone()
            return found is not None or has_blob(digest)

        blobs = [digest for digest in manifest.blobs if not has_blob(digest)]
        children = [digest for digest in manifest.children if not has_child(digest)]
        return tuple(dict.fromkeys(blobs + children))


def remove_manifests(writing: sqlite3.Connection, repository: str, digests: Sequence[str]) -> None:
    """Remove manifests of a repository, the tags that point to them, and what nobody needs."""
    for digest in digests:
        place = (repository, digest)
        writing.execute("DELETE FROM tags WHERE repository = ? AND digest = ?", place)
        writing.execute("DELETE FROM manifests WHERE repository = ? AND digest = ?", place)
        writing.execute("DELETE FROM named WHERE repository = ? AND manifest = ?", place)
        writing.execute(
            "DELETE FROM bodies WHERE digest = ?"
            " AND NOT EXISTS (SELECT 1 FROM manifests WHERE manifests.digest = bodies.digest)",
            (digest,),
        )


def _keep(
    writing: sqlite3.Connection, repository: str, manifest: Manifest, body: bytes, now: float
) -> None:
    writing.execute("INSERT OR IGNORE INTO bodies VALUES (?, ?)", (manifest.digest, body))
    writing.execute(
        KEEP,
        (
            repository,
            manifest.digest,
            manifest.media_type,
            manifest.size,
            now,
            now,
            manifest.config.digest if manifest.config else "",
            manifest.subject,
            msgspec.json.encode(manifest.descriptor).decode(),
        ),
    )
    named = [(repository, digest, manifest.digest, 0) for digest in manifest.blobs]
    named += [(repository, digest, manifest.digest, 1) for digest in manifest.children]
    writing.executemany("INSERT OR REPLACE INTO named VALUES (?, ?, ?, ?)", named)


def _check_tag(
    reading: sqlite3.Connection, repository: str, tag: str, digest: str, fixed: Sequence[str]
) -> None:
    """Raise TagFixed when a fixed tag would no longer point to what it does."""
    if not matches(tag, fixed):
        return
    found = reading.execute(
        "SELECT digest FROM tags WHERE repository = ? AND name = ?", (repository, tag)
    ).fetchone()
    if found is not None and found[0] != digest:
        raise TagFixed(tag, found[0])


def _is_known(reading: sqlite3.Connection, repository: str) -> bool:
    found = reading.execute(
        "SELECT EXISTS (SELECT 1 FROM manifests WHERE repository = ?)"
        " OR EXISTS (SELECT 1 FROM blobs WHERE repository = ?)",
        (repository, repository),
    ).fetchone()
    return bool(found[0])
