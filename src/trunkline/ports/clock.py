"""Port: time and names."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Tells the time. Thread-safe; never raises."""

    def now(self) -> float:
        """Return seconds since the epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back; only differences mean something."""
        ...


class Ids(Protocol):
    """Makes names that were never used before. Thread-safe; never raises."""

    def run_id(self) -> str:
        """Return a new run id: digits only, growing with time (GitHub's are numbers)."""
        ...

    def token(self) -> str:
        """Return 32 random lower-case hexadecimal digits."""
        ...
