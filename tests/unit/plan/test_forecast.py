"""What a plan would do: conditions, legs, places, and what only the run can tell."""

from __future__ import annotations

from typing import Any

import pytest

from trunkline.plan.compile import Files, compile_workflow
from trunkline.plan.forecast import Choices, JobForecast, RunForecast, Verdict, forecast
from trunkline.plan.model import FileRef, Plan, Source
from trunkline.plan.selection import missing, picks_leg, with_needed
from trunkline.workflow.parse import parse

CONTEXTS: dict[str, Any] = {
    "github": {"ref": "refs/heads/main", "actor": "ada"},
    "inputs": {"deep": True},
    "vars": {"OS": "ubuntu-24.04"},
}
STEPS = "    steps: [{run: 'true'}]\n"
CALLED = FileRef("", ".github/workflows/x.yml", "")


def plan(jobs: str, callee: str = "", top: str = "") -> Plan:
    workflow, found = parse(f"on: push\n{top}jobs:\n{jobs}", "ci.yml")
    assert workflow, [each.text() for each in found]
    files = Files({CALLED: callee} if callee else {})
    made = compile_workflow(
        workflow, event="push", source=Source(path="ci.yml"), read=parse, files=files
    )
    assert isinstance(made, Plan), made
    return made


def run(jobs: str, /, callee: str = "", top: str = "", **choices: Any) -> RunForecast:
    return forecast(plan(jobs, callee, top), CONTEXTS, Choices(**choices))


def job(name: str, /, **keys: str) -> str:
    lines = "".join(f"    {key.replace('_', '-')}: {value}\n" for key, value in keys.items())
    return (
        f"  {name}:\n{lines}"
        + ("" if "runs_on" in keys else "    runs-on: ubuntu-latest\n")
        + STEPS
    )


def one(jobs: str, name: str = "b", **options: Any) -> JobForecast:
    return next(each for each in run(jobs, **options).jobs if each.id == name)


@pytest.mark.parametrize(
    ("condition", "verdict", "reason"),
    [
        ("github.ref == 'refs/heads/main'", Verdict.RUNS, ""),
        ("github.ref == 'x'", Verdict.SKIPPED, "if: github.ref == 'x' is false"),
        ("inputs.deep", Verdict.RUNS, ""),
        ("always()", Verdict.RUNS, ""),
        ("failure()", Verdict.SKIPPED, "if: failure() is false when all goes well"),
        ("cancelled()", Verdict.SKIPPED, "if: cancelled() is false when all goes well"),
        ("needs.a.result == 'success'", Verdict.RUNS, ""),
        ("needs.a.outputs.x == 'y'", Verdict.LATE, "if: needs.a.outputs.x == 'y'"),
        ("toJSON(needs) != ''", Verdict.LATE, "if: toJSON(needs) != ''"),
        ("success('a')", Verdict.RUNS, ""),
        ("github.ref == 'x' && needs.a.outputs.x", Verdict.SKIPPED, None),
        ("github.ref != 'x' || needs.a.outputs.x", Verdict.RUNS, ""),
        ("fromJSON('(')", Verdict.FAILS, None),
    ],
)
def test_conditions(condition, verdict, reason):
    made = one(job("a") + job("b", needs="a", **{"if": condition}))
    assert made.verdict is verdict
    if reason is not None:
        assert made.reason == reason
    assert made.condition == condition


def test_a_skipped_ancestor_skips_whoever_needs_success():
    jobs = (
        job("a", **{"if": "github.ref == 'x'"})
        + job("b", needs="a", **{"if": "always()"})
        + job("c", needs="b")
        + job("d", needs="c", **{"if": "always() && needs.c.result == 'skipped'"})
        + job("e", needs="a", **{"if": "failure()"})
    )
    found = {each.id: each for each in run(jobs).jobs}
    assert found["b"].verdict is Verdict.RUNS
    assert found["c"].verdict is Verdict.SKIPPED
    assert found["c"].reason == "needs a (skipped)"
    assert found["d"].verdict is Verdict.RUNS
    assert found["e"].verdict is Verdict.SKIPPED


