"""Caches as jobs find, reserve and finish them (GitHub: dependency caching reference)."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import BinaryIO

import msgspec

from trunkline.base.errors import NotFound
from trunkline.ports.caches import CacheEntry, Caches
from trunkline.ports.clock import Clock, Ids
from trunkline.ports.image_store import BrokenOff, Stream
from trunkline.ports.job_services import ServicesJob
from trunkline.ports.uploads import Block, TooLarge, UnknownBlock, Uploads
from trunkline.run.cache_access import (
    READ_DENIED,
    WRITE_DENIED,
    may_read,
    may_write,
    why_not,
)
from trunkline.services.actions.refusals import Refused

LARGEST = 10 << 30
MOST_KEYS = 10
LONGEST_KEY = 512
LONGEST_VERSION = 512
# How long nothing may come for a reserved cache before somebody else may make it.
PATIENCE = 2 * 60 * 60
Name = tuple[str, str, str]


class WriteDenied(Refused):
    """The job may not save caches."""

    def __init__(self, mode: str) -> None:
        super().__init__("permission_denied", f"{WRITE_DENIED} {why_not(mode, 'writes')}")


class ReadDenied(Refused):
    """The job may not restore caches."""

    def __init__(self, mode: str) -> None:
        super().__init__("permission_denied", f"{READ_DENIED} {why_not(mode, 'reads')}")


class Reservation(msgspec.Struct):
    """A cache that a job makes: (scope, key, version), and the upload that takes its content.

    `id` is digits only. `size` is the most that may come. `chunks` holds the lengths of parts by
    where they begin (version 1 of the service alone). `touched` is in seconds since the epoch.
    """

    id: str
    name: Name
    owner: tuple[str, int]
    upload: str
    size: int
    touched: float
    chunks: dict[int, int] = {}


class JobCaches:
    """The caches of all jobs. Thread-safe. Methods raise Refused.

    A job finds what its own ref made, then what its base and default branches made; it makes caches
    for its own ref alone, so that nothing that came from outside is ever found by a branch.
    """

    def __init__(
        self, caches: Caches, uploads: Uploads, clock: Clock, ids: Ids, largest: int = LARGEST
    ) -> None:
        """Keep finished caches in `caches`, each of at most `largest` bytes."""
        self._caches = caches
        self._uploads = uploads
        self._clock = clock
        self._ids = ids
        self._largest = largest
        self._lock = threading.Lock()
        self._reserved: dict[Name, Reservation] = {}

    def find(
        self, job: ServicesJob, key: str, restore_keys: Sequence[str], version: str
    ) -> CacheEntry | None:
        """Return the cache that fits best, or None. Raises ReadDenied."""
        _check((key, *restore_keys), version)
        _check_reads(job)
        return self._caches.find(_scopes(job), key, restore_keys, version)

    def alike(self, job: ServicesJob, key: str) -> tuple[CacheEntry, ...]:
        """Return what the job may read whose keys begin with `key`, whatever the version.

        Raises ReadDenied.
        """
        _check_reads(job)
        scopes = _scopes(job)
        every = self._caches.entries(owner(job.repository))
        return tuple(e for e in every if e.scope in scopes and e.key.startswith(key))

    def open(self, job: ServicesJob, number: str) -> tuple[CacheEntry, BinaryIO]:
        """Open a cache that the job may read, by its id. Raises NotFound, ReadDenied."""
        _check_reads(job)
        scopes = _scopes(job)
        for entry in self._caches.entries(owner(job.repository)):
            if entry.id == number and entry.scope in scopes:
                return entry, self._caches.open(entry)
        raise NotFound(f"There is no cache {number}.")

    def reserve(
        self, job: ServicesJob, key: str, version: str, size: int | None = None
    ) -> Reservation:
        """Begin a cache; nobody else makes the same meanwhile. `size` is in bytes, if known."""
        _check((key,), version)
        if not may_write(job.cache_mode):
            raise WriteDenied(job.cache_mode)
        if size is not None and not 0 <= size <= self._largest:
            raise self._too_large(size)
        name = (_scopes(job)[0], key, version)
        if self._exists(name):
            raise _taken()
        with self._lock:
            self._make_way(name)
            made = Reservation(
                id=self._ids.run_id(),
                name=name,
                owner=_identity(job),
                upload=self._uploads.start(self._largest),  # chunks may come again
                size=self._largest if size is None else size,
                touched=self._clock.now(),
            )
            self._reserved[name] = made
        return made

    def put_chunk(
        self, job: ServicesJob, number: str, content: Stream, first: int, last: int
    ) -> None:
        """Take the bytes `first` to `last` of a reserved cache, in any order and beside others."""
        reservation = self._numbered(job, number)
        length = last - first + 1
        if first < 0 or length < 1 or last >= reservation.size:
            raise Refused("invalid_argument", f"no bytes {first}-{last} belong to this cache")
        with self._lock:
            reservation.chunks.pop(first, None)
        try:
            self._uploads.put_block(reservation.upload, _block(first), content, length, first)
        except BrokenOff as error:
            raise Refused("invalid_argument", str(error)) from error
        except TooLarge:
            raise Refused("resource_exhausted", "more came than the cache may hold") from None
        if content.read(1):
            raise Refused("invalid_argument", "the chunk is longer than it says")
        with self._lock:
            reservation.chunks[first] = length
            reservation.touched = self._clock.now()

    def finish_chunks(self, job: ServicesJob, number: str, size: int) -> CacheEntry:
        """Keep a cache whose chunks have come: together they are `size` bytes."""
        reservation = self._numbered(job, number)
        with self._lock:
            chunks = dict(reservation.chunks)
        _check_whole(chunks, size)
        blocks = [Block(_block(first)) for first in sorted(chunks)]
        try:
            self._uploads.commit(reservation.upload, blocks, "")
        except UnknownBlock:
            raise Refused("invalid_argument", "a chunk did not come whole") from None
        return self._finish(reservation, size)

    def finish(self, job: ServicesJob, key: str, version: str, size: int) -> CacheEntry:
        """Keep a cache that was uploaded whole, in `size` bytes."""
        _check((key,), version)
        with self._lock:
            found = self._reserved.get((_scopes(job)[0], key, version))
        if found is None or found.owner != _identity(job):
            raise Refused("not_found", "this job has not reserved such a cache")
        return self._finish(found, size)

    def end(self, job: ServicesJob) -> None:
        """Forget what the job reserved and did not finish."""
        with self._lock:
            mine = [each for each in self._reserved.values() if each.owner == _identity(job)]
            for each in mine:
                del self._reserved[each.name]
        for each in mine:
            self._uploads.discard(each.upload)

    def _finish(self, reservation: Reservation, size: int) -> CacheEntry:
        try:
            whole = self._uploads.find(reservation.upload)
            if whole is None:
                raise Refused("failed_precondition", "the cache has not been uploaded")
            if whole.size != size:
                told = f"{size} bytes were announced, {whole.size} were uploaded"
                raise Refused("invalid_argument", told)
            taken = self._uploads.take(reservation.upload)
        except NotFound:
            raise Refused("not_found", "the upload of this cache has been given up") from None
        try:
            entry = self._caches.adopt(*reservation.name, taken.path, reservation.id)
        finally:
            with self._lock:
                if self._reserved.get(reservation.name) is reservation:
                    del self._reserved[reservation.name]
        if entry is None:
            raise _taken()
        return entry

    def _numbered(self, job: ServicesJob, number: str) -> Reservation:
        with self._lock:
            for each in self._reserved.values():
                if each.id == number and each.owner == _identity(job):
                    return each
        raise Refused("not_found", "this job has not reserved such a cache")

    def _exists(self, name: Name) -> bool:
        scope, key, version = name
        found = self._caches.find((scope,), key, (), version)
        return found is not None and found.key == key

    def _make_way(self, name: Name) -> None:
        """Forget a reservation that nothing came of for long. Raises Refused for another."""
        found = self._reserved.get(name)
        if found is None:
            return
        if self._clock.now() - found.touched < PATIENCE:
            raise _taken()
        del self._reserved[name]
        self._uploads.discard(found.upload)

    def _too_large(self, size: int) -> Refused:
        told = f"~{size >> 20} MB ({size} B)"
        limit = f"{self._largest >> 20} MB"
        return Refused(
            "invalid_argument", f"Cache size of {told} is over the {limit} limit, not saving cache."
        )


def owner(repository: str) -> str:
    """Return how a repository (`owner/name`) is written in the scopes of caches."""
    return repository.lower()


def _scopes(job: ServicesJob) -> tuple[str, ...]:
    if not job.scopes:
        raise Refused("permission_denied", "cache read denied: the event is not tied to a ref")
    return tuple(f"{owner(job.repository)}@{ref}" for ref in job.scopes)


def _identity(job: ServicesJob) -> tuple[str, int]:
    return job.run_id, job.number


def _block(first: int) -> str:
    return f"{first:016d}"


def _taken() -> Refused:
    return Refused(
        "already_exists", "cache entry with the same key, version, and scope already exists"
    )


def _check_reads(job: ServicesJob) -> None:
    if not may_read(job.cache_mode):
        raise ReadDenied(job.cache_mode)


def _check(keys: Sequence[str], version: str) -> None:
    """Raise Refused for names that no cache has (@actions/cache `checkKey`)."""
    if len(keys) > MOST_KEYS + 1:  # BuildKit sends the key twice
        raise Refused("invalid_argument", "Keys are limited to a maximum of 10.")
    for key in keys:
        if len(key) > LONGEST_KEY:
            raise Refused("invalid_argument", "a key cannot be larger than 512 characters.")
        if "," in key:
            raise Refused("invalid_argument", "a key cannot contain commas.")
    if not keys[0]:
        raise Refused("invalid_argument", "key is required")
    if not 0 < len(version) <= LONGEST_VERSION:
        raise Refused("invalid_argument", "version is required, of at most 512 characters")


def _check_whole(chunks: Mapping[int, int], size: int) -> None:
    """Raise Refused when chunks leave holes, overlap, or are not `size` bytes together."""
    end = 0
    for first in sorted(chunks):
        if first != end:
            raise Refused("invalid_argument", f"the bytes from {end} on did not come once each")
        end += chunks[first]
    if end != size:
        raise Refused("invalid_argument", f"{size} bytes were announced, {end} were uploaded")
