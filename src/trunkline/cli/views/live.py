"""The live view: a tree of what runs now, and at the end all that matters of what happened."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping

from rich.console import Console
from rich.live import Live
from rich.markdown import Markdown
from rich.rule import Rule
from rich.text import Text

from trunkline.cli.views.summary import annotation_line, closing, failed_steps, one_line
from trunkline.cli.views.terminal import RESET, readable, tame
from trunkline.cli.views.tree import ASCII, COLOURS, FINE, Scene, rows
from trunkline.ports.clock import Clock
from trunkline.ports.logs import LogStore
from trunkline.run.events import (
    Annotated,
    Conclusion,
    JobExpanded,
    JobSkipped,
    Record,
    RunStarted,
    StepCompleted,
)
from trunkline.services.runs import JobView, RunView, StepView, take

FRAMES = 8
TAIL = 4096
BLOCK = 5000
ANNOTATION_COLOURS = {"error": "red", "warning": "yellow", "notice": "cyan"}

_STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z ", re.MULTILINE)


Expected = Callable[[str], Mapping[str, float]]


class LiveView:
    """Shows a run on a terminal. Thread-safe; frames are drawn by a thread of their own.

    `expected(run id)` returns what earlier runs took: seconds by job key, '' for the whole run.
    """

    def __init__(self, console: Console, clock: Clock, logs: LogStore, expected: Expected) -> None:
        self._console = console
        self._clock = clock
        self._logs = logs
        self._ask_expected = expected
        self._signs = FINE if "utf" in console.encoding.lower() else ASCII
        self._colours = console.color_system is not None and not console.no_color
        self._run = RunView(run_id="")
        self._planned: dict[str, str] = {}
        self._expected: Mapping[str, float] = {}
        self._tails: dict[tuple[str, int], bytes] = {}
        self._lock = threading.Lock()
        self._live = Live(
            console=console,
            get_renderable=self._frame,
            refresh_per_second=FRAMES,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )

    def record(self, record: Record) -> None:
        """Take an event."""
        event = record.event
        with self._lock:
            if isinstance(event, RunStarted):
                self._run.run_id = event.run_id
                self._planned = {job.id: job.id for job in event.plan.jobs}
            take(self._run, record)
            match event:
                case JobExpanded(job=job):
                    self._planned.pop(job, None)
                case JobSkipped(key=key):
                    self._planned.pop(key, None)
                case StepCompleted(key=key, number=number):
                    self._tails.pop((key, number), None)
                case _:
                    pass
        if isinstance(event, RunStarted):
            threading.Thread(target=self._look_back, args=(event.run_id,), daemon=True).start()
            self._live.start()

    def lines(self, key: str, step: int, data: bytes) -> None:
        """Take whole masked lines of a step: only the last ones are kept."""
        place = (key, step)
        with self._lock:
            before = b"" if len(data) >= TAIL else self._tails.get(place, b"")
            self._tails[place] = (before + data)[-TAIL:]

    def close(self) -> None:
        """Take the tree away, and tell what happened: failures in full, then all results."""
        self._live.stop()
        if not self._run.run_id:
            return
        for job in self._run.jobs.values():
            for step in failed_steps(job):
                self._tell_step(job, step)
        for job in self._run.jobs.values():
            self._tell_annotations(job)
        for job in self._run.jobs.values():
            self._tell_summaries(job)
        self._console.print()
        for text, conclusion in closing(self._run):
            row = Text(tame(text, colours=False))
            if conclusion is not None:
                mark = Text(f"{self._signs.results[conclusion]} ", style=COLOURS[conclusion])
                row = mark.append_text(row)
            self._console.print(row, soft_wrap=True)

    # --- while it runs ------------------------------------------------------------------

    def _look_back(self, run_id: str) -> None:
        """Ask what earlier runs took; nobody waits for the answer."""
        self._expected = self._ask_expected(run_id)

    def _frame(self) -> Text:
        size = self._console.size
        with self._lock:
            scene = Scene(
                run=self._run,
                tails=self._tails,
                expected=self._expected,
                planned=tuple(self._planned.values()),
                now=self._clock.now(),
                width=max(size.width - 1, 10),
                height=max(size.height - 1, 1),
                signs=self._signs,
            )
            return Text("\n", no_wrap=True, overflow="crop").join(rows(scene))

    # --- at the end ---------------------------------------------------------------------

    def _tell_step(self, job: JobView, step: StepView) -> None:
        self._heading(f"{job.name} {self._signs.arrow} {step.name}", "red")
        out = self._console.file
        missing = step.end_line - step.first_line
        for block in self._blocks(job, step):
            missing -= block.count(b"\n")
            text = _STAMP.sub("", block.decode("utf-8", "replace"))
            out.write(readable(text, colours=self._colours, arrow=self._signs.arrow))
        if self._colours:
            out.write(RESET)
        out.flush()
        if missing > 0:
            self._console.print(f"({missing} lines of it could not be stored)", markup=False)
            for told in job.annotations:
                if told.step == step.number:
                    self._console.print(self._annotation(told), soft_wrap=True)

    def _blocks(self, job: JobView, step: StepView) -> Iterator[bytes]:
        """Yield a step's stored output, some thousand lines at a time."""
        start = step.first_line
        while start < step.end_line:
            count = min(BLOCK, step.end_line - start)
            block = self._logs.read(self._run.run_id, job.key, start, count)
            if not block:
                return
            yield block
            start += count

    def _tell_annotations(self, job: JobView) -> None:
        shown = [told for told in job.annotations if told.file or not _is_shown(job, told.step)]
        if not shown:
            return
        self._heading(job.name, "bright_black")
        for told in shown:
            self._console.print(self._annotation(told), soft_wrap=True)

    def _annotation(self, told: Annotated) -> Text:
        colour = ANNOTATION_COLOURS.get(told.level, "")
        message = tame(annotation_line(told), colours=False)
        return Text.assemble((f"{told.level.capitalize()}: ", colour), message)

    def _tell_summaries(self, job: JobView) -> None:
        if not job.summaries:
            return
        self._heading(f"summary of {job.name}", "bright_black")
        markdown = "\n\n".join(summary.markdown for summary in job.summaries)
        self._console.print(Markdown(tame(markdown, colours=False)))

    def _heading(self, text: str, style: str) -> None:
        characters = "─" if self._signs is FINE else "-"
        self._console.print()
        self._console.print(
            Rule(Text(one_line(text)), style=style, align="left", characters=characters)
        )


def _is_shown(job: JobView, step: int) -> bool:
    """Tell whether a step's result says already what its errors say."""
    found = job.steps.get(step)
    return found is not None and found.conclusion in {Conclusion.FAILURE, Conclusion.CANCELLED}


def open_live(clock: Clock, logs: LogStore, expected: Expected) -> LiveView:
    """Return a live view of standard output; what its encoding lacks becomes `?`."""
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    return LiveView(Console(highlight=False), clock, logs, expected)
