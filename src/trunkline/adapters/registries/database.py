"""The registry's index: what repositories hold, in one SQLite file that processes share.

A write transaction is the lock that pushes and the collection share: content comes into the blob
store and leaves it only inside of one.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from trunkline.adapters.trees import make_private
from trunkline.base.errors import Corrupt, TrunklineError, Unavailable
from trunkline.ports.image_store import NoSpace

VERSION = 1
# How long to wait for another process that writes (seconds).
PATIENCE = 60

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

SCHEMA = """
CREATE TABLE contents (digest TEXT PRIMARY KEY, size INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE blobs (
  repository TEXT NOT NULL, digest TEXT NOT NULL, used REAL NOT NULL,
  PRIMARY KEY (repository, digest)) WITHOUT ROWID;
CREATE INDEX blobs_by_digest ON blobs (digest);
CREATE TABLE bodies (digest TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE manifests (
  repository TEXT NOT NULL, digest TEXT NOT NULL, media_type TEXT NOT NULL,
  size INTEGER NOT NULL, created REAL NOT NULL, used REAL NOT NULL, config TEXT NOT NULL,
  subject TEXT NOT NULL, descriptor TEXT NOT NULL,
  PRIMARY KEY (repository, digest)) WITHOUT ROWID;
CREATE INDEX manifests_by_subject ON manifests (repository, subject);
CREATE INDEX manifests_by_digest ON manifests (digest);
CREATE TABLE named (
  repository TEXT NOT NULL, digest TEXT NOT NULL, manifest TEXT NOT NULL, child INTEGER NOT NULL,
  PRIMARY KEY (repository, digest, manifest)) WITHOUT ROWID;
CREATE INDEX named_by_manifest ON named (repository, manifest);
CREATE TABLE tags (
  repository TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, updated REAL NOT NULL,
  PRIMARY KEY (repository, name)) WITHOUT ROWID;
CREATE INDEX tags_by_digest ON tags (repository, digest);
CREATE TABLE uploads (
  id TEXT PRIMARY KEY, repository TEXT NOT NULL, started REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE built (
  number INTEGER PRIMARY KEY, digest TEXT NOT NULL, created REAL NOT NULL, record TEXT NOT NULL);
CREATE INDEX built_by_digest ON built (digest);
"""


class Database:
    """One connection to the index, used by one thread at a time."""

    def __init__(self, folder: str) -> None:
        """Open `<folder>/index.db`; make it when it is not there. Raises Unavailable, Corrupt."""
        self._path = os.path.join(folder, "index.db")
        self._lock = threading.Lock()
        with world_errors(self._path):
            make_private(folder)
            self._connection = sqlite3.connect(
                self._path, timeout=PATIENCE, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()

    def rows(self, question: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return the rows that answer one question."""
        with self._lock, world_errors(self._path):
            return self._connection.execute(question, values).fetchall()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read several things as they were at one moment."""
        with self._lock, world_errors(self._path):
            self._connection.execute("BEGIN")
            try:
                yield self._connection
            finally:
                self._connection.execute("ROLLBACK")

    @contextmanager
    def writing(self, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """Change things together, alone among all processes; `durable` outlives a power cut.

        What is not durable becomes so with the next durable change.
        """
        with self._lock, world_errors(self._path):
            self._connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _prepare(self) -> None:
        self._connection.execute("PRAGMA journal_mode=WAL")
        if self._version() == 0:
            self._connection.execute("BEGIN IMMEDIATE")
            if self._version() == 0:  # another process may have been faster
                for statement in SCHEMA.split(";\n"):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version={VERSION}")
            self._connection.execute("COMMIT")
        if self._version() != VERSION:
            raise Corrupt(
                f"The registry's index is of version {self._version()}: '{self._path}'",
                hint=f"This Trunkline reads version {VERSION}; use the one that wrote it.",
            )

    def _version(self) -> int:
        found: int = self._connection.execute("PRAGMA user_version").fetchone()[0]
        return found


@contextmanager
def world_errors(path: str) -> Iterator[None]:
    """Turn what the disk and SQLite refuse into errors of ours."""
    try:
        yield
    except OSError as error:
        raise refused(error, path) from error
    except sqlite3.DatabaseError as error:
        raise _broken(error, path) from error


def refused(error: OSError, path: str) -> Unavailable:
    """Return the error for what the disk refuses; a full one is NoSpace."""
    kind = NoSpace if error.errno in FULL else Unavailable
    where = error.filename or path
    return kind(f"The registry's store can't be used: {error.strerror or error}: '{where}'")


def _broken(error: sqlite3.DatabaseError, path: str) -> TrunklineError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return NoSpace(f"The registry's store can't be used: No space left on device: '{path}'")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return Corrupt(
            f"The registry's index can't be read: {error}: '{path}'",
            hint="Move its folder away to begin with an empty registry.",
        )
    return Unavailable(f"The registry's index can't be used: {error}: '{path}'")
