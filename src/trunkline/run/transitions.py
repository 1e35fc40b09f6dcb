"""Which event may follow which state: the run's table and the jobs' table, the only law.

Rule: a status changes only through these tables, and an event that a table does not name there can't
happen. An event's key means the leg of that name, or the job of that name while it has no legs yet.
What ends a job's last leg ends the job (`EXPANDED`). Whatever reads or draws the machine reads this.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from trunkline.base.errors import Corrupt
from trunkline.run.events import (
    Annotated,
    ArtifactStored,
    CancelRequested,
    Event,
    ImagePushed,
    JobCompleted,
    JobExpanded,
    JobGranted,
    JobPending,
    JobSkipped,
    JobStarted,
    RepositoryWritten,
    RunCompleted,
    RunGranted,
    RunPending,
    RunStarted,
    StepCompleted,
    StepStarted,
    Summarized,
    Warned,
)


class RunStatus(StrEnum):
    """Where a run stands."""

    NEW = "new"
    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"


class JobStatus(StrEnum):
    """Where a job (waiting, expanded) or one of its legs (the others) stands."""

    WAITING = "waiting"
    EXPANDED = "expanded"
    PENDING = "pending"
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    SKIPPED = "skipped"


ENDED = frozenset({JobStatus.COMPLETED, JobStatus.SKIPPED})

# Events of the run itself. Those of jobs and steps need a run that is under way.
RUN: Mapping[RunStatus, Mapping[type[Event], RunStatus]] = {
    RunStatus.NEW: {RunStarted: RunStatus.RUNNING},
    RunStatus.RUNNING: {
        RunPending: RunStatus.PENDING,
        CancelRequested: RunStatus.RUNNING,
        Warned: RunStatus.RUNNING,
        RunCompleted: RunStatus.COMPLETED,
    },
    RunStatus.PENDING: {
        RunGranted: RunStatus.RUNNING,
        CancelRequested: RunStatus.PENDING,
        Warned: RunStatus.PENDING,
        RunCompleted: RunStatus.COMPLETED,
    },
    RunStatus.COMPLETED: {},
}

# A leg is born queued, by its job's JobExpanded.
BORN = JobStatus.QUEUED

JOBS: Mapping[JobStatus, Mapping[type[Event], JobStatus]] = {
    JobStatus.WAITING: {
        JobExpanded: JobStatus.EXPANDED,
        JobSkipped: JobStatus.SKIPPED,
        JobCompleted: JobStatus.COMPLETED,
        Annotated: JobStatus.WAITING,
        Warned: JobStatus.WAITING,
    },
    JobStatus.EXPANDED: {
        JobCompleted: JobStatus.COMPLETED,
        JobSkipped: JobStatus.COMPLETED,
    },
    JobStatus.QUEUED: {
        JobPending: JobStatus.PENDING,
        JobStarted: JobStatus.RUNNING,
        JobSkipped: JobStatus.SKIPPED,
        JobCompleted: JobStatus.COMPLETED,
        CancelRequested: JobStatus.QUEUED,
        Annotated: JobStatus.QUEUED,
        Warned: JobStatus.QUEUED,
    },
    JobStatus.PENDING: {
        JobPending: JobStatus.PENDING,
        JobGranted: JobStatus.QUEUED,
        JobCompleted: JobStatus.COMPLETED,
        CancelRequested: JobStatus.PENDING,
        Annotated: JobStatus.PENDING,
        Warned: JobStatus.PENDING,
    },
    JobStatus.RUNNING: {
        StepStarted: JobStatus.RUNNING,
        StepCompleted: JobStatus.RUNNING,
        Annotated: JobStatus.RUNNING,
        Summarized: JobStatus.RUNNING,
        ArtifactStored: JobStatus.RUNNING,
        RepositoryWritten: JobStatus.RUNNING,
        ImagePushed: JobStatus.RUNNING,
        Warned: JobStatus.RUNNING,
        CancelRequested: JobStatus.RUNNING,
        JobSkipped: JobStatus.SKIPPED,
        JobCompleted: JobStatus.COMPLETED,
    },
    JobStatus.COMPLETED: {},
    JobStatus.SKIPPED: {},
}


def next_run_status(status: RunStatus, event: type[Event]) -> RunStatus:
    """Return the run's status after an event. Raises Corrupt where the table has none."""
    try:
        return RUN[status][event]
    except KeyError:
        raise Corrupt(f"A run that is {status} can't see {event.__name__}.") from None


def next_job_status(status: JobStatus, event: type[Event]) -> JobStatus:
    """Return a job's or leg's status after an event. Raises Corrupt where the table has none."""
    try:
        return JOBS[status][event]
    except KeyError:
        raise Corrupt(f"A job that is {status} can't see {event.__name__}.") from None
