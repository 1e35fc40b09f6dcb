"""Plain lines: `<job display name> | <text>`, for pipes, files and CI; GitHub's markers stay."""

from __future__ import annotations

import threading
from typing import BinaryIO

from trunkline.base.errors import Unavailable
from trunkline.cli.times import duration
from trunkline.cli.views.summary import closing, made_line, one_line, outcome, title
from trunkline.run.events import (
    Annotated,
    ArtifactStored,
    CancelRequested,
    Conclusion,
    ImagePushed,
    JobCompleted,
    JobPending,
    JobSkipped,
    JobStarted,
    Record,
    RunPending,
    RunStarted,
    SkipReason,
    StepCompleted,
    StepStarted,
    Warned,
)
from trunkline.services.runs import RunView, take

# Told before it is known whether somebody does.
GROUP = "Concurrency group '{}': goes on as soon as nobody else holds it"
# How long a line waits for the event that starts its step, which is on its way (seconds).
PATIENCE = 5.0


class PlainView:
    """Writes to a byte stream. Thread-safe; chunks of output are prefixed and written whole.

    `encoding` is the stream's; `quiet` leaves the output of jobs out. A step's lines wait for the
    event that starts it: events take a little longer. With `abreast` whoever brings them waits too,
    so that nothing of the past is written after what it does next, such as asking somebody. Once
    the stream can't be written nothing more is, and `close` raises what `write` did.
    """

    def __init__(
        self,
        out: BinaryIO,
        encoding: str = "utf-8",
        *,
        quiet: bool = False,
        abreast: bool = False,
    ) -> None:
        self._out = out
        self._encoding = "" if encoding.lower().replace("-", "") == "utf8" else encoding
        self._quiet = quiet
        self._run = RunView(run_id="")
        self._prefixes: dict[str, bytes] = {}
        self._begun: set[tuple[str, int]] = set()
        self._held: dict[tuple[str, int], list[bytes]] = {}
        self._abreast = abreast
        self._lock = threading.Lock()
        self._has_begun = threading.Condition(self._lock)
        self._broken: Exception | None = None

    def record(self, record: Record) -> None:
        """Take an event."""
        with self._lock:
            event = record.event
            if isinstance(event, RunStarted):
                self._run.run_id = event.run_id
            take(self._run, record)
            for key, text in self._told(record):
                self._write(self._prefix(key) + text.encode("utf-8", "replace") + b"\n")
            if isinstance(event, StepStarted):
                self._begun.add((event.key, event.number))
                self._let_go((event.key, event.number))
                self._has_begun.notify_all()

    def lines(self, key: str, step: int, data: bytes) -> None:
        """Take whole masked lines of a step."""
        if self._quiet:
            return
        with self._lock:
            if self._abreast:
                self._has_begun.wait_for(lambda: (key, step) in self._begun, PATIENCE)
            if (key, step) in self._begun:
                self._write_lines(key, data)
            else:
                self._held.setdefault((key, step), []).append(data)

    def close(self) -> None:
        """Write the closing lines. Raises BrokenPipeError when nobody reads, else Unavailable."""
        with self._lock:
            for place in list(self._held):
                self._let_go(place)
            self._tell_end()
            if self._broken is not None:
                raise self._broken

    def _tell_end(self) -> None:
        if not self._run.run_id:
            return
        for job in self._run.jobs.values():
            for summary in job.summaries:
                self._text(f"summary of {one_line(job.name)}:")
                for line in summary.markdown.splitlines():
                    self._text(f"  {line}")
        for closed in closing(self._run):
            self._text(closed.text)

    def _told(self, record: Record) -> list[tuple[str, str]]:
        """Return (job key, text) of what an event is worth telling; '' is the run itself."""
        event = record.event
        match event:
            case RunStarted():
                run = self._run
                what = f"{run.event} of {run.ref} at {run.sha[:12]}"
                return [("", f"{title(run)}: {one_line(run.name)} (run {run.run_id}, {what})")]
            case RunPending(group=group):
                return [("", GROUP.format(one_line(group)))]
            case CancelRequested(key=key, by=by):
                return [(key, f"Cancelling ({by})")]
            case Warned(key=key, message=message):
                return [(key, f"##[warning]{one_line(message, 1000)}")]
            case StepStarted() | StepCompleted():
                return [] if self._quiet else [(event.key, _step_text(event))]
            case _:
                return self._told_of_job(event)

    def _told_of_job(self, event: object) -> list[tuple[str, str]]:
        match event:
            case JobStarted(key=key):
                return [(key, "Job started")]
            case JobPending(key=key, group=group):
                return [(key, GROUP.format(one_line(group)))]
            case JobSkipped() | JobCompleted():
                job = self._run.jobs[event.key]
                hidden = job.skipped is SkipReason.NOT_SELECTED
                return [] if hidden else [(event.key, f"Job {outcome(job)}")]
            case ArtifactStored() | ImagePushed():
                return [(event.key, made_line(event))]
            case Annotated(key=key, step=0, level=level, message=message):
                return [(key, f"##[{level}]{line}") for line in message.splitlines()]
            case _:
                return []

    def _prefix(self, key: str) -> bytes:
        if not key:
            return b""
        prefix = self._prefixes.get(key)
        if prefix is None:
            job = self._run.jobs.get(key)
            prefix = f"{one_line(job.name if job else key)} | ".encode("utf-8", "replace")
            if job is not None:
                self._prefixes[key] = prefix
        return prefix

    def _let_go(self, place: tuple[str, int]) -> None:
        """Write the lines that waited for their step."""
        for data in self._held.pop(place, ()):
            self._write_lines(place[0], data)

    def _write_lines(self, key: str, data: bytes) -> None:
        prefix = self._prefix(key)
        self._write(prefix + data[:-1].replace(b"\n", b"\n" + prefix) + b"\n")

    def _text(self, text: str) -> None:
        self._write(text.encode("utf-8", "replace") + b"\n")

    def _write(self, data: bytes) -> None:
        if self._broken is not None:
            return
        if self._encoding and not data.isascii():
            data = data.decode("utf-8", "replace").encode(self._encoding, "replace")
        try:
            self._out.write(data)
            self._out.flush()
        except (BrokenPipeError, Unavailable) as error:
            self._broken = error


def _step_text(event: StepStarted | StepCompleted) -> str:
    name = f"Step {event.number}: {one_line(event.name)}"
    if isinstance(event, StepStarted):
        return f"{name} (in the background)" if event.background else name
    if event.conclusion is Conclusion.SKIPPED:
        return f"{name}: skipped"
    text = f"{name}: {event.outcome} in {duration(event.milliseconds / 1000)}"
    if event.exit_code:
        text += f" (exit code {event.exit_code})"
    return f"{text}, continued on error" if event.conclusion != event.outcome else text
