"""When something must happen to jobs under way: time is up, patience is over."""

from __future__ import annotations

import heapq
from enum import StrEnum

import msgspec


class Alarm(StrEnum):
    """What is due: a job's own time is up; a cancelled job is killed; a killed one is given up."""

    TIMEOUT = "timeout"
    KILL = "kill"
    GIVE_UP = "give up"


class Due(msgspec.Struct, frozen=True, order=True):
    """An alarm of one job, at a time of the monotonic clock (seconds)."""

    at: float
    key: str
    alarm: Alarm


class Deadlines:
    """All alarms of a run, the next one first. One thread."""

    def __init__(self) -> None:
        self._heap: list[Due] = []

    def add(self, at: float, key: str, alarm: Alarm) -> None:
        """Set an alarm. Alarms of jobs that have ended are not taken back: they mean nothing then."""
        heapq.heappush(self._heap, Due(at, key, alarm))

    def next(self) -> float | None:
        """Return the time of the next alarm, None when there is none."""
        return self._heap[0].at if self._heap else None

    def due(self, now: float) -> list[Due]:
        """Take and return the alarms whose time has come."""
        found = []
        while self._heap and self._heap[0].at <= now:
            found.append(heapq.heappop(self._heap))
        return found
