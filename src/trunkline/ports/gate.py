"""Port: what lies between runs: concurrency groups."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

import msgspec


class Standing(StrEnum):
    """Where a holder stands in its group."""

    GRANTED = "granted"
    PENDING = "pending"
    SUPERSEDED = "superseded"


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to be in a group. `holder` is unique for ever (`<run id>` or `<run id>/<job key>`)."""

    group: str
    holder: str
    cancel_in_progress: bool = False
    queue: str = "single"


class Gate(Protocol):
    """Concurrency groups of one repository, across processes (GitHub: workflow syntax, `concurrency`).

    Groups compare case-insensitively. `single`: one granted and one pending; a newer pending
    supersedes the older one. `max`: up to 100 pending, first come first served, then superseded.
    With `cancel_in_progress` the granted one is superseded too. A holder whose process died is out.
    """

    def acquire(self, claim: Claim, changed: Callable[[Standing], None]) -> Standing:
        """Enter the group; returns GRANTED or PENDING (or SUPERSEDED when the queue is full).

        `changed` is called later, from another thread, at most once with GRANTED (after PENDING)
        and at most once with SUPERSEDED. Raises Unavailable.
        """
        ...

    def release(self, claim: Claim) -> None:
        """Leave the group; the next one is granted. Idempotent."""
        ...
