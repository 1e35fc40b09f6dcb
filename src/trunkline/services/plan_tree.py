"""A prospect as a tree for people: what would run and why, what would not and why not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from trunkline.base.words import counted, printable
from trunkline.expr.values import to_text
from trunkline.plan.forecast import JobForecast, LegForecast, RunForecast, Verdict
from trunkline.plan.permissions import RESTRICTED, render
from trunkline.plan.triggers import NotTriggered, Triggered, find_trigger, skip_mark
from trunkline.services.forecasts import undefined_variables
from trunkline.services.lint_formats import explain
from trunkline.services.planning import Outlook, Prospect

_USUAL = render(RESTRICTED)
_SHA = 10
_ADDED = ".secrets.{0} and .vars.{0} are added; "
_ASKED = "a server would ask for approvals and waits"

Lines = Iterator[str]


def tree(
    found: Prospect,
    runs: Mapping[str, RunForecast],
    variables: Mapping[str, str],
    command: str,
) -> str:
    """Return the text; `variables` are the configuration variables, `command` what runs it as typed."""
    lines = [*_head(found), ""]
    for outlook in found.outlooks:
        run = runs.get(outlook.file)
        lines += [*_workflow(outlook, run, variables), *_errors(outlook, found.sources), ""]
    lines += _summary(found, runs, command)
    return "\n".join(map(printable, lines)) + "\n"


def _head(found: Prospect) -> Lines:
    occurrence, facts = found.occurrence, found.facts
    action = f" ({occurrence.action})" if occurrence.action else ""
    dirty = ", with uncommitted work" if facts.dirty else ""
    yield (
        f"{occurrence.event}{action} in {facts.full_name}:"
        f" {occurrence.ref} at {occurrence.sha[:_SHA]}{dirty}"
    )
    for note in occurrence.notes:
        yield f"note: {note}"


def _workflow(outlook: Outlook, run: RunForecast | None, variables: Mapping[str, str]) -> Lines:
    name = outlook.workflow.name if outlook.workflow else None
    title = f"{name}  ({outlook.file})" if name else outlook.file
    if outlook.errors:
        yield f"✗ {title}"
    elif isinstance(outlook.decision, NotTriggered):
        yield f"○ {title}"
        yield f"  not started: {outlook.decision.reason}"
    elif run is not None and isinstance(outlook.decision, Triggered):
        yield f"● {title}"
        yield f"  started by: {outlook.decision.reason}"
        yield from _run(outlook, run, variables)


def _errors(outlook: Outlook, sources: Mapping[str, Sequence[str]]) -> Lines:
    """Tell each mistake with its line."""
    for each in outlook.errors:
        for line in explain(each, sources.get(each.file, ())).splitlines():
            yield f"  {line}"


def _run(outlook: Outlook, run: RunForecast, variables: Mapping[str, str]) -> Lines:
    yield f"  run name: {run.name}"
    if run.concurrency:
        yield f"  concurrency: {run.concurrency}"
    for key, value in (outlook.occurrence.inputs if outlook.occurrence else {}).items():
        yield f"  input {key}: {to_text(value)}"
    for note in run.notes:
        yield f"  note: {note}"
    undefined = undefined_variables(outlook.plan, variables) if outlook.plan else ()
    if undefined:
        names = ", ".join(f"vars.{name}" for name in undefined)
        yield f"  warning: not defined, so empty: {names}"
    yield from _jobs(run.jobs)


def _jobs(jobs: Sequence[JobForecast]) -> Lines:
    """Draw sibling jobs with what is inside them."""
    for index, job in enumerate(jobs):
        last = index == len(jobs) - 1
        branch, below = ("└─ ", "   ") if last else ("├─ ", "│  ")
        yield f"  {branch}{_title(job)}"
        for line in _details(job):
            yield f"  {below}{line}"


def _title(job: JobForecast) -> str:
    name = job.name if job.name == job.id else f"{job.name} [{job.id}]"
    match job.verdict:
        case Verdict.SKIPPED:
            return f"{name}  skipped: {job.reason}"
        case Verdict.FAILS:
            return f"{name}  fails: {job.reason}"
        case Verdict.NOWHERE:
            return f"{name}  nowhere: {job.reason}"
        case Verdict.NOT_SELECTED:
            return f"{name}  not asked for" + (f": {job.reason}" if job.reason else "")
        case Verdict.RUNS | Verdict.LATE:
            return f"{name}  {'; '.join(_facts(job))}"


def _facts(job: JobForecast) -> Lines:
    """Say in few words what a job is: where it runs, how long, after what, on what condition."""
    if job.uses:
        yield f"calls {job.uses}"
    elif len(job.legs) == 1:
        yield _where(job.legs[0])
    if not job.uses:
        yield counted(job.steps, "step")
    if len(job.legs) > 1:
        yield f"{len(job.legs)} legs"
    if job.needs:
        yield f"needs {', '.join(job.needs)}"
    if job.verdict is Verdict.LATE:
        yield f"only the run can tell {job.reason}"
    elif job.condition:
        yield f"if: {job.condition}"


def _where(leg: LegForecast) -> str:
    if leg.place is None:
        return f"runs on {leg.runs_on}, known when it is reached"
    if not leg.place:
        return f"nowhere: no runner here for {leg.runs_on}"
    return f"on {leg.place} ({leg.runs_on})"


def _details(job: JobForecast) -> Lines:
    if job.verdict not in {Verdict.RUNS, Verdict.LATE}:
        return
    added = "" if "${{" in job.environment else _ADDED.format(job.environment)
    told = {
        "matrix, known when it is reached": job.matrix,
        "environment": job.environment and f"{job.environment}; {added}{_ASKED}",
        "concurrency": job.concurrency,
        "permissions": "" if job.permissions == _USUAL else job.permissions,
        "container": job.container,
        "services": ", ".join(job.services),
        "secrets": job.secrets,
    }
    yield from (f"{what}: {value}" for what, value in told.items() if value)
    if len(job.legs) > 1:
        yield from _legs(job)
    for line in _jobs(job.jobs):
        yield line[2:]


def _legs(job: JobForecast) -> Lines:
    for index, leg in enumerate(job.legs):
        branch = "└─ " if index == len(job.legs) - 1 and not job.jobs else "├─ "
        yield f"{branch}{leg.name}" + ("" if job.uses else f"  {_where(leg)}")


def _summary(found: Prospect, runs: Mapping[str, RunForecast], command: str) -> Lines:
    """Count runs and jobs, and say what to type next."""
    if found.errors:
        wrong = sum(1 for outlook in found.outlooks if outlook.errors)
        yield f"{counted(wrong, 'workflow file')} can't run as written."
        return
    if not runs:
        yield f"{found.occurrence.event} starts nothing here."
        yield from _another_way(found)
        return
    counts: Counter[str] = Counter()
    for run in runs.values():
        for job, times in run.leaves():
            counts.update(word for word in _counted(job) for _ in range(times))
    parts = [f"{counts[what]} {what}" for what in _COUNTED if counts[what]]
    yield f"{counted(len(runs), 'run')}: {', '.join(parts) or 'no jobs'}."
    yield f"Next: {command}"


def _another_way(found: Prospect) -> Lines:
    """Say how to rehearse what some workflow waits for: another ref or activity type."""
    event = found.occurrence.event
    if skip_mark(found.occurrence.message):
        return
    workflows = [outlook.workflow for outlook in found.outlooks if outlook.workflow]
    triggers = [trigger for each in workflows if (trigger := find_trigger(each, event))]
    types = [kind for trigger in triggers for kind in trigger.types or ()]
    if types:
        yield f'Another activity type is given with -e FILE: {{"action": "{types[0]}"}}'
    elif triggers and event == "push":
        yield 'Another branch or tag is given with -e FILE: {"ref": "refs/heads/NAME"}'


_COUNTED = ("to run", "known when reached", "skipped", "nowhere", "failing", "not asked for")


def _counted(job: JobForecast) -> Lines:
    """Yield one word a leg."""
    words = {
        Verdict.SKIPPED: "skipped",
        Verdict.NOWHERE: "nowhere",
        Verdict.FAILS: "failing",
        Verdict.NOT_SELECTED: "not asked for",
    }
    if job.verdict in words:
        yield words[job.verdict]
        return
    for leg in job.legs:
        late = job.verdict is Verdict.LATE or job.matrix
        yield "nowhere" if leg.place == "" else "known when reached" if late else "to run"
