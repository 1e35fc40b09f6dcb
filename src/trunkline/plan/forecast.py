"""What a plan would do if all went well: which jobs run, where, and why others do not.

Everything that the event, the inputs and the variables decide is decided here; what only a run can
tell (outputs of jobs) is shown as its expression. Nothing in here is used to run anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from trunkline.expr.condition import functions_used
from trunkline.expr.errors import ExpressionError
from trunkline.expr.evaluate import Function
from trunkline.expr.parse import SUCCESS
from trunkline.expr.template import Literal, Token
from trunkline.expr.template import Mapping as MappingToken
from trunkline.expr.values import is_truthy, to_text
from trunkline.expr.written import written
from trunkline.plan.known import UNKNOWN, Known, Late, LateObject
from trunkline.plan.matrix import Combination, expand
from trunkline.plan.model import Plan, PlannedCall, PlannedJob
from trunkline.plan.permissions import render
from trunkline.plan.runners import place, runner_request
from trunkline.plan.selection import picks_leg, with_needed
from trunkline.workflow.model import Concurrency

_REWRITTEN = re.compile(r"success\(\) && \((.*)\)", re.DOTALL)
_LATE_LEG = {"matrix": UNKNOWN, "strategy": UNKNOWN}


class Verdict(StrEnum):
    """What would become of a job. `LATE`: only the run can tell."""

    RUNS = "runs"
    SKIPPED = "skipped"
    LATE = "late"
    NOWHERE = "nowhere"
    FAILS = "fails"
    NOT_SELECTED = "not-selected"


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What the user picks, and what this machine is. See `RunnerRequest` for `platforms`."""

    jobs: tuple[str, ...] = ()
    matrix: tuple[tuple[str, str], ...] = ()
    platforms: Mapping[str, str] = {}
    architecture: str = "x64"


class LegForecast(msgspec.Struct, frozen=True, kw_only=True):
    """One leg. `place` is `host`, `docker:IMAGE`, '' for nowhere, None when it is not known yet."""

    name: str
    runs_on: str = ""
    place: str | None = None
    matrix: Mapping[str, Any] | None = None


class JobForecast(msgspec.Struct, frozen=True, kw_only=True):
    """One job. `condition` is its `if` as written, `matrix` a matrix that is not known yet.

    `uses` names a called workflow, whose jobs are in `jobs`. `reason` says why a job does not run.
    """

    id: str
    name: str
    verdict: Verdict
    reason: str = ""
    needs: tuple[str, ...] = ()
    condition: str = ""
    legs: tuple[LegForecast, ...] = ()
    matrix: str = ""
    environment: str = ""
    concurrency: str = ""
    permissions: str = ""
    container: str = ""
    services: tuple[str, ...] = ()
    steps: int = 0
    uses: str = ""
    secrets: str = ""
    jobs: tuple[JobForecast, ...] = ()


