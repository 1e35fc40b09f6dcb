"""Records of builds, in the index."""

from __future__ import annotations

import msgspec

from trunkline.adapters.registries.database import Database
from trunkline.oci.built import Built


class FileEvidence:
    """See the port `Evidence`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, built: Built) -> None:
        """Keep a record."""
        with self._database.writing(durable=True) as writing:
            writing.execute(
                "INSERT INTO built (digest, created, record) VALUES (?, ?, ?)",
                (built.digest, built.created, msgspec.json.encode(built).decode()),
            )

    def records(self, digest: str = "") -> tuple[Built, ...]:
        """Return the records of a digest ('': of all), newest first."""
        rows = self._database.rows(
            "SELECT record FROM built WHERE ? IN ('', digest) ORDER BY created DESC, number DESC",
            (digest,),
        )
        return tuple(msgspec.json.decode(row[0], type=Built) for row in rows)
