"""Runs as people ask for them: listed, shown, their lines read, forgotten when old."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from trunkline.base.errors import Corrupt, NotFound
from trunkline.ports.clock import Clock
from trunkline.ports.journal import Journals
from trunkline.ports.logs import LogStore
from trunkline.run.events import (
    Annotated,
    ArtifactStored,
    CancelRequested,
    Conclusion,
    ImagePushed,
    JobCompleted,
    JobExpanded,
    JobGranted,
    JobPending,
    JobSkipped,
    JobStarted,
    Record,
    RepositoryWritten,
    RunCompleted,
    RunGranted,
    RunPending,
    RunStarted,
    SkipReason,
    StepCompleted,
    StepStarted,
    Summarized,
    Warned,
)

DAY = 86_400.0


class StepView(msgspec.Struct, kw_only=True):
    """A step as it stands: `conclusion` is None while it runs. Log lines count from 0."""

    number: int
    name: str
    conclusion: Conclusion | None = None
    started: float = 0.0
    milliseconds: int = 0
    first_line: int = 0
    end_line: int = 0
    exit_code: int | None = None


class JobView(msgspec.Struct, kw_only=True):
    """A leg as it stands; times are epoch seconds, 0 for not yet.

    `detail` says more about why it was skipped; `waits_for` is the concurrency group it waits for.
    """

    key: str
    name: str
    conclusion: Conclusion | None = None
    started: float = 0.0
    ended: float = 0.0
    message: str = ""
    workspace: str = ""
    skipped: SkipReason | None = None
    detail: str = ""
    waits_for: str = ""
    steps: dict[int, StepView] = {}
    annotations: list[Annotated] = []
    summaries: list[Summarized] = []


class RunView(msgspec.Struct, kw_only=True):
    """A run as its journal tells it; `conclusion` is None while it runs, or if it was torn off.

    `is_torn`: the process that ran it ended, killed perhaps, before the run did.
    """

    run_id: str
    number: int = 0
    repository: str = ""
    workflow: str = ""
    file: str = ""
    event: str = ""
    name: str = ""
    ref: str = ""
    sha: str = ""
    started: float = 0.0
    ended: float = 0.0
    conclusion: Conclusion | None = None
    jobs: dict[str, JobView] = {}
    artifacts: list[ArtifactStored] = []
    images: list[ImagePushed] = []
    writes: list[RepositoryWritten] = []
    warnings: list[str] = []
    waits_for: str = ""
    cancelled_by: str = ""
    forced: bool = False
    is_torn: bool = False


def view(run_id: str, records: Iterable[Record]) -> RunView:
    """Fold a journal into what people look at."""
    found = RunView(run_id=run_id)
    for record in records:
        take(found, record)
    return found


def show(journals: Journals, run_id: str) -> RunView:
    """Return one run; `run_id` may be its end, or `latest`. Raises NotFound, Corrupt."""
    return _seen(journals, resolve(journals, run_id))


def _seen(journals: Journals, run_id: str) -> RunView:
    journal = journals.open(run_id)
    # Asked first: a run that ends between the two questions has ended well.
    has_writer = journal.writer() is not None
    found = view(run_id, journal.read())
    has_begun = found.started > 0
    found.is_torn = has_begun and found.conclusion is None and not has_writer
    return found


def resolve(journals: Journals, run_id: str) -> str:
    """Return the whole id of the run that `run_id` (or its last digits) names. Raises NotFound."""
    runs = journals.runs()
    if not runs:
        raise NotFound("There are no runs yet.", hint="`trunkline run` makes one.")
    if run_id in {"", "latest"}:
        return runs[-1]
    if run_id in runs:
        return run_id
    ending = [run for run in runs if run.endswith(run_id)]
    if len(ending) == 1:
        return ending[0]
    if ending:
        raise NotFound(f"'{run_id}' names several runs: {', '.join(ending[-5:])}.")
    raise NotFound(f"There is no run '{run_id}'.", hint="`trunkline runs` lists them.")


def listed(journals: Journals, limit: int) -> Iterator[RunView]:
    """Yield the newest runs first, at most `limit` (0: all); a broken one says so in `name`."""
    runs = journals.runs()
    for run_id in reversed(runs[-limit:] if limit else runs):
        try:
            yield _seen(journals, run_id)
        except Corrupt as error:
            yield RunView(run_id=run_id, name=error.message)
        except NotFound:
            continue


def job_of(run: RunView, wanted: str) -> list[JobView]:
    """Return the jobs whose key, name or id is `wanted` ('': all). Raises NotFound."""
    if not wanted:
        return list(run.jobs.values())
    lower = wanted.lower()
    found = [job for job in run.jobs.values() if lower in {job.key.lower(), job.name.lower()}]
    found = found or [
        job for job in run.jobs.values() if job.key.lower().startswith((f"{lower} (", f"{lower}/"))
    ]
    if not found:
        names = ", ".join(run.jobs) or "none"
        raise NotFound(f"Run {run.run_id} has no job '{wanted}'.", hint=f"Its jobs: {names}.")
    return found


def lines(logs: LogStore, run: RunView, job: JobView, step: int = 0) -> bytes:
    """Return a job's stored lines, or those of one step (numbers as `show` prints them)."""
    if not step:
        return logs.read(run.run_id, job.key)
    found = job.steps.get(step)
    if found is None:
        raise NotFound(f"Job {job.key} has no step {step}.", hint=f"It has 1 to {len(job.steps)}.")
    count = found.end_line - found.first_line
    if found.conclusion is not None and count <= 0:
        return b""
    return logs.read(run.run_id, job.key, found.first_line, max(count, 0))


