"""Log lines on their way to the store: stamped, and handed over in batches."""

from __future__ import annotations

from datetime import UTC, datetime

from trunkline.base.errors import Unavailable
from trunkline.ports.clock import Clock
from trunkline.ports.logs import LogStore

# A batch goes to the store when it is this big (bytes) or this old (seconds).
BATCH = 256 * 1024
PATIENCE = 0.05


class LogBatches:
    """One job's way into the log store. Not thread-safe: the job's output locks around it.

    After the store has refused once (that exception is raised) nothing more is written; lines are
    still counted, and views still show them.
    """

    def __init__(self, run_id: str, key: str, logs: LogStore, clock: Clock) -> None:
        self._run_id = run_id
        self._key = key
        self._logs = logs
        self._clock = clock
        self._waiting: list[bytes] = []
        self._size = 0
        self._since = 0.0
        self._stored = 0
        self._refused = False
        self.lines = 0

    def add(self, lines: bytes) -> None:
        """Take whole lines, all with the same time. Raises Unavailable."""
        self.lines += lines.count(b"\n")
        if self._refused:
            return
        stamp = timestamp(self._clock.now())
        stamped = stamp + lines[:-1].replace(b"\n", b"\n" + stamp) + b"\n"
        if not self._waiting:
            self._since = self._clock.monotonic()
        self._waiting.append(stamped)
        self._size += len(stamped)
        if self._size >= BATCH:
            self.flush()

    def flush_if_due(self) -> None:
        """Hand over what has waited long enough. Raises Unavailable."""
        if self._waiting and self._clock.monotonic() - self._since >= PATIENCE:
            self.flush()

    def flush(self, *, final: bool = False) -> None:
        """Hand over what waits; `final`: no line will follow. Raises Unavailable."""
        if self._refused or not (self._waiting or final):
            return
        batch = b"".join(self._waiting)
        self._waiting.clear()
        self._size = 0
        try:
            self._stored = self._logs.append(
                self._run_id, self._key, self._stored, batch, final=final
            )
        except Unavailable:
            self._refused = True
            raise


def timestamp(now: float) -> bytes:
    """Return GitHub's prefix of a log line: `yyyy-MM-ddTHH:mm:ss.fffffffZ ` (UTC, seven digits)."""
    moment = datetime.fromtimestamp(now, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}0Z ".encode()
