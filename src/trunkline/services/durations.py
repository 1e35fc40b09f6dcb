"""How long a workflow's jobs took before, so that a view can say when to expect the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trunkline.base.errors import Corrupt, NotFound
from trunkline.ports.journal import Journals
from trunkline.run.events import Conclusion, Record, RunStarted
from trunkline.services.runs import RunView, view

MOST_RUNS = 5
MOST_LOOKED_AT = 25
WHOLE_RUN = ""


def expected(journals: Journals, run_id: str) -> Mapping[str, float]:
    """Return seconds by job key, and under '' for the whole run: medians of earlier successes.

    Only runs of the same workflow file of the same repository count, newest first.
    """
    samples: dict[str, list[float]] = {}
    for run in _earlier(journals, run_id):
        if run.conclusion is Conclusion.SUCCESS:
            samples.setdefault(WHOLE_RUN, []).append(run.ended - run.started)
        for job in run.jobs.values():
            if job.conclusion is Conclusion.SUCCESS and job.started:
                samples.setdefault(job.key, []).append(job.ended - job.started)
    return {key: _median(seconds) for key, seconds in samples.items()}


def _median(seconds: list[float]) -> float:
    """Return the middle one, or the mean of the two in the middle."""
    ordered = sorted(seconds)
    middle = len(ordered) // 2
    return (ordered[middle] + ordered[~middle]) / 2


def _earlier(journals: Journals, run_id: str) -> Iterator[RunView]:
    """Yield the newest runs of the same workflow that have ended."""
    found = 0
    wanted = _identity(_records(journals, run_id))
    for other in reversed(journals.runs()[-MOST_LOOKED_AT:]):
        records = _records(journals, other) if other != run_id else []
        if not records or _identity(records) != wanted:
            continue
        run = view(other, records)
        if run.conclusion is not None:
            found += 1
            yield run
        if found == MOST_RUNS:
            return


def _records(journals: Journals, run_id: str) -> list[Record]:
    """Return a run's records, none for a run that can't be read: nobody asked for that one."""
    try:
        return journals.open(run_id).read()
    except (Corrupt, NotFound):
        return []


def _identity(records: list[Record]) -> tuple[str, str]:
    """Return a run's repository and workflow file."""
    match records[0].event if records else None:
        case RunStarted(plan=plan, github=github):
            return str(github.get("repository", "")), plan.source.path
        case _:
            return "", ""
