"""Concurrency groups in memory: the fake, for holders that all live in this process."""

from __future__ import annotations

import threading
from collections.abc import Callable

from trunkline.adapters.concurrency import Group, Watcher, enter, leave, standing
from trunkline.ports.gate import Claim, Standing


class MemoryGate:
    """Concurrency groups of one object."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._groups: dict[str, Group] = {}
        self._watcher = Watcher(self._look)

    def acquire(self, claim: Claim, changed: Callable[[Standing], None]) -> Standing:
        """Enter the group."""
        name = claim.group.lower()
        with self._lock:
            group = self._groups[name] = enter(self._groups.get(name, Group()), claim)
        now = standing(group, claim.holder)
        if now is not Standing.SUPERSEDED:
            self._watcher.add(claim, now, changed)
        return now

    def release(self, claim: Claim) -> None:
        """Leave the group."""
        self._watcher.remove(claim)
        name = claim.group.lower()
        with self._lock:
            self._groups[name] = leave(self._groups.get(name, Group()), claim.holder)
        self._watcher.wake()

    def _look(self, name: str) -> Group:
        with self._lock:
            return self._groups.get(name, Group())
