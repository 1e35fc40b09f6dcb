"""Buckets in memory, for tests."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import BinaryIO

from trunkline.base.errors import Unavailable
from trunkline.ports.buckets import Destination


class MemoryBuckets:
    """Knows the buckets it was given; `kept` is (bucket, key) -> content and metadata."""

    def __init__(self, buckets: Collection[str]) -> None:
        self._buckets = buckets
        self.kept: dict[tuple[str, str], tuple[bytes, Mapping[str, str]]] = {}

    def put(self, destination: Destination, content: BinaryIO, about: Mapping[str, str]) -> None:
        """Store content. Raises Unavailable."""
        if destination.bucket not in self._buckets:
            raise Unavailable("NoSuchBucket: The specified bucket does not exist")
        self.kept[destination.bucket, destination.key] = (content.read(), dict(about))
