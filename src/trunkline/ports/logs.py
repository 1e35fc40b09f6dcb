"""Port: the lines that jobs print."""

from __future__ import annotations

from typing import Protocol


class LogStore(Protocol):
    """Log lines of jobs by (run, job key). Thread-safe; one writer a job."""

    def append(
        self, run_id: str, key: str, offset: int, lines: bytes, *, final: bool = False
    ) -> int:
        """Store whole lines (each ends with a newline) from line number `offset` (from 0).

        Returns the number of lines now stored. Repeats of stored lines are ignored; a hole raises
        Conflict; a full disk raises Unavailable. `final` says that no line will follow.
        """
        ...

    def read(self, run_id: str, key: str, start: int = 0, count: int = 0) -> bytes:
        """Return `count` lines from `start` (0: all that follow); b'' when there are none."""
        ...
