"""Port: the events of a run, in order, for ever."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from trunkline.run.events import Event, Record


class Journal(Protocol):
    """One run's events. One writer at a time, any number of readers, also in other processes."""

    def append(self, events: Sequence[Event], expected: int) -> int:
        """Append events after number `expected`; return the last number.

        Durable against kill -9 when it returns; synced to disk for RunStarted, JobCompleted and
        RunCompleted. Raises Conflict when the last number is not `expected`, Unavailable when the
        disk refuses (nothing of the call is then visible).
        """
        ...

    def read(self, after: int = 0) -> list[Record]:
        """Return the records after number `after`. A torn last line is not there. Raises Corrupt."""
        ...

    def follow(self, after: int = 0) -> Iterator[Record]:
        """Yield records as they come, ending after RunCompleted or when the writer is gone."""
        ...

    def writer(self) -> int | None:
        """Return the process id of the run's engine while it is alive, else None."""
        ...


class Journals(Protocol):
    """All runs of one store."""

    def create(self, run_id: str) -> Journal:
        """Start a journal. Raises Conflict if the run exists."""
        ...

    def open(self, run_id: str) -> Journal:
        """Return a run's journal. Raises NotFound."""
        ...

    def runs(self) -> list[str]:
        """Return the run ids, oldest first."""
        ...

    def begun(self, run_id: str) -> float:
        """Return when a run began, in epoch seconds; cheap, for it is asked at every start.

        Raises NotFound.
        """
        ...

    def next_number(self, workflow: str) -> int:
        """Return the next run number (from 1) of a workflow file, counted across processes."""
        ...

    def remove(self, run_id: str) -> None:
        """Forget a run with its logs and kept workspaces. No error if it is gone."""
        ...
