"""Port: buckets of a cloud, where builds put files for others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO, Protocol

import msgspec


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Where in a bucket something goes. `endpoint` '' means the cloud's own.

    `environment` may hold credentials (AWS_ACCESS_KEY_ID and the like), which come before the
    caller's.
    """

    bucket: str
    key: str
    region: str
    endpoint: str = ""
    environment: Mapping[str, str] = {}


class Buckets(Protocol):
    """Buckets by name. Raises Unavailable, in the cloud's words, when it refuses."""

    def put(self, destination: Destination, content: BinaryIO, about: Mapping[str, str]) -> None:
        """Store `content` with the metadata `about`; what is there under that key is replaced."""
        ...
