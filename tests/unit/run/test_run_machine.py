"""The run machine beyond its scenarios: what workers are given, late facts, and any graph at all."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scripted_runs import FILE, ScriptedRun, plan_of, run_of, told
from trunkline.base.errors import Corrupt
from trunkline.expr.template import Expression, Literal, Mapping, Sequence
from trunkline.plan.model import Plan, PlannedCall, PlannedJob, Source
from trunkline.run.events import (
    Conclusion,
    Event,
    JobCompleted,
    JobExpanded,
    JobStarted,
    RunCompleted,
    StepStarted,
    Warned,
)
from trunkline.run.facts import CancelAsked, GroupFailed, GroupGranted, GroupLost, Reported
from trunkline.run.fold import apply, fold
from trunkline.run.job_request import JobRequest
from trunkline.run.state import RunState
from trunkline.run.transitions import ENDED

SOURCE = Source(path=FILE, repository="octo/repo", ref="refs/heads/main")
NAMES = "abcdefgh"


def begin(text: str, **given: Any) -> ScriptedRun:
    return ScriptedRun(run_of(plan_of(text), **given))


# --- what a worker is given -----------------------------------------------------------------


def test_a_worker_gets_everything():
    run = begin(
        """
on: push
jobs:
  build:
    name: Build on ${{ matrix.os }}
    strategy: {matrix: {os: [ubuntu-latest], deep: [{x: 1}]}}
    runs-on: ["${{ matrix.os }}", x64]
    environment: {name: "${{ github.event_name }}-${{ matrix.deep.x }}"}
    timeout-minutes: ${{ fromJSON('1.5') }}
    cancel-timeout-minutes: 2
    continue-on-error: ${{ matrix.os == 'ubuntu-latest' }}
    steps: [{run: x}]
""",
        variables={"V": "1"},
        inputs={"i": True},
    )
    request = run.requests["build (ubuntu-latest, 1)"]
    assert request.where == "host"
    assert request.repository == "octo/repo"
    assert request.variables == {"V": "1"}
    assert request.inputs == {"i": True}
    assert request.leg.name == "Build on ubuntu-latest"
    assert request.leg.labels == ("ubuntu-latest", "x64")
    assert request.environment == "push-1"
    assert request.leg.timeout_minutes == 1.5
    assert request.leg.cancel_timeout_minutes == 2
    assert request.leg.continue_on_error
    assert request.leg.matrix == {"os": "ubuntu-latest", "deep": {"x": 1}}
    assert request.leg.strategy == {
        "fail-fast": True,
        "job-index": 0,
        "job-total": 1,
        "max-parallel": 1,
    }
    encoded = msgspec.json.encode(request)
    assert msgspec.json.decode(encoded, type=JobRequest) == request


def test_a_job_in_calls_gets_the_chain_of_secrets_outermost_first():
    plan = plan_of(
        """
on: push
jobs:
  outer:
    strategy: {matrix: {v: [1]}}
    uses: ./.github/workflows/outer.yml
    with: {i: x}
    secrets: {ONE: "${{ secrets.FIRST }}"}
""",
        {
            ".github/workflows/outer.yml": """
on: {workflow_call: {inputs: {i: {type: string}}, secrets: {ONE: {required: true}}}}
jobs:
  first: {runs-on: ubuntu-latest, steps: [{run: x}]}
  inner: {needs: first, uses: ./.github/workflows/inner.yml, secrets: inherit}
""",
            ".github/workflows/inner.yml": """
