"""JSON lines (`--json`): the journal's records, and `log` records for what jobs print."""

from __future__ import annotations

import threading
from typing import BinaryIO

import msgspec

from trunkline.base.errors import Unavailable
from trunkline.ports.clock import Clock
from trunkline.run.codec import encode
from trunkline.run.events import VERSION, Record


class LogLines(msgspec.Struct, frozen=True, tag="log"):
    """Lines that a step of a job printed, masked; as an event it has no place in the journal."""

    key: str
    step: int
    lines: list[str]


class LogRecord(msgspec.Struct, frozen=True):
    """The envelope of log lines: like a journal's record, but without a number."""

    at: float
    event: LogLines
    version: int = VERSION


class RecordsView:
    """Writes one JSON record a line. Thread-safe.

    Once the stream can't be written nothing more is; `close` raises what `write` did.
    """

    def __init__(self, out: BinaryIO, clock: Clock) -> None:
        self._out = out
        self._clock = clock
        self._encode = msgspec.json.Encoder().encode
        self._lock = threading.Lock()
        self._broken: Exception | None = None

    def record(self, record: Record) -> None:
        """Take an event."""
        self._write(encode(record.number, record.at, record.event))

    def lines(self, key: str, step: int, data: bytes) -> None:
        """Take whole masked lines of a step."""
        lines = data[:-1].decode("utf-8", "replace").split("\n")
        self._write(self._encode(LogRecord(self._clock.now(), LogLines(key, step, lines))))

    def close(self) -> None:
        """End the view. Raises BrokenPipeError when nobody reads, Unavailable for another fault."""
        if self._broken is not None:
            raise self._broken

    def _write(self, record: bytes) -> None:
        with self._lock:
            if self._broken is not None:
                return
            try:
                self._out.write(record + b"\n")
                self._out.flush()
            except (BrokenPipeError, Unavailable) as error:
                self._broken = error
