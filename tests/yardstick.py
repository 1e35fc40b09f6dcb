"""How much work a thing is, whatever machine does it: its time beside that of work that is known."""

from __future__ import annotations

import time
from collections.abc import Callable

ADDITIONS = 1_000_000


def in_yardsticks(act: Callable[[], object]) -> float:
    """Return the processor time that `act` takes on this thread, in those of a million additions.

    A machine that is slow, or busy with other things, is so for both.
    """
    before = _yardstick()
    taken = _time_of(act)
    return taken / max(before, _yardstick())


def _yardstick() -> float:
    return _time_of(lambda: sum(number for number in range(ADDITIONS)))


def _time_of(act: Callable[[], object]) -> float:
    before = time.thread_time()
    act()
    return time.thread_time() - before
