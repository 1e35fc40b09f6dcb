"""What all steps of a job share on the way of their output: secrets, matchers, the log, the views."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from trunkline.engine.log_batches import LogBatches
from trunkline.ports.clock import Clock
from trunkline.ports.logs import LogStore
from trunkline.run.events import Event
from trunkline.run.masking import Masker
from trunkline.run.matchers import MatcherRule, with_rules, without_owners


class JobLog:
    """One job's secrets, problem matchers and log. Thread-safe: background steps share it.

    `listen(key, step number, lines)` gets masked whole lines without timestamps as they come, in
    the log's order; it must be quick. Secrets are masked from the moment they are known: what was
    written before stays as it is.
    """

    def __init__(
        self,
        run_id: str,
        key: str,
        logs: LogStore,
        clock: Clock,
        report: Callable[[Event], None],
        listen: Callable[[str, int, bytes], None] | None = None,
    ) -> None:
        self.key = key
        self.report = report
        self._listen = listen
        self._masker = Masker()
        self._batches = LogBatches(run_id, key, logs, clock)
        self._lock = threading.Lock()
        self.rules: tuple[MatcherRule, ...] = ()

    @property
    def lines(self) -> int:
        """How many lines the job has printed so far."""
        return self._batches.lines

    def mask(self, values: Iterable[str], *, as_they_are: bool = False) -> None:
        """Never show these values again: trimmed and line by line, or just `as_they_are`."""
        with self._lock:
            self._masker.add(values, as_they_are=as_they_are)

    def masked(self, text: str) -> str:
        """Return a text with every secret masked."""
        with self._lock:
            return self._masker.mask_text(text)

    def masked_lines(self, data: bytes) -> bytes:
        """Return text with secrets masked line by line, its bad UTF-8 replaced."""
        with self._lock:
            return valid(self._masker.mask(data))

    def cut(self, data: bytes, at: int) -> int:
        """Return where a piece of an endless line may end (see LineSource)."""
        with self._lock:
            return self._masker.safe_cut(data, at)

    def write(self, step: int, lines: bytes) -> None:
        """Mask whole lines, log them and show them. Raises Unavailable once, when the disk refuses."""
        with self._lock:
            masked = valid(self._masker.mask(lines))
            if self._listen is not None:
                self._listen(self.key, step, masked)
            self._batches.add(masked)

    def add_matchers(self, rules: Iterable[MatcherRule]) -> None:
        """Use these problem matchers in all steps from now on."""
        with self._lock:
            self.rules = with_rules(self.rules, rules)

    def remove_matchers(self, owners: Iterable[str]) -> None:
        """Use the problem matchers of these owners no more."""
        with self._lock:
            self.rules = without_owners(self.rules, owners)

    def tick(self) -> None:
        """Let go of lines that have waited long enough for a batch. Raises Unavailable."""
        with self._lock:
            self._batches.flush_if_due()

    def flush(self, *, final: bool = False) -> None:
        """Let go of all lines; `final`: none will follow. Raises Unavailable."""
        with self._lock:
            self._batches.flush(final=final)


def valid(data: bytes) -> bytes:
    """Return the data with bytes that are no UTF-8 replaced by U+FFFD, as .NET reads them."""
    if data.isascii():
        return data
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace").encode()
    return data
