"""Digests of content: `sha256:<64 hexadecimal digits>`, `sha512:<128>`."""

from __future__ import annotations

import hashlib
import re
from typing import Protocol

# Algorithm -> hexadecimal digits (OCI image specification, descriptor: registered algorithms).
ALGORITHMS = {"sha256": 64, "sha512": 128}
CANONICAL = "sha256"
DIGEST = re.compile(r"(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})")


class RunningHash(Protocol):
    """A hash that takes content piece by piece."""

    def update(self, data: bytes, /) -> None:
        """Take the next piece."""
        ...

    def hexdigest(self) -> str:
        """Return what the pieces so far give."""
        ...


def is_digest(text: str) -> bool:
    """Tell whether `text` is a digest of an algorithm that we know, in lower case."""
    return DIGEST.fullmatch(text) is not None


def algorithm_of(digest: str) -> str:
    """Return a digest's algorithm."""
    return digest.partition(":")[0]


def encoded(digest: str) -> str:
    """Return a digest's hexadecimal digits."""
    return digest.partition(":")[2]


def running_hash(algorithm: str) -> RunningHash:
    """Return an empty hash of a known algorithm. Raises ValueError."""
    if algorithm not in ALGORITHMS:
        raise ValueError(f"'{algorithm}' is not a digest algorithm: {', '.join(ALGORITHMS)}.")
    return hashlib.new(algorithm)


def digest_of(content: bytes, algorithm: str = CANONICAL) -> str:
    """Return the digest of `content`. Raises ValueError for an algorithm that we do not know."""
    running = running_hash(algorithm)
    running.update(content)
    return f"{algorithm}:{running.hexdigest()}"
