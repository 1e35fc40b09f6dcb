"""Workflows and what they call, compiled to plans; and the plan's way through JSON."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trunkline.base.diagnostics import Diagnostic, Severity
from trunkline.plan.compile import Files, called_file, compile_workflow
from trunkline.plan.model import FileRef, NeedFiles, Plan, PlannedCall, PlannedJob, Source
from trunkline.workflow.parse import parse

SOURCE = Source(
    path=".github/workflows/ci.yml", repository="octo/engine", ref="refs/heads/main", sha="a" * 40
)
JOB = "runs-on: ubuntu-latest\n    steps:\n      - run: 'true'\n"


def called(path: str, repository: str = "", ref: str = "") -> FileRef:
    return FileRef(repository, f".github/workflows/{path}", ref)


def compiled(text: str, files: dict[FileRef, str] | None = None, **unavailable: str) -> object:
    workflow, found = parse(text, SOURCE.path)
    assert workflow, [each.text() for each in found]
    missing = {called(f"{name}.yml"): why for name, why in unavailable.items()}
    return compile_workflow(
        workflow, event="push", source=SOURCE, read=parse, files=Files(files or {}, missing)
    )


def plan(text: str, files: dict[FileRef, str] | None = None) -> Plan:
    made = compiled(text, files)
    assert isinstance(made, Plan), made
    return made


def problems(text: str, files: dict[FileRef, str] | None = None, **unavailable: str) -> list[str]:
    made = compiled(text, files, **unavailable)
    assert isinstance(made, tuple), made
    assert all(isinstance(each, Diagnostic) for each in made)
    return [each.text() for each in made]


def call(uses: str = "./.github/workflows/x.yml", **keys: str) -> str:
    more = "".join(f"    {key}: {value}\n" for key, value in keys.items())
    return f"on: push\njobs:\n  call:\n    uses: {uses}\n{more}"


def test_a_job_keeps_what_is_known_late_as_written():
    made = plan(
        "name: CI\non: push\nrun-name: by ${{ github.actor }}\nenv: {A: 1}\n"
        "permissions: {contents: write}\ndefaults: {run: {shell: bash}}\nconcurrency: one\n"
        "jobs:\n  a:\n    "
        + JOB
        + "  b:\n    needs: [A]\n    if: github.ref == 'x'\n    env: {B: 2}\n"
        "    permissions: {}\n    strategy: {matrix: {v: [1, 2]}}\n"
        "    runs-on: ${{ matrix.v }}\n    steps:\n      - run: 'true'\n"
    )
    first, second = made.jobs
    assert (made.name, made.event, made.source) == ("CI", "push", SOURCE)
    assert isinstance(first, PlannedJob)
    assert isinstance(second, PlannedJob)
    assert first.permissions["contents"] == "write"
    assert second.permissions["contents"] == "none"
    assert len(first.env) == 1
    assert len(second.env) == 2
    assert second.needs == ("a",)
    assert second.condition.source == "success() && (github.ref == 'x')"
    assert second.workflow_defaults.shell is not None
    assert made.concurrency is not None
    assert made.run_name is not None


def test_a_snapshot_is_noted():
    made = plan("on: push\njobs:\n  a:\n    snapshot: image\n    " + JOB)
    assert made.notes == ("job 'a': snapshot has no effect here, it makes images at GitHub",)


def test_missing_files_are_asked_for_together():
    text = (
        "on: push\njobs:\n  a:\n    uses: ./.github/workflows/x.yml\n"
        "  b:\n    uses: o/r/.github/workflows/y.yml@v1\n  c:\n    uses: ./.github/workflows/x.yml\n"
    )
    assert compiled(text) == NeedFiles((called("x.yml"), called("y.yml", "o/r", "v1")))


def test_a_called_workflow_is_a_template_in_its_call():
    made = plan(
        call(**{"with": "{n: 1}", "secrets": "inherit"}) + "env: {TOP: 1}\n",
        {
            called("x.yml"): (
                "on:\n  workflow_call:\n    inputs: {n: {type: number, default: 2}}\n"
                "    secrets: {s: {required: true}}\n    outputs: {o: {value: '${{ jobs.b.outputs.p }}'}}\n"
                "env: {INNER: 1}\nconcurrency: two\njobs:\n  b:\n    " + JOB
            )
        },
    )
    (one,) = made.jobs
    assert isinstance(one, PlannedCall)
    assert one.inherit_secrets
    assert [each.id for each in one.inputs] == ["n"]
    assert [each.id for each in one.declared_secrets] == ["s"]
    assert [each.id for each in one.outputs] == ["o"]
    assert one.called_concurrency is not None
    assert one.called == msgspec.structs.replace(SOURCE, path=".github/workflows/x.yml")
    (inner,) = one.jobs
    assert isinstance(inner, PlannedJob)
    assert len(inner.env) == 1
    assert "INNER" in str(inner.env)


def test_permissions_narrow_on_the_way_down():
    files = {called("x.yml"): "on: workflow_call\njobs:\n  b:\n    " + JOB}
    (one,) = plan(call(permissions="{issues: write}"), files).jobs
    assert isinstance(one, PlannedCall)
    (inner,) = one.jobs
    assert isinstance(inner, PlannedJob)
    assert (inner.permissions["issues"], inner.permissions["contents"]) == ("write", "none")


def test_files_beside_a_remote_caller_are_remote():
    remote = called("y.yml", "o/r", "v1")
    text = call("o/r/.github/workflows/y.yml@v1")
    inner = call("./.github/workflows/z.yml").replace("on: push", "on: workflow_call")
    beside = called("z.yml", "o/r", "v1")
    assert compiled(text, {remote: inner}) == NeedFiles((beside,))
    last = "on: workflow_call\njobs:\n  b:\n    " + JOB
    (one,) = plan(text, {remote: inner, beside: last}).jobs
    assert isinstance(one, PlannedCall)
    assert one.called == Source(path=".github/workflows/y.yml", repository="o/r", ref="v1")
    (two,) = one.jobs
    assert isinstance(two, PlannedCall)
    assert two.called == Source(path=".github/workflows/z.yml", repository="o/r", ref="v1")


@pytest.mark.parametrize(
    ("text", "callee", "message"),
    [
        (call(), "on: push\njobs:\n  b:\n    " + JOB, "is missing a `on.workflow_call` trigger"),
        (
            call(),
            "on: {workflow_call: {inputs: {n: {type: string, required: true}}}}\njobs:\n  b:\n    "
            + JOB,
            "(Line: 4, Col: 11): Input n is required, but not provided while calling.",
        ),
        (
            call(**{"with": "{m: 1}"}),
            "on: workflow_call\njobs:\n  b:\n    " + JOB,
            "Invalid input, m is not defined in the referenced workflow.",
        ),
        (
            call(permissions="{contents: read}"),
            "on: workflow_call\njobs:\n  b:\n    permissions: {contents: write}\n    " + JOB,
            "is requesting 'contents: write', but is only allowed 'contents: read'.",
        ),
        (
            call(),
            "on: workflow_call\njobs:\n  call:\n    uses: ./.github/workflows/ci.yml\n",
            "loop: .github/workflows/ci.yml -> .github/workflows/x.yml -> .github/workflows/ci.yml",
        ),
        (
            call(),
            "on: workflow_call\njobs:\n  call:\n    uses: ./.github/workflows/x.yml\n",
            "x.yml -> .github/workflows/x.yml",
        ),
        (call(), "on: workflow_call\njobs: 1\n", ".github/workflows/x.yml (Line: 2, Col: 7)"),
    ],
)
def test_wrong_calls(text, callee, message):
    (problem,) = problems(text, {called("x.yml"): callee})
    assert message in problem


def test_a_file_that_cannot_be_had():
    (problem,) = problems(call(), x="there is no such file")
    assert problem == (
        ".github/workflows/ci.yml (Line: 4, Col: 11): error parsing called workflow"
        ' "./.github/workflows/x.yml": there is no such file'
    )


def test_nine_levels_below_are_allowed_and_ten_are_not():
    last = "on: workflow_call\njobs:\n  b:\n    " + JOB

    def chain(levels: int) -> dict[FileRef, str]:
        files = {
            called(f"{level}.yml"): call(f"./.github/workflows/{level + 1}.yml").replace(
                "on: push", "on: workflow_call"
            )
            for level in range(1, levels)
        }
        return {**files, called(f"{levels}.yml"): last}

    top = call("./.github/workflows/1.yml")
    assert isinstance(compiled(top, chain(9)), Plan)
    (problem,) = problems(top, chain(10))
    assert problem.endswith("Nested reusable workflow depth exceeded 9.")


def test_at_most_fifty_files_are_called():
    last = "on: workflow_call\njobs:\n  b:\n    " + JOB
    jobs = "".join(f"  j{n}:\n    uses: ./.github/workflows/{n}.yml\n" for n in range(51))
    files = {called(f"{n}.yml"): last for n in range(51)}
    (problem,) = problems("on: push\njobs:\n" + jobs, files)
    assert "The maximum file count of 51 has been exceeded" in problem
    fewer = jobs.replace("  j50:\n    uses: ./.github/workflows/50.yml\n", "")
    assert isinstance(compiled("on: push\njobs:\n" + fewer, files), Plan)


def test_calls_that_multiply_are_stopped_by_their_size():
    many = "".join(f"  j{n}:\n    uses: ./.github/workflows/NEXT.yml\n" for n in range(40))
    top = "on: push\njobs:\n" + many.replace("NEXT", "1")
    files = {
        called(f"{level}.yml"): "on: workflow_call\njobs:\n" + many.replace("NEXT", str(level + 1))
        for level in range(1, 9)
    }
    files[called("9.yml")] = "on: workflow_call\njobs:\n  b:\n    " + JOB
    found = problems(top, files)
    assert "Maximum object size exceeded" in found[0]


def test_a_called_files_warnings_do_not_stop_the_run():
    callee = "on: workflow_call\njobs:\n  b:\n    snapshot: image\n    " + JOB
    _, found = parse(callee, "x")
    assert any(each.severity is not Severity.ERROR for each in found)
    made = plan(call(), {called("x.yml"): callee})
    assert made.notes == ("job 'b': snapshot has no effect here, it makes images at GitHub",)


@pytest.mark.parametrize("uses", ["o/r", "o/r/x.yml", "o/r/x.yml@", "x@y", ""])
def test_uses_that_name_no_file(uses):
    assert called_file(uses, called("ci.yml")) is None


VALUES = st.sampled_from(
    ["1", "true", "null", "text", "${{ github.ref }}", "a ${{ inputs.x }} b", "'q'"]
)
KEYS = {
    "name": VALUES,
    "if": st.sampled_from(["always()", "github.ref == 'x'", "${{ !cancelled() }}"]),
    "timeout-minutes": st.sampled_from(["5", "1.5", "${{ matrix.a }}"]),
    "continue-on-error": st.sampled_from(["true", "${{ matrix.a }}"]),
    "env": st.just("{A: 1, B: '${{ secrets.X }}'}"),
    "environment": st.sampled_from(["prod", "{name: prod, url: 'https://x'}"]),
    "concurrency": st.sampled_from(["g", "{group: g, cancel-in-progress: true}"]),
    "container": st.sampled_from(["node:22", "{image: x, env: {A: 1}}"]),
    "strategy": st.just("{matrix: {a: [1, {b: [2]}], include: '${{ fromJSON(vars.x) }}'}}"),
    "outputs": st.just("{o: '${{ steps.s.outputs.x }}'}"),
    "permissions": st.sampled_from(["{}", "read-all", "{issues: write}"]),
}
STEPS = st.lists(
    st.sampled_from(
        [
            "run: echo ${{ env.A }}",
            "uses: actions/checkout@v6",
            "{id: b, run: x, background: true}",
            "wait-all:",
            "parallel: [{run: a}, {run: b}]",
        ]
    ),
    min_size=1,
    max_size=3,
    unique=True,
)


@settings(deadline=None)
@given(st.fixed_dictionaries({}, optional=KEYS), STEPS)
def test_a_plan_goes_to_json_and_back_unchanged(keys, steps):
    written = "".join(f"    {key}: {value}\n" for key, value in keys.items())
    items = "".join(f"      - {step}\n" for step in steps)
    text = f"on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n{written}    steps:\n{items}"
    made = plan(text)
    assert msgspec.json.decode(msgspec.json.encode(made), type=Plan) == made


def test_a_plan_with_calls_goes_to_json_and_back_unchanged():
    callee = (
        "on: {workflow_call: {inputs: {n: {type: number, default: 2}}, secrets: {s: }}}\n"
        "jobs:\n  b:\n    " + JOB
    )
    made = plan(call(), {called("x.yml"): callee})
    assert msgspec.json.decode(msgspec.json.encode(made), type=Plan) == made
