"""Clock and Ids: the machine's, and fakes whose time stands still until it is moved."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

# 2020-01-01 UTC: run ids count microseconds from here, which keeps them at 15 digits.
EPOCH = 1_577_836_800


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return seconds since the epoch, UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()


class SystemIds:
    """Names from the clock and the kernel's random numbers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def run_id(self) -> str:
        """Return microseconds since 2020, always more than the last one."""
        with self._lock:
            self._last = max(self._last + 1, time.time_ns() // 1000 - EPOCH * 1_000_000)
            return str(self._last)

    def token(self) -> str:
        """Return 32 random lower-case hexadecimal digits."""
        return os.urandom(16).hex()


class FakeClock:
    """Time that only moves when `advance` is called; whoever waits on it wakes then.

    `now` starts at `start` (epoch seconds), `monotonic` at 0. An automatic one jumps by itself to
    whatever is waited for: right when only one thread waits.
    """

    def __init__(self, start: float = 1_700_000_000.0, *, automatic: bool = False) -> None:
        self._start = start
        self._automatic = automatic
        self._elapsed = 0.0
        self._moved = threading.Condition()
        self._watchers: list[Callable[[], None]] = []

    def now(self) -> float:
        """Return the fake time of day."""
        with self._moved:
            return self._start + self._elapsed

    def monotonic(self) -> float:
        """Return the seconds that `advance` has let pass."""
        with self._moved:
            return self._elapsed

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once, wake every waiter and call every watcher."""
        with self._moved:
            self._elapsed += seconds
            watchers = list(self._watchers)
        self.notify()
        for watcher in watchers:
            watcher()

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` after every jump, from the thread that made it."""
        with self._moved:
            self._watchers.append(watcher)

    def notify(self) -> None:
        """Make every waiter look at its condition again."""
        with self._moved:
            self._moved.notify_all()

    def wait(self, timeout: float | None, ready: Callable[[], bool]) -> bool:
        """Wait until `ready()` holds or `timeout` fake seconds have passed; return `ready()`.

        `ready` is looked at when time jumps and on `notify`; it may use this clock.
        """
        with self._moved:
            end = None if timeout is None else self._elapsed + timeout
            if self._automatic and end is not None and not ready():
                self._elapsed = end
                self._moved.notify_all()
            self._moved.wait_for(lambda: ready() or (end is not None and self._elapsed >= end))
            return ready()


class FakeIds:
    """Names that count up, the same in every test."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs = 0
        self._tokens = 0

    def run_id(self) -> str:
        """Return 1001, 1002, ..."""
        with self._lock:
            self._runs += 1
            return str(1000 + self._runs)

    def token(self) -> str:
        """Return 32 digits that count up."""
        with self._lock:
            self._tokens += 1
            return f"{self._tokens:032x}"
