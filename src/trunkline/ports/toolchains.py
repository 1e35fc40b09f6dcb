"""Port: programs that the engine itself needs for a job."""

from __future__ import annotations

from typing import Protocol


class Toolchains(Protocol):
    """Finds or installs programs on the engine's machine. Thread-safe, and safe across processes."""

    def node(self, major: int) -> str:
        """Return the path of a node program of that major version.

        It is found on PATH, else in the cache, else installed there from the npm registry. Raises
        Unavailable, with the versions that are here, when there is none and none can be had.
        """
        ...
