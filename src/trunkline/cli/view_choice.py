"""Which view shows a run."""

from __future__ import annotations

import sys
from typing import Protocol

from trunkline.ports.clock import Clock
from trunkline.run.events import Record


class View(Protocol):
    """Shows a run while it goes on. Called from several threads."""

    def record(self, record: Record) -> None:
        """Take an event."""
        ...

    def lines(self, key: str, step: int, data: bytes) -> None:
        """Take whole masked lines of a step."""
        ...

    def close(self) -> None:
        """Show what is left to show."""
        ...


class InterimView:
    def __init__(self) -> None:
        pass

    def record(self, record: Record) -> None:
        name = type(record.event).__name__
        if name in {"JobCompleted", "RunCompleted", "StepCompleted", "JobSkipped"}:
            sys.stdout.write(
                f"{name} {getattr(record.event, 'key', '')} {getattr(record.event, 'name', '')} {getattr(record.event, 'conclusion', '')}\n"
            )

    def lines(self, key: str, step: int, data: bytes) -> None:
        p = f"{key} | ".encode()
        sys.stdout.buffer.write(p + data[:-1].replace(b"\n", b"\n" + p) + b"\n")
        sys.stdout.buffer.flush()

    def close(self) -> None:
        pass


def open_view(style: str, clock: Clock, state: str) -> View:
    return InterimView()
