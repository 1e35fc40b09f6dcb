"""`trunkline show RUN`: one run, its jobs, steps, annotations, artifacts."""

from __future__ import annotations

import sys

import msgspec

from trunkline import settings
from trunkline.app import System
from trunkline.base.words import printable
from trunkline.cli.arguments import add_run, verb_parser
from trunkline.cli.times import duration
from trunkline.cli.views.summary import (
    annotation_line,
    artifact_line,
    image_lines,
    kept_artifacts,
    written_line,
)
from trunkline.run.events import SkipReason
from trunkline.services import runs as service
from trunkline.services.runs import JobView, RunView, StepView

MARKS = {"success": "✓", "failure": "✗", "cancelled": "⊘", "skipped": "-"}


def main(argv: list[str]) -> int:
    """Show one run; return 0."""
    parser = verb_parser("show", "Show one run: its jobs, steps, annotations and artifacts.")
    add_run(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document")
    options = parser.parse_args(argv)
    run = service.show(System(settings.read()).journals, options.run)
    if options.json:
        sys.stdout.write(msgspec.json.encode(run).decode() + "\n")
    else:
        sys.stdout.write("\n".join(_lines(run)) + "\n")
    return 0


def _lines(run: RunView) -> list[str]:
    spent = f" in {duration(run.ended - run.started)}" if run.ended else ""
    torn = "killed, its process ended before it did"
    state = run.conclusion or (torn if run.is_torn else "running")
    found = [
        f"{run.repository}: {printable(f'{run.workflow} #{run.number}: {run.name}')}",
        f"run {run.run_id}: {state}{spent}, on {run.event} of {run.ref} at {run.sha[:12]}",
    ]
    for job in run.jobs.values():
        if job.skipped is not SkipReason.NOT_SELECTED:
            found += _job(job)
    found += [f"warning: {message}" for message in run.warnings]
    found += [f"{artifact_line(stored)} ({stored.digest})" for stored in kept_artifacts(run)]
    found += image_lines(run.images)
    found += [written_line(each) for each in run.writes]
    return found


def _job(job: JobView) -> list[str]:
    spent = f"  {duration(job.ended - job.started)}" if job.ended and job.started else ""
    why = f" ({job.skipped})" if job.skipped else ""
    found = ["", f"{_mark(job.conclusion)} {printable(job.name)}{spent}{why}"]
    if job.message:
        found.append(f"    {job.message}")
    found += [_step(step) for step in job.steps.values()]
    found += [f"    {told.level}: {annotation_line(told)}" for told in job.annotations]
    for summary in job.summaries:
        found += ["", *(f"    {line}" for line in summary.markdown.splitlines())]
    if job.workspace:
        found.append(f"    workspace kept: {job.workspace}")
    return found


def _step(step: StepView) -> str:
    code = f"  exit code {step.exit_code}" if step.exit_code else ""
    spent = duration(step.milliseconds / 1000) if step.conclusion != "skipped" else ""
    return f"  {_mark(step.conclusion)} {step.number:>3}  {printable(step.name)}  {spent}{code}".rstrip()


def _mark(conclusion: str | None) -> str:
    return MARKS.get(str(conclusion), "•")
