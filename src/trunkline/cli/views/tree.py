"""The rows of the live view: jobs, their steps, and the last lines of what runs now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rich.text import Text

from trunkline.cli.times import duration
from trunkline.cli.views.summary import failed_steps, one_line, title
from trunkline.cli.views.terminal import readable
from trunkline.run.events import Conclusion, SkipReason
from trunkline.services.runs import JobView, RunView, StepView

MOST_TAIL = 6
HEADER, HEADER_END = b"##[group]Run ", b"##[endgroup]\n"

# A running job is worth this many rows (itself, its step, some lines) before ended ones are.
LEAST_ROWS = 6
TIME_COLUMN = 100
COLOURS = {
    Conclusion.SUCCESS: "green",
    Conclusion.FAILURE: "red",
    Conclusion.CANCELLED: "yellow",
    Conclusion.SKIPPED: "bright_black",
}


class Signs(NamedTuple):
    """The signs of a view: those of its results, of what runs and waits, and others."""

    results: Mapping[Conclusion, str]
    spinner: Sequence[str]
    waiting: str
    arrow: str
    bar: str
    more: str


FINE = Signs(
    {
        Conclusion.SUCCESS: "✓",
        Conclusion.FAILURE: "✗",
        Conclusion.CANCELLED: "⊘",
        Conclusion.SKIPPED: "-",
    },
    "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏",
    "◌",
    "▸",
    "│",
    "…",
)
ASCII = Signs(
    {
        Conclusion.SUCCESS: "+",
        Conclusion.FAILURE: "x",
        Conclusion.CANCELLED: "!",
        Conclusion.SKIPPED: "-",
    },
    "|/-\\",
    ".",
    ">",
    "|",
    "...",
)


class Scene(NamedTuple):
    """All that a frame shows.

    `tails` are the last lines of running steps by (job, step); `expected` seconds by job key, from
    earlier runs, '' for the whole run; `planned` jobs that have no legs yet; `now` epoch seconds.
    """

    run: RunView
    tails: Mapping[tuple[str, int], bytes]
    expected: Mapping[str, float]
    planned: Sequence[str]
    now: float
    width: int
    height: int
    signs: Signs


def rows(scene: Scene) -> list[Text]:
    """Return a frame's rows: a heading, the jobs, a hint; at most `height` of them."""
    run = scene.run
    heading = _row(
        scene,
        Text(f"{title(run)}  {one_line(run.name)}", style="bold"),
        _clock(scene, "", run.started),
    )
    room = max(scene.height - 3, 1)
    found = [heading, *_jobs(scene, room), _hint(run)][: max(scene.height, 1)]
    for row in found:
        row.truncate(scene.width, overflow="crop")
    return found


def _jobs(scene: Scene, room: int) -> list[Text]:
    jobs = [job for job in scene.run.jobs.values() if job.skipped is not SkipReason.NOT_SELECTED]
    running = [job for job in jobs if job.conclusion is None and job.started]
    ended = [job for job in jobs if job.conclusion is not None]
    waiting = [job.name for job in jobs if job.conclusion is None and not job.started]
    waiting += scene.planned
    notes = _waiting_rows(scene, jobs, waiting)
    wanted = LEAST_ROWS * len(running)
    if len(ended) + wanted + len(notes) > room:
        notes = [_folded(scene, waiting)] if waiting else []
    places = max(room - wanted - len(notes), 2 if room > 10 else 1)
    done = _results(scene, ended, places)
    left = max(room - len(done) - len(notes), 1)
    return [*done, *_running(scene, running, left), *notes]


