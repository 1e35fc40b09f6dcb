"""A run as records, made by hand: what views are shown in tests."""

from __future__ import annotations

from trunkline.expr.template import Expression
from trunkline.plan.model import Plan, PlannedJob, Source
from trunkline.run.events import (
    Annotated,
    ArtifactStored,
    Conclusion,
    Event,
    JobCompleted,
    JobExpanded,
    JobSkipped,
    JobStarted,
    Leg,
    Record,
    RunCompleted,
    RunStarted,
    SkipReason,
    StepCompleted,
    StepStarted,
    Summarized,
    Warned,
)

START = 1_700_000_000.0
SOURCE = Source(path=".github/workflows/ci.yml")
# A file that is there.
ARTIFACT = __file__


class Story:
    """Numbers events, a second apart."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def tell(self, *events: Event) -> list[Record]:
        """Return the records of the next events."""
        made = []
        for event in events:
            number = len(self.records) + 1
            record = Record(number=number, at=START + number, event=event)
            self.records.append(record)
            made.append(record)
        return made


def started(*jobs: str) -> RunStarted:
    planned = tuple(
        PlannedJob(id=job, condition=Expression("success()"), source=SOURCE, permissions={})
        for job in jobs
    )
    return RunStarted(
        run_id="42",
        number=7,
        plan=Plan(source=SOURCE, name="CI", event="push", jobs=planned),
        github={"ref": "refs/heads/main", "sha": "0123456789abcdef", "repository": "o/r"},
        name="Fix it",
    )


def job_begins(key: str, name: str = "") -> tuple[Event, ...]:
    return (
        JobExpanded(job=key, legs=(Leg(key=key, name=name or key),)),
        JobStarted(key=key),
    )


def step(
    key: str, number: int, name: str, conclusion: Conclusion, lines: tuple[int, int] = (0, 0)
) -> tuple[StepStarted, StepCompleted]:
    return (
        StepStarted(key=key, number=number, name=name, log_line=lines[0]),
        StepCompleted(
            key=key,
            number=number,
            name=name,
            outcome=conclusion,
            conclusion=conclusion,
            log_line=lines[1],
            milliseconds=1500,
            exit_code=1 if conclusion is Conclusion.FAILURE else 0,
        ),
    )


def whole_run() -> list[Record]:
    """A run with a job that fails, one that is skipped, one without a runner, one that succeeds."""
    story = Story()
    story.tell(started("build", "test", "windows", "deploy"))
    story.tell(*job_begins("build", "Build it"))
    story.tell(*step("build", 1, "Run make", Conclusion.SUCCESS, (0, 2)))
    story.tell(
        Annotated(
            key="build", level="warning", message="Odd", step=1, file="a.c", line=3, column=4
        ),
        ArtifactStored(
            key="build", name="dist", digest="sha256:0", size=1500, files=2, path=ARTIFACT
        ),
        Summarized(key="build", step=1, markdown="# Built\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"),
        JobCompleted(key="build", conclusion=Conclusion.SUCCESS),
    )
    story.tell(*job_begins("test"))
    story.tell(*step("test", 1, "Run pytest\nmore", Conclusion.FAILURE, (0, 4)))
    story.tell(
        Annotated(key="test", level="error", message="Process completed with exit code 1.", step=1),
        JobCompleted(key="test", conclusion=Conclusion.FAILURE, workspace="/w/test"),
        JobSkipped(
            key="windows",
            name="windows",
            reason=SkipReason.NO_RUNNER,
            detail="no runner for windows",
        ),
        JobSkipped(key="deploy", name="deploy", reason=SkipReason.CONDITION),
        Warned(message="vars.X is not defined"),
        RunCompleted(conclusion=Conclusion.FAILURE),
    )
    return story.records
