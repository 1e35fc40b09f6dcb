"""The closing lines of a run: results, artifacts, warnings, and the next command to type."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from typing import NamedTuple

from trunkline.base.words import counted, printable
from trunkline.cli.program import program
from trunkline.cli.times import duration
from trunkline.run.events import (
    Annotated,
    ArtifactStored,
    Conclusion,
    ImagePushed,
    RepositoryWritten,
    SkipReason,
)
from trunkline.services.runs import JobView, RunView, StepView

# How results read in the last line, in this order.
WORDS = (
    (Conclusion.SUCCESS, "succeeded"),
    (Conclusion.FAILURE, "failed"),
    (Conclusion.CANCELLED, "cancelled"),
    (Conclusion.SKIPPED, "skipped"),
)
REASONS = {
    SkipReason.CONDITION: "its condition does not hold",
    SkipReason.NO_RUNNER: "no runner here",
    SkipReason.NOT_SELECTED: "not asked for",
}

# Jobs that never started, for one reason: more than these share a line.
MOST_ALIKE = 3


class Line(NamedTuple):
    """A closing line: its text, and the conclusion that gives it a mark and a colour (None: none)."""

    text: str
    conclusion: Conclusion | None = None


def closing(run: RunView) -> list[Line]:
    """Return the lines that end a run's view; the last one counts results and says what to type."""
    jobs = [job for job in run.jobs.values() if job.skipped is not SkipReason.NOT_SELECTED]
    lines = _job_lines(jobs)
    lines += [Line(f"warning: {message}") for message in run.warnings]
    lines += [Line(artifact_line(stored)) for stored in kept_artifacts(run)]
    lines += [Line(text) for text in image_lines(run.images)]
    lines += [Line(written_line(each)) for each in run.writes]
    lines += [
        Line(f"workspace of {job.name} kept: {job.workspace}")
        for job in jobs
        if job.workspace and job.conclusion is Conclusion.FAILURE
    ]
    return [*lines, Line(last_line(run), run.conclusion)]


def _job_lines(jobs: list[JobView]) -> list[Line]:
    """Return a line a job; many that never started, for the same reason, share one."""
    lines = [Line(job_line(job), job.conclusion) for job in jobs if job.started]
    alike: dict[str, list[JobView]] = {}
    for job in jobs:
        if not job.started:
            alike.setdefault(outcome(job), []).append(job)
    for text, group in alike.items():
        names = ", ".join(job.name for job in group)
        if len(group) > MOST_ALIKE:
            lines.append(
                Line(f"{len(group)} jobs ({one_line(names)}): {text}", group[0].conclusion)
            )
        else:
            lines += [Line(job_line(job), job.conclusion) for job in group]
    return lines


def job_line(job: JobView) -> str:
    """Return a job's name and outcome in one line."""
    return f"{one_line(job.name)}: {outcome(job)}"


def outcome(job: JobView) -> str:
    """Return what became of a job: how long it took, why it was skipped, or what failed."""
    if job.skipped is not None:
        return f"skipped, {job.detail or REASONS[job.skipped]}"
    spent = f" in {duration(job.ended - job.started)}" if job.ended and job.started else ""
    text = f"{job.conclusion or 'not finished'}{spent}"
    if job.message:
        return f"{text}: {job.message.splitlines()[0]}"
    failed = failed_steps(job)
    if failed and job.conclusion is not Conclusion.SUCCESS:
        return f"{text}, in step {failed[0].number} '{one_line(failed[0].name)}'" + _code(failed[0])
    return text


def failed_steps(job: JobView) -> list[StepView]:
    """Return the steps that failed for good, in order."""
    return [step for step in job.steps.values() if step.conclusion is Conclusion.FAILURE]


def kept_artifacts(run: RunView) -> list[ArtifactStored]:
    """Return the artifacts that are there: jobs delete some, of parts that they merged for example."""
    return [each for each in run.artifacts if not each.path or os.path.lexists(each.path)]


