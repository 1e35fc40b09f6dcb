"""Caches of builds in a bucket of Amazon S3, for what this machine's own caches do not have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import BinaryIO, NamedTuple

from trunkline.adapters.actions.codebuild.publishing import (
    address,
    destination,
    is_here,
    may_write,
)
from trunkline.adapters.toolkit.caching import JobCaches
from trunkline.adapters.toolkit.world import World
from trunkline.base.errors import NotFound, Unavailable
from trunkline.ports.actions import ActionCall, ActionFailed, ActionJob
from trunkline.ports.buckets import Destination

# Names the location of a project's cache, `bucket[/prefix]`, as its settings do at AWS.
BUCKET = "CODEBUILD_CACHE_BUCKET"


class Keys(NamedTuple):
    """Under which key a cache lies in the bucket; whether a later one replaces it; fallbacks."""

    key: str
    replaced: bool
    fallbacks: Sequence[str] = ()


class CacheBucket(NamedTuple):
    """The cache location of a call's build.

    An archive lies at `[prefix/]<version>/<key>`: caches of other paths, or packed in another way,
    never fit (caching-s3: cache version). Nothing that goes wrong here fails a build.
    """

    world: World
    call: ActionCall
    job: ActionJob
    caches: JobCaches
    paths: Sequence[str]

    @property
    def is_named(self) -> bool:
        """Tell whether there is a bucket, and something to put there."""
        return bool(self.call.env.get(BUCKET)) and not self.caches.is_shared(self.paths)

    def restore(self, keys: Keys) -> str:
        """Fetch the best cache, keep it on this machine, restore it; return its key or ''."""
        place = self._place(keys.key)
        if self.world.offline and not is_here(place):
            self.job.log(f"Offline: {address(place)} is not read")
            return ""
        try:
            return self._fetch(keys)
        except (Unavailable, NotFound, ActionFailed) as error:
            self._warn(f"The cache at {address(place)} is not restored: {error}")
            return ""

    def save(self, keys: Keys, kept_as: str) -> None:
        """Put what this machine keeps under the key `kept_as` into the bucket."""
        entry = self.caches.kept(self.paths, kept_as)
        place = self._place(keys.key)
        if entry is None or not may_write(self.world, place, self.job):
            return
        about = {"codebuild-buildarn": self.call.env.get("CODEBUILD_BUILD_ARN", "")}
        try:
            buckets = self.world.buckets()
            if not keys.replaced and any(one.key == place.key for one in buckets.find(place)):
                self.job.log(f"{address(place)} is there already")
                return
            with self.caches.caches.open(entry) as content:
                buckets.put(place, content, about)
        except (Unavailable, NotFound) as error:
            self._warn(f"The cache is not saved to {address(place)}: {error}")
            return
        self.job.log(f"Uploaded {address(place)}")

    def _fetch(self, keys: Keys) -> str:
        for key in self._candidates(keys):
            place = self._place(key)
            try:
                content = self.world.buckets().get(place)
            except NotFound:
                continue
            self.job.log(f"Downloaded {address(place)}")
            return self._unpack(key, content)
        return ""

    def _candidates(self, keys: Keys) -> Iterable[str]:
        """Yield the key, then of each fallback the newest that begins with it."""
        yield keys.key
        folder = self._place("").key
        for fallback in keys.fallbacks:
            found = self.world.buckets().find(self._place(fallback))
            if found:
                newest = max(found, key=lambda one: one.modified)
                yield newest.key.removeprefix(folder)

    def _unpack(self, key: str, content: BinaryIO) -> str:
        with content:
            entry = self.caches.adopt(self.paths, key, content)
        try:
            return self.caches.restore(self.paths, key, ())
        except ActionFailed:
            # An archive that can't be read must not be found here again.
            if entry:
                self.caches.caches.remove(entry)
            raise

    def _place(self, key: str) -> Destination:
        bucket, _, prefix = self.call.env[BUCKET].partition("/")
        parts = [prefix.strip("/")] if prefix.strip("/") else []
        whole = "/".join([*parts, self.caches.version(self.paths), key])
        return destination(self.world, bucket, whole, self.call)

    def _warn(self, message: str) -> None:
        self.job.log(f"[warning]{message}")
