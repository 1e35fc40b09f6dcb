"""The steps of a job that run now: a cancelled job stops those whose `if` no longer holds (3.4)."""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec

from trunkline.engine.cancel import CancelToken


class RunningStep(msgspec.Struct, frozen=True):
    """How a step is stopped, and whether its `if` still holds in a job that was cancelled."""

    token: CancelToken
    still_holds: Callable[[], bool]


class RunningSteps:
    """One job's, by slot; `cancelled_by` says who cancelled the job ('': nobody). Thread-safe."""

    def __init__(self) -> None:
        self.cancelled_by = ""
        self.forced = False
        self._steps: dict[int, RunningStep] = {}
        self._lock = threading.RLock()

    def start(self, slot: int, step: RunningStep) -> None:
        """Take a step in that starts: perhaps the job was cancelled after its `if` was asked."""
        with self._lock:
            self._steps[slot] = step
            if self.cancelled_by:
                self._stop_unless_it_holds(step)

    def end(self, slot: int) -> None:
        """Forget a step that has ended, or never began."""
        with self._lock:
            self._steps.pop(slot, None)

    def cancel(self, by: str, *, force: bool) -> None:
        """Stop what runs, by force whatever its `if` says. The job's status says so already."""
        with self._lock:
            self.cancelled_by = self.cancelled_by or by
            self.forced = self.forced or force
            for step in self._steps.values():
                self._stop_unless_it_holds(step)

    def _stop_unless_it_holds(self, step: RunningStep) -> None:
        if self.forced or not step.still_holds():
            step.token.cancel(force=self.forced, by=self.cancelled_by)
