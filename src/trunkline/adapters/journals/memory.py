"""Journals in memory: the fake. It encodes and decodes as the files do, so that nothing hides."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator, Sequence

from trunkline.base.errors import Conflict, NotFound
from trunkline.ports.clock import Clock
from trunkline.run.codec import decode, encode
from trunkline.run.events import Event, Record, RunCompleted


class MemoryJournals:
    """All runs of one object."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._runs: dict[str, MemoryJournal] = {}
        self._numbers: Counter[str] = Counter()

    def create(self, run_id: str) -> MemoryJournal:
        """Start a journal. Raises Conflict if the run exists."""
        with self._lock:
            if run_id in self._runs:
                raise Conflict(f"Run {run_id} exists already.")
            return self._runs.setdefault(run_id, MemoryJournal(self._clock))

    def open(self, run_id: str) -> MemoryJournal:
        """Return a run's journal. Raises NotFound."""
        with self._lock:
            if run_id not in self._runs:
                raise NotFound(f"There is no run {run_id}.")
            return self._runs[run_id]

    def runs(self) -> list[str]:
        """Return the run ids, oldest first."""
        with self._lock:
            return sorted(self._runs, key=int)

    def begun(self, run_id: str) -> float:
        """Return when a run's journal was made. Raises NotFound."""
        return self.open(run_id).made

    def next_number(self, workflow: str) -> int:
        """Return the next run number of a workflow file."""
        with self._lock:
            self._numbers[workflow] += 1
            return self._numbers[workflow]

    def remove(self, run_id: str) -> None:
        """Forget a run."""
        with self._lock:
            self._runs.pop(run_id, None)


class MemoryJournal:
    """One run's events, as the lines that a file would hold."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._grown = threading.Condition()
        self.made = clock.now()
        self._lines: list[bytes] = []
        self._complete = False

    def append(self, events: Sequence[Event], expected: int) -> int:
        """Append events after number `expected`; return the last number."""
        with self._grown:
            if expected != len(self._lines):
                raise Conflict(f"The journal is at record {len(self._lines)}, not {expected}.")
            at = self._clock.now()
            self._lines += [encode(expected + 1 + i, at, event) for i, event in enumerate(events)]
            self._complete = self._complete or any(isinstance(e, RunCompleted) for e in events)
            self._grown.notify_all()
            return len(self._lines)

    def writer(self) -> int | None:
        """Return this process's id until the run is complete."""
        with self._grown:
            return None if self._complete or not self._lines else os.getpid()

    def read(self, after: int = 0) -> list[Record]:
        """Return the records after number `after`."""
        with self._grown:
            return [decode(line) for line in self._lines[after:]]

    def follow(self, after: int = 0) -> Iterator[Record]:
        """Yield records as they come, until RunCompleted."""
        while True:
            lines = self._wait(after)
            for line in lines:
                yield decode(line)
            after += len(lines)
            if not lines:
                return

    def _wait(self, after: int) -> list[bytes]:
        with self._grown:
            self._grown.wait_for(lambda: len(self._lines) > after or self._complete)
            return self._lines[after:]
