"""Port: buckets of a cloud, where builds put files for others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO, Protocol

import msgspec


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Where in a bucket something lies or goes. `endpoint` '' means the cloud's own.

    `environment` may hold credentials (AWS_ACCESS_KEY_ID and the like), which come before the
    caller's.
    """

    bucket: str
    key: str
    region: str
    endpoint: str = ""
    environment: Mapping[str, str] = {}


class StoredObject(msgspec.Struct, frozen=True):
    """What lies in a bucket: its key, and when it was put there (seconds since 1970)."""

    key: str
    modified: float


class Buckets(Protocol):
    """Buckets by name. Raises Unavailable, in the cloud's words, when it refuses."""

    def put(self, destination: Destination, content: BinaryIO, about: Mapping[str, str]) -> None:
        """Store `content` with the metadata `about`; what is there under that key is replaced."""
        ...

    def get(self, source: Destination) -> BinaryIO:
        """Return what is stored, whole and at its beginning. Raises NotFound for a missing key."""
        ...

    def find(self, prefix: Destination) -> tuple[StoredObject, ...]:
        """Return the objects whose keys begin with the one given, in no order."""
        ...
