"""Every pair of a status and an event: allowed by the table, or refused."""

from __future__ import annotations

from typing import get_args

import pytest

from tests.state_machine_page import PAGE, page
from trunkline.base.errors import Corrupt
from trunkline.run.events import CancelRequested, Event, Warned
from trunkline.run.transitions import (
    BORN,
    ENDED,
    JOBS,
    RUN,
    JobStatus,
    RunStatus,
    next_job_status,
    next_run_status,
)

EVENTS = get_args(Event)


@pytest.mark.parametrize("status", RunStatus)
def test_the_runs_table_is_the_only_law(status):
    for event in EVENTS:
        if event in RUN[status]:
            assert next_run_status(status, event) is RUN[status][event]
        else:
            with pytest.raises(Corrupt, match=event.__name__):
                next_run_status(status, event)


@pytest.mark.parametrize("status", JobStatus)
def test_the_jobs_table_is_the_only_law(status):
    for event in EVENTS:
        if event in JOBS[status]:
            assert next_job_status(status, event) is JOBS[status][event]
        else:
            with pytest.raises(Corrupt, match=event.__name__):
                next_job_status(status, event)


def test_every_event_has_a_place():
    placed = {event for table in (RUN, JOBS) for row in table.values() for event in row}
    assert placed == set(EVENTS)
    both = {event for row in RUN.values() for event in row} & {
        event for row in JOBS.values() for event in row
    }
    assert both == {CancelRequested, Warned}  # those with a key are about a leg


def test_the_end_is_the_end():
    assert not RUN[RunStatus.COMPLETED]
    assert not any(JOBS[status] for status in ENDED)


def test_every_status_can_be_reached_and_left():
    reached = {after for row in JOBS.values() for after in row.values()} | {BORN, JobStatus.WAITING}
    assert reached == set(JobStatus)
    for status in set(JobStatus) - ENDED:
        assert ENDED & set(_reachable(status))


def _reachable(status: JobStatus) -> set[JobStatus]:
    found: set[JobStatus] = set()
    waiting = [status]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting.extend(JOBS[each].values())
    return found


def test_the_page_in_the_docs_is_drawn_from_the_tables():
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tests.state_machine_page`"