def test_a_job_that_must_fail_fails_those_that_need_it():
    jobs = (
        job("a", strategy="{matrix: {v: '${{ fromJSON(vars.NONE) }}'}}")
        + job("b", needs="a")
        + job("c", needs="a", **{"if": "failure()"})
    )
    found = {each.id: each for each in run(jobs).jobs}
    assert found["a"].verdict is Verdict.FAILS
    assert "fromJson" in found["a"].reason
    assert found["b"].reason == "needs a (fails)"
    assert found["c"].verdict is Verdict.RUNS


def test_jobs_may_be_declared_before_what_they_need():
    made = run(job("b", needs="a", **{"if": "needs.a.result == 'skipped'"}) + job("a"))
    assert [each.id for each in made.jobs] == ["b", "a"]
    assert made.jobs[0].reason == "if: needs.a.result == 'skipped' is false"


def test_legs_and_places():
    made = one(
        job(
            "b",
            runs_on="${{ matrix.os }}",
            strategy="{matrix: {os: [ubuntu-latest, windows-latest], v: [1]}}",
        )
    )
    assert [(leg.name, leg.runs_on, leg.place) for leg in made.legs] == [
        ("b (ubuntu-latest, 1)", "ubuntu-latest", "host"),
        ("b (windows-latest, 1)", "windows-latest", ""),
    ]
    assert made.verdict is Verdict.RUNS


def test_a_job_that_can_run_nowhere_does_not_skip_its_dependents():
    jobs = job("a", runs_on="windows-latest") + job("b", needs="a")
    found = {each.id: each for each in run(jobs).jobs}
    assert found["a"].verdict is Verdict.NOWHERE
    assert found["a"].reason == "no runner here for windows-latest"
    assert found["b"].verdict is Verdict.RUNS
    assert one(jobs, "a", platforms={"windows-latest": "docker:x"}).legs[0].place == "docker:x"


def test_runs_on_of_other_kinds():
    assert one(job("b", runs_on="${{ vars.OS }}")).legs[0].runs_on == "ubuntu-24.04"
    assert one(job("b", runs_on="{group: big, labels: [linux, x64]}")).legs[0].place == "host"
    late = one(job("a") + job("b", needs="a", runs_on="${{ needs.a.outputs.os }}"))
    assert (late.legs[0].runs_on, late.legs[0].place) == ("${{ needs.a.outputs.os }}", None)
    assert late.verdict is Verdict.RUNS
    wrong = one(job("b", runs_on="${{ fromJSON('[1]') }}"))
    assert wrong.verdict is Verdict.NOWHERE


def test_a_late_matrix_is_shown_as_its_expression():
    matrix = "{matrix: {v: '${{ fromJSON(needs.a.outputs.list) }}', w: [1]}}"
    made = one(job("a") + job("b", needs="a", strategy=matrix, name="v ${{ matrix.v }}"))
    assert made.matrix == "{v: ${{ fromJSON(needs.a.outputs.list) }}, w: [1]}"
    assert [leg.name for leg in made.legs] == ["v ${{ matrix.v }}"]
    assert made.verdict is Verdict.RUNS


def test_a_bad_matrix_fails_its_job():
    made = one(job("b", strategy="{matrix: {v: '${{ fromJSON(''[]'') }}'}}"))
    assert made.verdict is Verdict.FAILS
    assert made.reason == "Matrix vector 'v' does not contain any values"


def test_names_of_legs():
    named = one(job("b", name="Test ${{ matrix.v }}", strategy="{matrix: {v: [1, 2]}}"))
    assert [leg.name for leg in named.legs] == ["Test 1", "Test 2"]
    assert named.name == "Test ${{ matrix.v }}"
    literal = one(job("b", name="Test", strategy="{matrix: {v: [1, 2]}}"))
    assert [leg.name for leg in literal.legs] == ["Test (1)", "Test (2)"]


def test_what_else_is_told_of_a_job():
    made = one(
        job(
            "b",
            environment="{name: '${{ github.actor }}-prod'}",
            concurrency="{group: 'deploy-${{ github.ref }}', cancel-in-progress: true}",
            permissions="{contents: write}",
            container="{image: 'node:22'}",
            services="{db: {image: postgres}}",
        )
    )
    assert made.environment == "ada-prod"
    assert made.concurrency == "deploy-refs/heads/main, cancels what is in progress"
    assert made.permissions == "contents: write"
    assert made.container == "node:22"
    assert made.services == ("db",)
    assert made.steps == 1


