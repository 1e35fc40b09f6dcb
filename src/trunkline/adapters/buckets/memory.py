"""Buckets in memory, for tests."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping
from typing import BinaryIO

from trunkline.base.errors import NotFound, Unavailable
from trunkline.ports.buckets import Destination, StoredObject


class MemoryBuckets:
    """Knows the buckets it was given; `kept` is (bucket, key) -> content and metadata."""

    def __init__(self, buckets: Collection[str]) -> None:
        self._buckets = buckets
        self.kept: dict[tuple[str, str], tuple[bytes, Mapping[str, str]]] = {}

    def put(self, destination: Destination, content: BinaryIO, about: Mapping[str, str]) -> None:
        """Store content. Raises Unavailable."""
        self._check(destination)
        place = (destination.bucket, destination.key)
        # What is put last is listed last, with the greatest number.
        self.kept.pop(place, None)
        self.kept[place] = (content.read(), dict(about))

    def get(self, source: Destination) -> BinaryIO:
        """Return content. Raises NotFound, Unavailable."""
        self._check(source)
        if (source.bucket, source.key) not in self.kept:
            raise NotFound(f"NoSuchKey: {source.key}: The specified key does not exist.")
        return io.BytesIO(self.kept[source.bucket, source.key][0])

    def find(self, prefix: Destination) -> tuple[StoredObject, ...]:
        """Return what begins so; the time is the place in the order of puts. Raises Unavailable."""
        self._check(prefix)
        return tuple(
            StoredObject(key, float(number))
            for number, (bucket, key) in enumerate(self.kept)
            if bucket == prefix.bucket and key.startswith(prefix.key)
        )

    def _check(self, place: Destination) -> None:
        if place.bucket not in self._buckets:
            raise Unavailable("NoSuchBucket: The specified bucket does not exist")