class RunForecast(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    name: str
    concurrency: str = ""
    jobs: tuple[JobForecast, ...] = ()
    notes: tuple[str, ...] = ()

    def leaves(self) -> Iterator[tuple[JobForecast, int]]:
        """Yield the jobs that have steps, and in how many legs of its callers each one runs."""
        waiting = [(job, 1) for job in self.jobs]
        while waiting:
            job, times = waiting.pop(0)
            if not job.uses:
                yield job, times
            waiting += [(inner, times * max(1, len(job.legs))) for inner in job.jobs]


def forecast(
    plan: Plan, contexts: Mapping[str, Any], choices: Choices, *, default_name: str = ""
) -> RunForecast:
    """Return what `plan` would do. `contexts` are github, inputs and vars of the run."""
    known = Known(contexts)
    picked = with_needed(plan, choices.jobs) if choices.jobs else None
    return RunForecast(
        name=known.text(plan.run_name) or default_name or plan.name,
        concurrency=_concurrency(plan.concurrency, known),
        jobs=_Graph(plan.jobs, known, choices, picked).forecasts(),
        notes=plan.notes,
    )


class _Graph:
    """The jobs of one workflow, each forecast after those it needs."""

    def __init__(
        self,
        jobs: tuple[PlannedJob | PlannedCall, ...],
        known: Known,
        choices: Choices,
        picked: frozenset[str] | None = None,
    ) -> None:
        self.jobs = {job.id: job for job in jobs}
        self.known = known
        self.choices = choices
        self.picked = picked
        self.found: dict[str, JobForecast] = {}

    def forecasts(self) -> tuple[JobForecast, ...]:
        """Return the forecasts in the order of the file."""
        waiting = list(reversed(self.jobs))
        while waiting:
            job = self.jobs[waiting[-1]]
            open_needs = [need for need in job.needs if need not in self.found]
            if open_needs:
                waiting += open_needs
            else:
                waiting.pop()
                self.found.setdefault(job.id, self._job(job))
        return tuple(self.found[name] for name in self.jobs)

    def _job(self, job: PlannedJob | PlannedCall) -> JobForecast:
        if self.picked is not None and job.id not in self.picked:
            name = self.known.also(**_LATE_LEG).text(job.name) or job.id
            return JobForecast(id=job.id, name=name, verdict=Verdict.NOT_SELECTED, needs=job.needs)
        known = self._with_needs(job)
        verdict, reason = self._condition(job, known)
        shape = _shape(job, known, self.choices)
        if verdict in {Verdict.RUNS, Verdict.LATE}:
            verdict, reason = _outcome(job, shape, verdict, reason)
        inside: tuple[JobForecast, ...] = ()
        if isinstance(job, PlannedCall) and verdict in {Verdict.RUNS, Verdict.LATE}:
            below = _called(job, shape.known)
            inside = _Graph(job.jobs, below, self.choices).forecasts()
        return _forecast(job, shape, verdict, reason, inside)

    def _with_needs(self, job: PlannedJob | PlannedCall) -> Known:
        """Add `needs`: results as they would be, outputs late."""
        needs = {}
        for name in job.needs:
            verdict = self.found[name].verdict
            skipped = verdict is Verdict.SKIPPED
            open_end = verdict in {Verdict.LATE, Verdict.NOWHERE}
            needs[name] = LateObject(
                {
                    "result": _RESULTS.get(verdict, "success"),
                    "outputs": {} if skipped else UNKNOWN,
                },
                ["result"] if open_end else [],
            )
        return self.known.also(needs=needs)

    def _condition(self, job: PlannedJob | PlannedCall, known: Known) -> tuple[Verdict, str]:
        """Decide a job's `if`, all that is late going well."""
        text = condition_text(job)
        stopped = [name for name in self._ancestors(job) if self._stops(name)]
        try:
            holds = self._holds(job, known, stopped)
            would_hold = holds or self._holds(job, known, [])
        except Late:
            return Verdict.LATE, f"if: {text}"
        except ExpressionError as error:
            return Verdict.FAILS, error.message
        if holds:
            return Verdict.RUNS, ""
        if would_hold:
            ends = ", ".join(f"{name} ({self.found[name].verdict})" for name in stopped)
            return Verdict.SKIPPED, f"needs {ends}"
        used = functions_used(job.condition.source)
        when = " when all goes well" if used & {"failure", "cancelled"} else ""
        return Verdict.SKIPPED, f"if: {text} is false{when}"

    def _holds(self, job: PlannedJob | PlannedCall, known: Known, stopped: list[str]) -> bool:
        failed = [name for name in stopped if self.found[name].verdict is Verdict.FAILS]
        functions: dict[str, Function] = {
            "always": lambda _: True,
            "cancelled": lambda _: False,
            "success": lambda names: not _among(names, stopped),
            "failure": lambda names: bool(_among(names, failed)),
        }
        return is_truthy(msgspec.structs.replace(known, functions=functions).value(job.condition))

    def _ancestors(self, job: PlannedJob | PlannedCall) -> list[str]:
        found: dict[str, None] = {}
        waiting = list(job.needs)
        while waiting:
            name = waiting.pop(0)
            if name not in found:
                found[name] = None
                waiting += self.jobs[name].needs
        return list(found)

    def _stops(self, name: str) -> bool:
        return self.found[name].verdict in {Verdict.SKIPPED, Verdict.FAILS}


_RESULTS = {Verdict.SKIPPED: "skipped", Verdict.FAILS: "failure"}


def condition_text(job: PlannedJob | PlannedCall) -> str:
    """Return a job's `if` on one line, without what GitHub adds to it; '' for the default."""
    source = job.condition.source
    if source == SUCCESS:
        return ""
    rewritten = _REWRITTEN.fullmatch(source)
    return " ".join((rewritten[1] if rewritten else source).split())


def _among(names: list[Any], stopped: list[str]) -> list[str]:
    """Return those of `stopped` that a status function asks for: all without arguments."""
    asked = {to_text(name).lower() for name in names}
    return [name for name in stopped if not asked or name.lower() in asked]


class _Shape(msgspec.Struct, frozen=True, kw_only=True):
    """A job's legs as far as they are known, or what is wrong with its strategy.

    `known` describes the job as a whole: with its only leg's matrix, else with a late one.
    """

    known: Known
    legs: tuple[LegForecast, ...] = ()
    matrix: str = ""
    problems: tuple[str, ...] = ()


def _shape(job: PlannedJob | PlannedCall, known: Known, choices: Choices) -> _Shape:
    literal = job.name if isinstance(job.name, Literal) else None
    name = to_text(literal.value) if literal else job.id
    strategy = job.strategy
    late = known.also(**_LATE_LEG)
    try:
        expansion = expand(known.value(strategy) if strategy else None, job.id, name)
    except Late:
        legs = (_leg(job, name, late, choices),)
        return _Shape(known=late, legs=legs, matrix=_matrix_text(strategy))
    except ExpressionError as error:
        return _Shape(known=late, problems=(error.message,))
    if isinstance(expansion, tuple):
        return _Shape(known=late, problems=expansion)
    picked = [leg for leg in expansion.legs if picks_leg(leg.matrix, choices.matrix)]
    return _Shape(
        known=_of_leg(known, picked[0]) if len(picked) == 1 else late,
        legs=tuple(_leg(job, leg.name, _of_leg(known, leg), choices) for leg in picked),
    )


def _matrix_text(strategy: Token | None) -> str:
    matrix = strategy.get("matrix") if isinstance(strategy, MappingToken) else None
    return written(matrix or strategy) if strategy is not None else ""


def _of_leg(known: Known, leg: Combination) -> Known:
    return known.also(matrix=leg.matrix, strategy=leg.strategy)


def _leg(job: PlannedJob | PlannedCall, name: str, known: Known, choices: Choices) -> LegForecast:
    shown = name if job.name is None or isinstance(job.name, Literal) else known.text(job.name)
    matrix = known.contexts["matrix"]
    matrix = None if matrix is UNKNOWN else matrix
    if isinstance(job, PlannedCall) or job.runs_on is None:
        return LegForecast(name=shown or name, matrix=matrix)
    try:
        request = runner_request(known.value(job.runs_on))
    except Late:
        return LegForecast(name=shown or name, runs_on=written(job.runs_on), matrix=matrix)
    except ExpressionError:
        request = None
    if request is None:
        return LegForecast(
            name=shown or name, runs_on=written(job.runs_on), place="", matrix=matrix
        )
    where = place(request, choices.platforms, choices.architecture)
    return LegForecast(name=shown or name, runs_on=request.text(), place=where or "", matrix=matrix)


def _outcome(
    job: PlannedJob | PlannedCall, shape: _Shape, verdict: Verdict, reason: str
) -> tuple[Verdict, str]:
    """Look at what stops a job whose `if` holds: a bad strategy, no leg picked, no runner."""
    if shape.problems:
        return Verdict.FAILS, "; ".join(shape.problems)
    if not shape.legs:
        return Verdict.NOT_SELECTED, "no leg of its matrix is asked for"
    if isinstance(job, PlannedJob) and all(leg.place == "" for leg in shape.legs):
        labels = dict.fromkeys(leg.runs_on for leg in shape.legs)
        return Verdict.NOWHERE, f"no runner here for {'; '.join(labels)}"
    return verdict, reason


def _called(job: PlannedCall, known: Known) -> Known:
    """Return what a called workflow knows: its inputs, as far as they are known."""
    given: dict[str, Token] = {}
    if isinstance(job.with_, MappingToken):
        given = {
            to_text(key.value).lower(): value
            for key, value in job.with_.entries
            if isinstance(key, Literal)
        }
    values: dict[str, Any] = {}
    late: list[str] = []
    for declared in job.inputs:
        token = given.get(declared.id.lower(), declared.default)
        values[declared.id] = {"boolean": False, "number": 0.0}.get(declared.type, "")
        try:
            if token is not None:
                values[declared.id] = known.value(token)
        except (Late, ExpressionError):
            late.append(declared.id)
    inputs = LateObject(values, late) if late else values
    return Known({**known.contexts, "inputs": inputs})


def _forecast(
    job: PlannedJob | PlannedCall,
    shape: _Shape,
    verdict: Verdict,
    reason: str,
    inside: tuple[JobForecast, ...],
) -> JobForecast:
    late = shape.known
    common = JobForecast(
        id=job.id,
        name=late.text(job.name) or job.id,
        verdict=verdict,
        reason=reason,
        needs=job.needs,
        condition=condition_text(job),
        legs=shape.legs,
        matrix=shape.matrix,
        concurrency=_concurrency(job.concurrency, late),
    )
    if isinstance(job, PlannedCall):
        return msgspec.structs.replace(common, uses=job.uses, secrets=_secrets(job), jobs=inside)
    return msgspec.structs.replace(
        common,
        environment=late.text(job.environment.name) if job.environment else "",
        permissions=render(job.permissions),
        container=_image(job.container, late),
        services=_names(job.services),
        steps=len(job.steps),
    )


def _concurrency(concurrency: Concurrency | None, known: Known) -> str:
    if concurrency is None:
        return ""
    text = known.text(concurrency.group)
    if concurrency.cancel_in_progress is not None:
        cancel = known.text(concurrency.cancel_in_progress)
        if cancel != "false":
            text += ", cancels what is in progress" + (f" if {cancel}" if cancel != "true" else "")
    return text + (", queues all" if concurrency.queue == "max" else "")


def _secrets(job: PlannedCall) -> str:
    if job.inherit_secrets:
        return "inherit"
    return ", ".join(_names(job.secrets))


def _names(token: Token | None) -> tuple[str, ...]:
    if not isinstance(token, MappingToken):
        return (written(token),) if token is not None else ()
    return tuple(written(key) for key, _ in token.entries)


def _image(token: Token | None, known: Known) -> str:
    image = token.get("image") if isinstance(token, MappingToken) else token
    return known.text(image)