def _running(scene: Scene, running: list[JobView], room: int) -> list[Text]:
    """Return the rows of running jobs: each its own, its current step, and lines as they fit."""
    most = max(room // 2, 1)
    shown, hidden = running[:most], running[most:]
    found: list[Text] = []
    for place, job in enumerate(shown):
        left = room - bool(hidden) - len(found)
        found.append(_job_row(scene, job))
        found += _steps(scene, job, left // (len(shown) - place) - 1)
    if hidden:
        found.append(Text(f"{scene.signs.more} {len(hidden)} more running", style="bright_black"))
    return found


def _steps(scene: Scene, job: JobView, room: int) -> list[Text]:
    current = [step for step in job.steps.values() if step.conclusion is None]
    current = current[: max(room, 0)]
    ended = [step for step in job.steps.values() if step.conclusion is not None]
    left = room - len(current)
    tail = min(MOST_TAIL, left // max(len(current), 1)) if current else 0
    before = left - tail * len(current)
    found = [_step_row(scene, step) for step in ended[max(len(ended) - before, 0) :]]
    for step in current:
        found.append(_step_row(scene, step))
        found += _tail(scene, scene.tails.get((job.key, step.number), b""), tail)
    return found


def _tail(scene: Scene, data: bytes, count: int) -> list[Text]:
    if data.startswith(HEADER):  # what the step is given, as GitHub folds it away
        data = data.partition(HEADER_END)[2]
    if not data or count <= 0:
        return []
    lines = data.decode("utf-8", "replace").rstrip("\n").split("\n")[-count:]
    text = readable("\n".join(lines), colours=True, arrow=scene.signs.arrow)
    return [_tail_row(scene, line) for line in text.split("\n") if line.strip()]


def _tail_row(scene: Scene, line: str) -> Text:
    row = Text(f"      {scene.signs.bar} ", style="bright_black", no_wrap=True)
    return row.append_text(Text.from_ansi(line[: 4 * scene.width].expandtabs(4)))


def _job_row(scene: Scene, job: JobView) -> Text:
    if job.conclusion is None:
        row = Text.assemble((f"{_spinner(scene)} ", "cyan"), (one_line(job.name), "bold"))
        return _row(scene, row, _clock(scene, job.key, job.started))
    colour = COLOURS[job.conclusion]
    row = Text.assemble((f"{scene.signs.results[job.conclusion]} ", colour), one_line(job.name))
    failed = failed_steps(job)
    if failed:
        row.append(f"  {one_line(failed[0].name, 40)}", style=colour)
    if job.skipped is not None:
        row.append(f"  {one_line(job.detail) or job.skipped}", style=colour)
    spent = duration(job.ended - job.started) if job.started and job.ended else ""
    return _row(scene, row, spent)


def _step_row(scene: Scene, step: StepView) -> Text:
    if step.conclusion is None:
        mark, colour = _spinner(scene), "cyan"
        spent = duration(scene.now - step.started)
    else:
        mark, colour = scene.signs.results[step.conclusion], COLOURS[step.conclusion]
        skipped = step.conclusion is Conclusion.SKIPPED
        spent = "" if skipped else duration(step.milliseconds / 1000)
    row = Text.assemble("  ", (f"{mark} ", colour), one_line(step.name))
    return _row(scene, row, spent)


def _waiting_rows(scene: Scene, jobs: Sequence[JobView], names: Sequence[str]) -> list[Text]:
    groups = {job.name: job.waits_for for job in jobs}
    found = []
    for name in names:
        group = groups.get(name, "")
        reason = f"  waits for concurrency group '{group}'" if group else ""
        text = f"{scene.signs.waiting} {one_line(name)}{reason}"
        found.append(_row(scene, Text(text, style="bright_black"), ""))
    return found


def _folded(scene: Scene, names: Sequence[str]) -> Text:
    """Return one row for all that waits."""
    text = f"{scene.signs.waiting} {len(names)} waiting: {', '.join(names)}"
    return _row(scene, Text(one_line(text, 10 * scene.width), style="bright_black"), "")


def _results(scene: Scene, ended: Sequence[JobView], room: int) -> list[Text]:
    """Return a row for each result; where they do not fit, failures and the newest others."""
    if len(ended) <= room:
        return [_job_row(scene, job) for job in ended]
    failed = [job for job in ended if job.conclusion is Conclusion.FAILURE][: room - 1]
    others = [job for job in ended if job.conclusion is not Conclusion.FAILURE]
    places = room - 1 - len(failed)
    shown = [*failed, *(others[-places:] if places else [])]
    count = f"{scene.signs.more} {len(ended) - len(shown)} more ended"
    return [Text(count, style="bright_black"), *(_job_row(scene, job) for job in shown)]


def _hint(run: RunView) -> Text:
    if run.forced:
        return Text("Killing what runs", style="yellow")
    if run.cancelled_by:
        text = f"Cancelling ({run.cancelled_by}); Ctrl-C again kills"
        return Text(text, style="yellow")
    if run.waits_for:
        return Text(f"Waiting for concurrency group '{run.waits_for}'", style="yellow")
    return Text("Ctrl-C cancels", style="bright_black")


def _clock(scene: Scene, key: str, started: float) -> str:
    """Return how long something runs, and how long it took before while that lies ahead."""
    if not started:
        return ""
    seconds, expected = scene.now - started, scene.expected.get(key, 0.0)
    return (
        f"{duration(seconds)} of ~{duration(expected)}" if seconds < expected else duration(seconds)
    )


def _spinner(scene: Scene) -> str:
    signs = scene.signs.spinner
    return signs[int(scene.now * 8) % len(signs)]


def _row(scene: Scene, left: Text, right: str) -> Text:
    """Lay out a row: the left part cut to fit, the right part at the edge."""
    width = min(scene.width, TIME_COLUMN)
    left.no_wrap = True
    room = width - len(right) - 1
    if room < 10:
        return left
    left.truncate(room, overflow="ellipsis" if scene.signs is FINE else "crop", pad=bool(right))
    if right:
        left.append(f" {right}", style="bright_black")
    return left