def artifact_line(stored: ArtifactStored) -> str:
    """Return what an artifact is and where it lies."""
    files = counted(stored.files, "file")
    place = f": {stored.path}" if stored.path else ""
    return f"artifact {stored.name}, {files}, {size(stored.size)}{place}"


def made_line(event: ArtifactStored | ImagePushed) -> str:
    """Return what a job has made, and where it lies."""
    if isinstance(event, ArtifactStored):
        return f"Stored {artifact_line(event)}"
    where = "to the local registry" if event.kept_as else "to its own registry"
    large = f", {size(event.size)}" if event.size else ""
    return f"Pushed image {event.reference} {where}{large}, {event.digest}"


def written_line(event: RepositoryWritten) -> str:
    """Return what a job has written to its repository, or would have."""
    place = f"sent to {one_line(event.sent_to)}" if event.sent_to else "recorded here, not sent"
    return f"{event.kind} {one_line(event.what)}: {place}"


def image_lines(images: list[ImagePushed]) -> list[str]:
    """Return a line an image, with all the names it was pushed under, and how to see more."""
    names: dict[tuple[str, bool], list[str]] = {}
    for pushed in images:
        names.setdefault((pushed.digest, bool(pushed.kept_as)), []).append(pushed.reference)
    lines = []
    for (digest, is_kept), references in names.items():
        listed = ", ".join(dict.fromkeys(references))
        place = "in the local registry" if is_kept else "published"
        lines.append(f"image {listed} {place}: {digest}")
    if any(pushed.kept_as for pushed in images):
        lines.append(f"images kept here: {shlex.quote(program())} images")
    return lines


def annotation_line(told: Annotated) -> str:
    """Return an annotation as compilers write them: `file:line:column: title: message`."""
    place = ":".join(
        str(part) for part in (told.file, told.line, told.column) if part and told.file
    )
    return ": ".join(part for part in (place, told.title, told.message) if part)


def last_line(run: RunView) -> str:
    """Return the line that counts results, and ends with the next command."""
    counts = Counter(job.conclusion for job in run.jobs.values() if job.skipped is None)
    counts.update(
        Conclusion.SKIPPED for job in run.jobs.values() if job.skipped is SkipReason.CONDITION
    )
    counted = [f"{counts[each]} {word}" for each, word in WORDS if counts[each]]
    stranded = sum(job.skipped is SkipReason.NO_RUNNER for job in run.jobs.values())
    if stranded:
        counted.append(f"{stranded} skipped for want of a runner here")
    spent = f" in {duration(run.ended - run.started)}" if run.ended else ""
    result = f"{title(run)}: {run.conclusion or 'not finished'}{spent}"
    by = f" (cancelled by {run.cancelled_by})" if run.cancelled_by else ""
    return f"{result}{by}; jobs: {', '.join(counted) or 'none'}. Next: {next_command(run)}"


def next_command(run: RunView) -> str:
    """Return what to type to see more: the log of the first job that failed, else the run."""
    for job in run.jobs.values():
        if job.conclusion is Conclusion.FAILURE and job.started:
            return f"{shlex.quote(program())} logs {run.run_id} -j {shlex.quote(job.key)}"
    return f"{shlex.quote(program())} show {run.run_id}"


def title(run: RunView) -> str:
    """Return what a run is called: `CI #12`."""
    return f"{one_line(run.workflow or run.file)} #{run.number}"


def one_line(text: str, most: int = 80) -> str:
    """Return text for a place in a line: control characters gone, the end cut."""
    text = printable(text)
    return text if len(text) <= most else text[: most - 3] + "..."


def size(count: int) -> str:
    """Return a number of bytes in words: `512 B`, `1.5 kB`, `3.0 MB`."""
    number, units = float(count), iter(("B", "kB", "MB", "GB"))
    unit = next(units)
    while number >= 1000:
        following = next(units, None)
        if following is None:
            break
        number, unit = number / 1000, following
    return f"{count} B" if unit == "B" else f"{number:.1f} {unit}"


def _code(step: StepView) -> str:
    return f" (exit code {step.exit_code})" if step.exit_code else ""
