"""What is known about a run, its jobs and their legs. Only `fold` writes to these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from trunkline.plan.model import PlannedCall, PlannedJob
from trunkline.run.events import Conclusion, Leg, RunStarted
from trunkline.run.transitions import JobStatus, RunStatus


class JobNode(msgspec.Struct, kw_only=True):
    """A job of the graph, at the top or in one leg of a call.

    `key` is its path; `parent` the leg that calls its workflow (''), `needs` and `dependents` are
    paths. `result` is what dependents see: None while it is open, and for good when no leg of it
    could run here, or was asked for: such a job does not count in `needs`.
    """

    key: str
    job: PlannedJob | PlannedCall
    parent: str = ""
    status: JobStatus = JobStatus.WAITING
    needs: tuple[str, ...] = ()
    dependents: list[str] = []
    open_needs: int = 0
    legs: list[str] = []
    open_legs: int = 0
    running_legs: int = 0
    fail_fast: bool = True
    max_parallel: int = 0
    result: Conclusion | None = None
    outputs: dict[str, str] = {}


class LegNode(msgspec.Struct, kw_only=True):
    """One leg of an expanded job; `children` are the paths of the called workflow's jobs.

    `number` counts the legs of the run from 1, as they come. `counts` is False for a leg that no label, or nobody, wanted here.
    """

    leg: Leg
    job: str
    number: int
    status: JobStatus
    conclusion: Conclusion | None = None
    counts: bool = True
    cancelled_by: str = ""
    forced: bool = False
    children: list[str] = []
    open_children: int = 0


class RunState(msgspec.Struct, kw_only=True):
    """A run. `roots` are the paths of the workflow's own jobs, `group` is its concurrency group.

    `ready` (jobs whose needs have ended), `queued` (job -> its legs that may start), `finished` (call legs
    whose jobs have all ended) and `failing` (fail-fast jobs -> the leg that failed) are what is
    waiting for a decision, in order; `running` counts legs that hold a place, `output_bytes` what
    jobs have handed on. `failed_fast` is the first job that failed in a run whose plan says `fail_fast`.
    """

    started: RunStarted | None = None
    status: RunStatus = RunStatus.NEW
    conclusion: Conclusion | None = None
    group: str = ""
    cancelled_by: str = ""
    forced: bool = False
    roots: list[str] = []
    open_roots: int = 0
    jobs: dict[str, JobNode] = {}
    legs: dict[str, LegNode] = {}
    ready: dict[str, None] = {}
    queued: dict[str, dict[str, None]] = {}
    finished: dict[str, None] = {}
    failing: dict[str, str] = {}
    failed_fast: str = ""
    running: int = 0
    output_bytes: int = 0
    warnings: set[str] = set()

    @property
    def begun(self) -> RunStarted:
        """How the run began. Raises LookupError before it has."""
        if self.started is None:
            raise LookupError("the run has not begun")
        return self.started

    def call_of(self, node: JobNode) -> LegNode | None:
        """Return the leg that called the workflow which `node` is in; None at the top."""
        return self.legs[node.parent] if node.parent else None

    def inputs_of(self, node: JobNode) -> Mapping[str, Any]:
        """Return the `inputs` of the workflow that `node` is in."""
        caller = self.call_of(node)
        return self.begun.inputs if caller is None else caller.leg.inputs or {}

    def callers(self, node: JobNode) -> Iterator[LegNode]:
        """Yield the legs that called the workflow which `node` is in, innermost first."""
        while (leg := self.call_of(node)) is not None:
            yield leg
            node = self.jobs[leg.job]

    def job_of(self, leg: LegNode) -> PlannedJob | PlannedCall:
        """Return the planned job that a leg is one instance of."""
        return self.jobs[leg.job].job

    def is_cancelled(self, node: JobNode) -> bool:
        """Tell whether the run, or a call around `node`, was cancelled."""
        return bool(self.cancelled_by) or any(leg.cancelled_by for leg in self.callers(node))

    def is_forced(self, node: JobNode) -> bool:
        """Tell whether the run, or a call around `node`, was cancelled without grace."""
        return self.forced or any(leg.forced for leg in self.callers(node))

    def ancestors(self, node: JobNode) -> Iterator[JobNode]:
        """Yield every job that `node` needs, directly or through others, each once."""
        seen: set[str] = set()
        waiting = list(node.needs)
        while waiting:
            key = waiting.pop()
            if key not in seen:
                seen.add(key)
                found = self.jobs[key]
                waiting.extend(found.needs)
                yield found
