"""Calls of reusable workflows: what the caller must give, and may ask for."""

from __future__ import annotations

from textwrap import dedent

import pytest

from tests.unit.workflow.examples import RELAXED, SMALL, call, valid
from trunkline.base.diagnostics import Diagnostic
from trunkline.base.spans import Span
from trunkline.document.limits import GITHUB, Limits
from trunkline.workflow import reusable
from trunkline.workflow.model import CallJob, Job, Permissions, Text, Workflow
from trunkline.workflow.parse import parse

CALLEE = """\
on:
  workflow_call:
    inputs:
      Name: {type: string, required: true}
      count: {type: number, default: 1}
      fast: {type: boolean}
    secrets:
      token: {required: true}
      other:
jobs:
  inner: {runs-on: x}
"""


def workflow(text: str) -> Workflow:
    found, problems = parse(dedent(text), "called.yml", limits=RELAXED)
    assert found is not None, problems
    return found


def caller(body: str, permissions: Permissions | None = None) -> reusable.Caller:
    job = call(f"uses: ./.github/workflows/called.yml\n{body}")
    return reusable.Caller(file="ci.yml", job=job, permissions=permissions, policy="LimitedRead")


def check(body: str, callee: str = CALLEE, permissions: Permissions | None = None) -> list[str]:
    found = reusable.check_call(caller(body, permissions), workflow(callee), GITHUB)
    return [f"{one.span.line}:{one.span.column} {one.message}" for one in found]


GIVEN = "with: {name: a}\nsecrets: {TOKEN: b}\n"


def test_names_ignore_case_and_types_must_fit() -> None:
    assert check(GIVEN) == []
    assert check("with: {name: 3, count: 2, fast: true}\nsecrets: inherit") == []
    assert check("with: {name: a, count: '${{ vars.N }}'}\nsecrets: inherit") == []
    assert check("with: {name: a, count: x, fast: 'true'}\nsecrets: inherit") == [
        "5:28 Unexpected value 'x'",
        "5:37 Unexpected value 'true'",
    ]


def test_what_is_missing_and_what_is_too_much() -> None:
    assert check("with: {nam: a}\nsecrets: {tok: b}") == [
        "4:11 Input Name is required, but not provided while calling.",
        "5:17 Invalid input, nam is not defined in the referenced workflow.",
        "4:11 Secret token is required, but not provided while calling.",
        "6:20 Invalid secret, tok is not defined in the referenced workflow.",
    ]


def test_a_workflow_must_let_itself_be_called() -> None:
    assert check("", SMALL) == [
        (
            '4:11 error parsing called workflow "ci.yml" -> "./.github/workflows/called.yml" : '
            "workflow is not reusable as it is missing a `on.workflow_call` trigger"
        )
    ]
    assert check("", SMALL.replace("push", "[push, workflow_call]")) == []


@pytest.mark.parametrize(
    ("callee", "permissions", "expected"),
    [
        ("permissions: {contents: read}", None, ""),
        (
            "permissions: {contents: write}",
            None,
            "contents: write', but is only allowed 'contents: read",
        ),
        ("permissions: {issues: read}", Permissions(scopes=(("issues", "write"),)), ""),
        (
            "permissions: {issues: read}",
            Permissions(),
            "issues: read', but is only allowed 'issues: none",
        ),
        ("permissions: read-all", Permissions(all_="read"), ""),
        (
            "permissions: {pages: write, actions: write}",
            Permissions(all_="read"),
            "actions: write, pages: write', but is only allowed 'actions: read, pages: read",
        ),
    ],
)
def test_a_called_workflow_asks_for_no_more_than_its_caller_may(
    callee: str, permissions: Permissions | None, expected: str
) -> None:
    found = check(GIVEN, f"{callee}\n{CALLEE}", permissions)
    uses = "./.github/workflows/called.yml"
    start = f"3:3 Error calling workflow '{uses}'. The workflow '{uses}' is requesting '"
    assert found == ([f"{start}{expected}'."] if expected else [])


def test_nested_jobs_are_named() -> None:
    callee = CALLEE.replace("{runs-on: x}", "{runs-on: x, permissions: {issues: write}}")
    assert "The nested job 'inner' is requesting 'issues: write'" in check(GIVEN, callee)[0]
    callee = callee.replace("{runs-on", "{name: Inner, runs-on")
    assert "The nested job 'Inner' is requesting" in check(GIVEN, callee)[0]


def test_who_may_do_what() -> None:
    outer = valid("permissions: read-all\n" + SMALL)
    job = outer.jobs[0]
    assert isinstance(job, Job | CallJob)
    granted = Permissions(all_="write")
    assert reusable.effective_permissions(job, outer, granted) == outer.permissions
    assert reusable.effective_permissions(job, valid(SMALL), granted) == granted


def test_limits_of_a_run() -> None:
    assert reusable.check_depth(9, GITHUB) == ""
    assert reusable.check_depth(10, GITHUB) == "Nested reusable workflow depth exceeded 9."
    assert reusable.check_job_count(1000, GITHUB) == ""
    limits = Limits(max_jobs=8)
    assert reusable.check_job_count(8, limits) == ""
    assert reusable.check_job_count(9, limits) == "The workflow may not contain more than 8 jobs"
    assert reusable.check_file_count(51, GITHUB) == ""
    assert reusable.check_file_count(52, GITHUB) == "The maximum file count of 51 has been exceeded"


def test_the_size_of_all_files_counts_and_each_name_once() -> None:
    one = valid(SMALL)
    left = reusable.limits_left(GITHUB, [one, one])
    assert GITHUB.max_size - left.max_size == 2 * one.size - (26 + 2 * len("ci.yml"))


def test_a_mistake_in_a_called_file_tells_who_called() -> None:
    found = Diagnostic(rule="value", message="m", file="called.yml", span=Span(1, 1), hint="h")
    told = reusable.in_called_workflow(found, "ci.yml", Text("./called.yml", Span(4, 11)))
    assert (told.file, told.span, told.message) == ("called.yml", (1, 1), "m")
    assert told.hint == "h Called from ci.yml, line 4."
