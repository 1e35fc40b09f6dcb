"""Log lines in memory: the fake."""

from __future__ import annotations

import threading

from trunkline.base.errors import Conflict


class MemoryLogStore:
    """All logs of one object; `ended` has the (run, job) of those that are whole."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.ended: set[tuple[str, str]] = set()
        self._lines: dict[tuple[str, str], list[bytes]] = {}

    def append(
        self, run_id: str, key: str, offset: int, lines: bytes, *, final: bool = False
    ) -> int:
        """Store whole lines from line number `offset`; return how many lines are stored."""
        with self._lock:
            stored = self._lines.setdefault((run_id, key), [])
            if offset > len(stored):
                raise Conflict(f"The log has {len(stored)} lines; line {offset} leaves a hole.")
            fresh = [line + b"\n" for line in lines.split(b"\n")[:-1]]
            stored += fresh[len(stored) - offset :]
            if final:
                self.ended.add((run_id, key))
            return len(stored)

    def read(self, run_id: str, key: str, start: int = 0, count: int = 0) -> bytes:
        """Return `count` lines from `start` (0: all that follow)."""
        with self._lock:
            stored = self._lines.get((run_id, key), [])
            return b"".join(stored[start : start + count] if count else stored[start:])
