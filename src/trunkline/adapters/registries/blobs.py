"""The blobs of repositories: rows that lead to content which all repositories share."""

from __future__ import annotations

from typing import BinaryIO

from trunkline.adapters.registries.database import Database
from trunkline.base.errors import NotFound
from trunkline.oci.collection import LEASE_SECONDS
from trunkline.ports.blobs import BlobStore
from trunkline.ports.clock import Clock
from trunkline.ports.image_store import BlobFacts, BlobNamed

# A lease is renewed when half of it is over: most requests only read.
RENEWAL = LEASE_SECONDS / 2

FIND = (
    "SELECT size, used FROM blobs JOIN contents USING (digest) WHERE repository = ? AND digest = ?"
)


class FileImageBlobs:
    """See the port `Blobs`."""

    def __init__(self, database: Database, contents: BlobStore, clock: Clock) -> None:
        self._database = database
        self._contents = contents
        self._clock = clock

    def find(self, repository: str, digest: str) -> BlobFacts | None:
        """Return a blob of a repository, or None; its lease is renewed."""
        rows = self._database.rows(FIND, (repository, digest))
        if not rows or not self._contents.has(digest):
            return None
        size, used = rows[0]
        now = self._clock.now()
        if now - used > RENEWAL:
            with self._database.writing() as writing:
                renewed = writing.execute(
                    "UPDATE blobs SET used = ? WHERE repository = ? AND digest = ?",
                    (now, repository, digest),
                )
                if renewed.rowcount == 0:  # collected meanwhile
                    return None
        return BlobFacts(digest, size)

    def open(self, repository: str, digest: str) -> BinaryIO:
        """Open a blob of a repository. Raises NotFound."""
        if not self._database.rows(FIND, (repository, digest)):
            raise NotFound(f"{repository} has no blob {digest}.")
        return self._contents.open(digest)

    def holders(self, digest: str) -> tuple[str, ...]:
        """Return the repositories that have a blob, sorted."""
        rows = self._database.rows(
            "SELECT repository FROM blobs WHERE digest = ? ORDER BY repository", (digest,)
        )
        return tuple(name for (name,) in rows)

    def mount(self, source: str, digest: str, target: str) -> bool:
        """Give `target` a blob of `source`; False when `source` has none."""
        with self._database.writing() as writing:
            found = writing.execute(FIND, (source, digest)).fetchone()
            if found is None or not self._contents.has(digest):
                return False
            writing.execute(
                "INSERT OR REPLACE INTO blobs VALUES (?, ?, ?)", (target, digest, self._clock.now())
            )
        return True

    def remove(self, repository: str, digest: str) -> bool:
        """Take a blob from a repository; its content goes with the next collection."""
        with self._database.writing() as writing:
            named = writing.execute(
                "SELECT manifest FROM named WHERE repository = ? AND digest = ?",
                (repository, digest),
            ).fetchone()
            found = writing.execute(FIND, (repository, digest)).fetchone()
            if found and named:
                raise BlobNamed(named[0])
            writing.execute(
                "DELETE FROM blobs WHERE repository = ? AND digest = ?", (repository, digest)
            )
        return found is not None