def forget_old(journals: Journals, clock: Clock, keep_days: int) -> int:
    """Remove runs that began more than `keep_days` days ago; return how many.

    The newest one stays whatever its age, and so does one that still goes on.
    """
    removed = 0
    horizon = clock.now() - keep_days * DAY
    for run_id in journals.runs()[:-1]:
        if journals.begun(run_id) >= horizon:
            break
        if journals.open(run_id).writer() is None:
            journals.remove(run_id)
            removed += 1
    return removed


def take(found: RunView, record: Record) -> None:
    """Fold one more record into a run."""
    event = record.event
    match event:
        case RunStarted():
            _begin(found, event, record.at)
        case RunCompleted(conclusion=conclusion):
            found.conclusion, found.ended = conclusion, record.at
        case ArtifactStored():
            others = (each for each in found.artifacts if each.name != event.name)
            found.artifacts = [*others, event]  # one that was overwritten is gone
        case ImagePushed():
            found.images.append(event)
        case RepositoryWritten():
            found.writes.append(event)
        case Warned(message=message):
            found.warnings.append(message)
        case RunPending(group=group):
            found.waits_for = group
        case RunGranted():
            found.waits_for = ""
        case CancelRequested(key=""):
            found.cancelled_by, found.forced = event.by, event.force
        case _:
            _take_job(found, record)


def _begin(found: RunView, event: RunStarted, at: float) -> None:
    found.number, found.started, found.name = event.number, at, event.name
    found.workflow, found.file = event.plan.name, event.plan.source.path
    found.event = event.plan.event
    found.repository = str(event.github.get("repository", ""))
    found.ref = str(event.github.get("ref", ""))
    found.sha = str(event.github.get("sha", ""))


def _take_job(found: RunView, record: Record) -> None:
    event = record.event
    match event:
        case JobExpanded(legs=legs):
            for leg in legs:
                found.jobs.setdefault(leg.key, JobView(key=leg.key, name=leg.name))
        case JobSkipped():
            job = found.jobs.setdefault(event.key, JobView(key=event.key, name=event.name))
            job.conclusion, job.skipped = Conclusion.SKIPPED, event.reason
            job.detail = event.detail
        case JobPending() | JobGranted():
            group = event.group if isinstance(event, JobPending) else ""
            _job_view(found, event.key).waits_for = group
        case JobStarted(key=key):
            found.jobs[key].started = record.at
        case JobCompleted():
            job = _job_view(found, event.key)
            job.conclusion, job.ended = event.conclusion, record.at
            job.message, job.workspace = event.message, event.workspace
        case StepStarted() | StepCompleted():
            _take_step(found.jobs[event.key], event, record.at)
        case Annotated() | Summarized():
            _take_told(_job_view(found, event.key), event)
        case _:
            pass


def _take_told(job: JobView, event: Annotated | Summarized) -> None:
    if isinstance(event, Annotated):
        job.annotations.append(event)
    else:
        job.summaries.append(event)


def _job_view(found: RunView, key: str) -> JobView:
    """Return a job, one that ended before it had legs too: it goes by its key then."""
    return found.jobs.setdefault(key, JobView(key=key, name=key))


def _take_step(job: JobView, event: StepStarted | StepCompleted, at: float) -> None:
    step = job.steps.get(event.number)
    if step is None:
        step = job.steps[event.number] = StepView(
            number=event.number, name=event.name, started=at, first_line=event.log_line
        )
    if isinstance(event, StepCompleted):
        step.conclusion, step.end_line = event.conclusion, event.log_line
        step.milliseconds, step.exit_code = event.milliseconds, event.exit_code