def test_the_run():
    top = "run-name: by ${{ github.actor }}\nconcurrency: {group: ci, queue: max}\n"
    made = run(job("b"), top=top)
    assert made.name == "by ada"
    assert made.concurrency == "ci, queues all"
    assert forecast(plan(job("b")), CONTEXTS, Choices(), default_name="Fix it").name == "Fix it"


CALLEE = (
    "on:\n  workflow_call:\n    inputs:\n      level: {type: string, default: low}\n"
    "      dry: {type: boolean}\n      late: {type: string}\njobs:\n"
    + job("x", **{"if": "inputs.level == 'high'"})
    + job("y", **{"if": "inputs.late == 'high'"})
    + job("z", **{"if": "${{ !inputs.dry && github.actor == 'ada' }}"})
)


def call(**keys: str) -> str:
    lines = "".join(f"    {key}: {value}\n" for key, value in keys.items())
    return job("a") + f"  b:\n    needs: a\n    uses: ./.github/workflows/x.yml\n{lines}"


def test_called_workflows_know_their_inputs():
    made = one(call(**{"with": "{level: high, late: '${{ needs.a.outputs.l }}'}"}), callee=CALLEE)
    assert made.uses == "./.github/workflows/x.yml"
    assert [each.verdict for each in made.jobs] == [Verdict.RUNS, Verdict.LATE, Verdict.RUNS]
    defaults = one(call(secrets="inherit"), callee=CALLEE)
    assert [each.verdict for each in defaults.jobs] == [
        Verdict.SKIPPED,
        Verdict.SKIPPED,
        Verdict.RUNS,
    ]
    assert defaults.secrets == "inherit"


def test_a_skipped_call_has_no_jobs():
    made = one(call(**{"if": "github.ref == 'x'"}), callee=CALLEE)
    assert made.verdict is Verdict.SKIPPED
    assert made.jobs == ()


def test_inputs_of_several_legs_are_late():
    keys = {"strategy": "{matrix: {v: [high, low]}}", "with": "{level: '${{ matrix.v }}'}"}
    made = one(call(**keys), callee=CALLEE)
    assert made.jobs[0].verdict is Verdict.LATE
    single = one(call(**keys), callee=CALLEE, matrix=(("v", "HIGH"),))
    assert single.jobs[0].verdict is Verdict.RUNS


def test_leaves_are_jobs_with_steps():
    made = run(call(), callee=CALLEE)
    assert [each.id for each, _ in made.leaves()] == ["a", "x", "y", "z"]
    twice = run(call(strategy="{matrix: {v: [1, 2]}}"), callee=CALLEE)
    assert [times for _, times in twice.leaves()] == [1, 2, 2, 2]


def test_selection():
    jobs = job("a") + job("b", needs="a") + job("c")
    made = {each.id: each.verdict for each in run(jobs, jobs=("B",)).jobs}
    assert made == {"a": Verdict.RUNS, "b": Verdict.RUNS, "c": Verdict.NOT_SELECTED}
    assert with_needed(plan(jobs), ["B", "nope"]) == {"a", "b"}
    assert missing([plan(jobs)], ["B", "nope"]) == ("nope",)


@pytest.mark.parametrize(
    ("wanted", "picked"),
    [
        ([], True),
        ([("os", "linux")], True),
        ([("OS", "Linux")], True),
        ([("os", "mac")], False),
        ([("os", "mac"), ("os", "linux")], True),
        ([("os", "linux"), ("v", "2")], False),
        ([("v", "1")], True),
        ([("other", "x")], True),
    ],
)
def test_legs_are_picked_by_value(wanted, picked):
    assert picks_leg({"os": "linux", "v": 1.0}, wanted) is picked
    assert picks_leg(None, wanted)


def test_no_leg_left():
    made = one(job("b", strategy="{matrix: {v: [1]}}"), matrix=(("v", "2"),))
    assert made.verdict is Verdict.NOT_SELECTED
