"""Runs one process of a step to its end: output, deadline, and the ladder of signals."""

from __future__ import annotations

from typing import Protocol

import msgspec

from trunkline.base.errors import TrunklineError
from trunkline.engine.cancel import CancelToken
from trunkline.ports.clock import Clock
from trunkline.ports.process import Process, Signal

# SIGINT, 7.5 s, SIGTERM, 2.5 s, then SIGKILL (runner, ProcessInvoker; reference section 3.4).
LADDER: tuple[tuple[float, Signal], ...] = (
    (0.0, Signal.INTERRUPT),
    (7.5, Signal.TERMINATE),
    (10.0, Signal.KILL),
)

# How long a read waits before somebody looks at the clock and the token (seconds).
TICK = 0.1


class Sink(Protocol):
    """Where a process's output goes."""

    def feed(self, data: bytes) -> None:
        """Take a chunk of output."""
        ...

    def tick(self) -> None:
        """Let go of lines held back for a batch."""
        ...


class Kept:
    """A sink that keeps what a quiet program printed."""

    def __init__(self) -> None:
        self.data = bytearray()

    def feed(self, data: bytes) -> None:
        """Take a chunk of output."""
        self.data += data

    def tick(self) -> None:
        """Nothing is held back."""

    @property
    def text(self) -> str:
        """The output as text."""
        return self.data.decode("utf-8", "replace")


class Ended(msgspec.Struct, frozen=True):
    """How a process ended: its exit code; whether its time was up; whether it was cancelled."""

    exit_code: int
    timed_out: bool = False
    cancelled: bool = False


class Limits(msgspec.Struct, frozen=True):
    """What may end a process early: a token, and a deadline on the monotonic clock (None: none)."""

    token: CancelToken
    deadline: float | None


def run_to_end(process: Process, sink: Sink, clock: Clock, limits: Limits) -> Ended:
    """Feed the process's output to `sink` until it ends; stop it when `limits` say so.

    Raises what `sink` raises (Unavailable, when the log's disk refuses); the process is killed then.
    """
    try:
        return _follow(process, sink, clock, limits)
    except TrunklineError:
        process.signal(Signal.KILL)
        process.wait()
        raise


def _follow(process: Process, sink: Sink, clock: Clock, limits: Limits) -> Ended:
    climb = Climb(process, clock)
    timed_out = False
    while True:
        data = process.read(_patience(clock, limits.deadline, timed_out=timed_out))
        if data:
            sink.feed(data)
        elif data is None:
            sink.tick()
        else:
            break
        if not timed_out and limits.deadline is not None and clock.monotonic() >= limits.deadline:
            timed_out = True
        if timed_out or limits.token.asked:
            climb.step(forced=limits.token.forced)
    return Ended(process.wait(), timed_out, limits.token.asked and not timed_out)


class Climb:
    """Climbs the ladder of signals, rung by rung, from its first step."""

    def __init__(self, process: Process, clock: Clock) -> None:
        self._process = process
        self._clock = clock
        self._since: float | None = None
        self._rung = 0

    def step(self, *, forced: bool) -> None:
        """Send every signal whose time has come; when forced, the last one at once."""
        now = self._clock.monotonic()
        if self._since is None:
            self._since = now
        while self._rung < len(LADDER) and (forced or now - self._since >= LADDER[self._rung][0]):
            signal = LADDER[-1][1] if forced else LADDER[self._rung][1]
            self._rung = len(LADDER) if forced else self._rung + 1
            self._process.signal(signal)


def _patience(clock: Clock, deadline: float | None, *, timed_out: bool) -> float:
    if deadline is None or timed_out:
        return TICK
    return min(TICK, max(0.0, deadline - clock.monotonic()))