on: workflow_call
jobs: {deep: {runs-on: ubuntu-latest, steps: [{run: x}]}}
""",
        },
    )
    run = ScriptedRun(run_of(plan))
    run.finish()
    outer, inner = run.requests["outer (1)/inner/deep"].secrets
    assert (outer.caller, outer.inherit) == ("outer (1)", False)
    assert isinstance(outer.secrets, Mapping)
    assert [secret.id for secret in outer.declared] == ["ONE"]
    assert outer.contexts["matrix"] == {"v": 1}
    assert (inner.caller, inner.inherit) == ("outer (1)/inner", True)
    assert inner.contexts["inputs"] == {"i": "x"}
    assert inner.contexts["needs"] == {"first": {"result": "success", "outputs": {}}}
    assert run.requests["outer (1)/first"].secrets == (outer,)
    assert run.requests["outer (1)/first"].inputs == {"i": "x"}
    assert run.requests["outer (1)/inner/deep"].inputs == {}
    assert run.requests["outer (1)/inner/deep"].leg.name == "outer (1) / inner / deep"


# --- facts that come late, or are wrong -----------------------------------------------------

ONE = "on: push\njobs: {one: {runs-on: ubuntu-latest, steps: [{run: x}]}}\n"
GROUPED = (
    "on: push\njobs: {one: {concurrency: g, runs-on: ubuntu-latest, steps: [{run: x}]}, "
    "two: {runs-on: ubuntu-latest, steps: [{run: x}]}}\n"
)


def test_what_a_worker_tells_after_its_end_is_dropped():
    run = begin(ONE)
    run.end("one")
    before = len(run.events)
    for event in (
        JobCompleted(key="one", conclusion=Conclusion.FAILURE),
        StepStarted(key="one", number=1, name="x"),
        JobStarted(key="one"),
        StepStarted(key="nobody", number=1, name="x"),
    ):
        run.take(Reported(event))
    run.take(CancelAsked("user"))
    assert len(run.events) == before
    assert run.state.conclusion is Conclusion.SUCCESS


def test_a_workers_own_start_is_not_counted_twice():
    run = begin(ONE)
    assert run.take(Reported(JobStarted(key="one"))).events == ()


def test_a_warning_is_told_once():
    run = begin(GROUPED.replace("concurrency: g, ", ""))
    for key in ("one", "two"):
        run.take(Reported(Warned(key=key, message="vars.X is not defined")))
    assert [told(event) for event in run.events].count("Warned one: vars.X is not defined") == 1
    assert len([event for event in run.events if isinstance(event, Warned)]) == 1


def test_facts_about_groups_of_what_has_ended_lead_to_nothing():
    run = begin(GROUPED)
    run.take(GroupLost("one", "g"))
    before = len(run.events)
    run.take(GroupGranted("one", "g"))
    run.take(GroupLost("one", "g"))
    run.take(GroupFailed("one", "no disk"))
    run.take(GroupGranted("", "g"))
    assert len(run.events) == before


def test_a_leg_that_loses_its_group_is_told_why():
    run = begin(GROUPED)
    run.take(GroupGranted("one", "g"))
    run.take(GroupLost("one", "g"))
    message = "Canceling since a higher priority waiting request for 'g' exists"
    assert [told(event) for event in run.events[-2:]] == [
        "CancelRequested one: concurrency",
        f"Annotated one: error: {message}",
    ]


def test_a_gate_out_of_order_fails_its_job():
    run = begin(GROUPED)
    run.take(GroupFailed("one", "the disk is full"))
    assert told(run.events[-1]) == "JobCompleted one: failure (the disk is full)"


@pytest.mark.parametrize(
    ("concurrency", "message"),
    [
        ("{group: '${{ github.nothing }}'}", "Unexpected value ''"),
        ("{group: '${{ github.long }}'}", "name must be less than 400 characters"),
        (
            "{group: g, cancel-in-progress: '${{ github.ref }}'}",
            "Unexpected value 'refs/heads/main'",
        ),
    ],
)
def test_a_bad_group_fails_the_run_or_its_job(concurrency, message):
    job = "runs-on: ubuntu-latest, steps: [{run: x}]"
    github = {"long": "x" * 401}
    run = begin(f"on: push\nconcurrency: {concurrency}\njobs: {{a: {{{job}}}}}\n", github=github)
    assert run.state.conclusion is Conclusion.FAILURE
    assert message in told(run.events[1])
    run = begin(f"on: push\njobs: {{a: {{concurrency: {concurrency}, {job}}}}}\n", github=github)
    assert run.state.conclusion is Conclusion.FAILURE
    assert "Error when evaluating 'concurrency' for job 'a'." in told(run.events[2])
    assert message in told(run.events[2])


def test_an_order_that_can_not_be_is_corrupt():
    started = run_of(plan_of(ONE))
    orders: tuple[list[Event], ...] = (
        [JobStarted(key="one")],
        [started, started],
        [started, JobStarted(key="one")],
        [started, JobStarted(key="gone")],
        [started, JobExpanded(job="gone", legs=())],
        [started, RunCompleted(conclusion=Conclusion.SUCCESS), JobStarted(key="one")],
    )
    for events in orders:
        with pytest.raises(Corrupt):
            fold(events)


# --- any graph ------------------------------------------------------------------------------

CONDITIONS = (
    "success()",
    "always()",
    "failure()",
    "cancelled()",
    "!cancelled()",
    "success() && false",
)


@st.composite
def jobs_of(draw: st.DrawFn, depth: int = 0) -> tuple[PlannedJob | PlannedCall, ...]:
    jobs: list[PlannedJob | PlannedCall] = []
    for index in range(draw(st.integers(1, 5 - 2 * depth))):
        known = NAMES[:index]
        needs = draw(st.lists(st.sampled_from(known), unique=True)) if known else []
        strategy = draw(strategies())
        condition = Expression(draw(st.sampled_from(CONDITIONS)))
        if depth < 2 and draw(st.integers(0, 4)) == 0:
            jobs.append(
                PlannedCall(
                    id=NAMES[index],
                    condition=condition,
                    source=SOURCE,
                    needs=tuple(needs),
                    strategy=strategy,
                    called=SOURCE,
                    uses="./x",
                    jobs=draw(jobs_of(depth=depth + 1)),
                )
            )
            continue
        label = draw(st.sampled_from(["ubuntu-latest"] * 5 + ["windows-latest", ""]))
        jobs.append(
            PlannedJob(
                id=NAMES[index],
                condition=condition,
                source=SOURCE,
                permissions={},
                needs=tuple(needs),
                strategy=strategy,
                runs_on=Literal(label),
                continue_on_error=Literal(draw(st.integers(0, 3)) == 0),
            )
        )
    return tuple(jobs)


@st.composite
def strategies(draw: st.DrawFn) -> Mapping | None:
    legs = draw(st.integers(0, 3))
    vector = Sequence(tuple(Literal(float(number)) for number in range(legs)))
    strategy = Mapping(
        (
            (Literal("fail-fast"), Literal(draw(st.booleans()))),
            (Literal("max-parallel"), Literal(float(draw(st.integers(0, 2))))),
            (Literal("matrix"), Mapping(((Literal("v"), vector),))),
        )
    )
    return strategy if legs else None


def needs_have_ended(run: ScriptedRun) -> None:
    """Assert that no job was opened before all it needs had ended."""
    state = RunState()
    for event in run.events:
        if isinstance(event, JobExpanded):
            needs = state.jobs[event.job].needs
            assert all(state.jobs[need].status in ENDED for need in needs)
        apply(state, event)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_run_comes_to_its_end(data):
    plan = Plan(source=SOURCE, name="CI", event="push", jobs=data.draw(jobs_of()))
    limit = data.draw(st.integers(0, 3))
    run = ScriptedRun(run_of(plan, options={"max_parallel": limit}))
    cancel_at = data.draw(st.integers(0, 12))
    results = st.sampled_from(["success", "success", "failure", "cancelled"])
    for turn in range(1000):
        if turn == cancel_at:
            run.take(CancelAsked("user", force=data.draw(st.booleans())))
        if not run.running:
            break
        assert not limit or len(run.running) <= limit
        run.end(data.draw(st.sampled_from(run.running)), data.draw(results), out=str(turn))
    run.check()
    needs_have_ended(run)
    assert run.state.running == 0
    assert not run.state.ready
    assert not run.state.queued
    assert not run.state.finished
    assert not run.state.failing
