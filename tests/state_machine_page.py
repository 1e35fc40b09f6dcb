"""Draws `docs/reference/state-machine.md` from the tables; `python -m tests.state_machine_page`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from trunkline.run.events import Event
from trunkline.run.job_machine import NEXT
from trunkline.run.transitions import BORN, ENDED, JOBS, RUN, JobStatus, RunStatus

Status = TypeVar("Status", bound=StrEnum)
PAGE = Path(__file__).parents[1] / "docs" / "reference" / "state-machine.md"

HEAD = """\
# The state machines

This page is drawn from the tables in `src/trunkline/run/transitions.py` and `job_machine.py`; a test
fails when it is out of date. Events are those of the journal (`trunkline run --json` prints them).

"""
RUN_HEAD = """\
## A run

The run loop folds events into a state and decides what follows. A run with a `concurrency` waits
for its group first; a cancelled run goes on until its last job has ended.

"""
JOBS_HEAD = """\
## A job and its legs

A job waits until what it needs has ended. Then it is skipped, fails (its `if` or matrix can't be
evaluated), or is expanded: its legs are born `queued`. What ends a job's last leg ends the job. The leg of
a call is `running` while the jobs of the called workflow, which are born then, have not all ended.

"""
PHASES_HEAD = """\
## Inside a job

A worker takes a leg through these phases; one that has nothing to do is passed over.

"""


def page() -> str:
    """Return the page's text."""
    return (
        HEAD
        + RUN_HEAD
        + _diagram(RUN, RunStatus.NEW, {RunStatus.COMPLETED})
        + JOBS_HEAD
        + _diagram(JOBS, JobStatus.WAITING, ENDED, born=BORN)
        + "Events that change nothing but may happen:\n\n"
        + _unmoved()
        + PHASES_HEAD
        + _phases()
    )


def _diagram(
    table: Mapping[Status, Mapping[type[Event], Status]],
    start: Status,
    ends: Collection[Status],
    born: Status | None = None,
) -> str:
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {start}"]
    if born is not None:
        lines.append(f"    [*] --> {born}: a leg is born")
    for status, row in table.items():
        by_next: dict[Status, list[str]] = {}
        for event, after in row.items():
            if after is not status:
                by_next.setdefault(after, []).append(event.__name__)
        lines += [
            f"    {status} --> {after}: {', '.join(names)}" for after, names in by_next.items()
        ]
    lines += [f"    {status} --> [*]" for status in table if status in ends]
    return "\n".join([*lines, "```", "", ""])


def _unmoved() -> str:
    rows = ["| status | events |", "|---|---|"]
    for status, row in JOBS.items():
        names = [event.__name__ for event, after in row.items() if after is status]
        if names:
            rows.append(f"| {status} | {', '.join(names)} |")
    return "\n".join([*rows, "", ""])


def _phases() -> str:
    lines = ["```mermaid", "flowchart LR"]
    lines += [
        f"    {_node(phase)}[{phase}] --> {_node(after)}[{after}]" for phase, after in NEXT.items()
    ]
    return "\n".join([*lines, "```", ""])


def _node(phase: StrEnum) -> str:
    return phase.replace(" ", "_")


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
