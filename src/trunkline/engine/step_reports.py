"""Numbers a job's steps and tells their starts and ends as events."""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec

from trunkline.engine.instances import StepResult
from trunkline.engine.output import JobOutput, StepOutput
from trunkline.ports.clock import Clock
from trunkline.run.events import Conclusion, Event, StepCompleted, StepStarted

Report = Callable[[Event], None]


class OpenStep(msgspec.Struct, frozen=True):
    """A step that has started: its number, its name, its part of the log, and when (monotonic)."""

    number: int
    name: str
    output: StepOutput
    started: float


class StepReports:
    """One job's reports. Thread-safe: background steps open and close theirs too."""

    def __init__(self, key: str, output: JobOutput, clock: Clock, report: Report) -> None:
        self._key = key
        self._output = output
        self._clock = clock
        self._report = report
        self._lock = threading.Lock()
        self._number = 0

    def open(self, name: str, *, background: bool = False) -> OpenStep:
        """Start a step: its output begins at the log's next line."""
        number = self._next()
        name = self._output.masked(name)
        self._report(
            StepStarted(
                key=self._key,
                number=number,
                name=name,
                log_line=self._output.lines,
                background=background,
            )
        )
        return OpenStep(number, name, self._output.step(number), self._clock.monotonic())

    def close(
        self,
        step: OpenStep,
        outcome: Conclusion,
        conclusion: Conclusion | None = None,
        *,
        exit_code: int | None = None,
        step_id: str = "",
    ) -> None:
        """End a step; what its output held back is written first."""
        step.output.close()
        elapsed = self._clock.monotonic() - step.started
        self._report(
            StepCompleted(
                key=self._key,
                number=step.number,
                name=step.name,
                outcome=outcome,
                conclusion=outcome if conclusion is None else conclusion,
                log_line=self._output.lines,
                milliseconds=round(elapsed * 1000),
                exit_code=exit_code,
                step_id=step_id,
            )
        )

    def close_result(self, step: OpenStep, result: StepResult, step_id: str) -> None:
        """End a step with its result."""
        self.close(
            step, result.outcome, result.conclusion, exit_code=result.exit_code, step_id=step_id
        )

    def skip(self, name: str, step_id: str) -> None:
        """Tell a step whose `if` did not hold."""
        self._report(
            StepCompleted(
                key=self._key,
                number=self._next(),
                name=self._output.masked(name),
                outcome=Conclusion.SKIPPED,
                conclusion=Conclusion.SKIPPED,
                log_line=self._output.lines,
                step_id=step_id,
            )
        )

    def _next(self) -> int:
        with self._lock:
            self._number += 1
            return self._number
