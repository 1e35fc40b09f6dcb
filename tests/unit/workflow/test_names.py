"""Names in expressions that can't have a value."""

from __future__ import annotations

import pytest

from tests.unit.workflow.examples import valid
from trunkline.workflow.action import parse_action
from trunkline.workflow.names import unknown_names, unknown_names_of_action

WORKFLOW = """\
on:
  workflow_dispatch: {inputs: {level: }}
  workflow_call:
    outputs:
      o: {value: '${{ jobs.build.outputs.x }}'}
jobs:
  build:
    runs-on: ${{ matrix.os }}
    strategy: {matrix: {os: [a], include: [{os: a, extra: b}]}}
    outputs: {version: '${{ steps.v.outputs.version }}'}
    steps:
      - {id: v, run: 'echo ${{ matrix.extra }}'}
      - parallel: [{id: p, run: x}]
      - {run: 'echo ${{ steps.P.outcome }} ${{ inputs.LEVEL }}'}
  dynamic:
    runs-on: ${{ matrix.anything }}
    strategy: {matrix: '${{ fromJSON(vars.M) }}'}
  test:
    needs: [build]
    if: needs.build.result == 'success'
    runs-on: x
    env: {V: '${{ needs.build.outputs.version }}'}
"""


def warned(text: str) -> list[str]:
    return [
        f"{one.message[len('Context access might be invalid: ') :]}: {one.hint}"
        for one in unknown_names(valid(text))
    ]


def test_names_that_exist_are_fine() -> None:
    assert warned(WORKFLOW) == []


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("jobs.build", "jobs.biuld", "jobs.biuld: There is no such job. Did you mean 'build'?"),
        ("matrix.os", "matrix.so", "matrix.so: The matrix has no such key."),
        ("matrix.extra", "matrix.*.a || matrix.more", "matrix.more: The matrix has no such key."),
        ("steps.v.", "steps.w.", "steps.w: No step of this job has this id."),
        (
            "inputs.LEVEL",
            "inputs.lvl",
            "inputs.lvl: No event of this workflow declares this input.",
        ),
        (
            "needs.build.result",
            "needs.dynamic.result",
            "needs.dynamic: The job 'test' does not need such a job.",
        ),
        (
            "needs.build.outputs.version",
            "needs.build.outputs.verison",
            "needs.build.outputs.verison: The job 'build' has no such output. Did you mean 'version'?",
        ),
        (
            "strategy: {matrix: {os: [a], include: [{os: a, extra: b}]}}",
            "name: x",
            "matrix.os: This job has no matrix.",
        ),
    ],
)
def test_names_that_do_not_exist(right: str, wrong: str, told: str) -> None:
    assert any(one.startswith(told) for one in warned(WORKFLOW.replace(right, wrong)))


def test_names_in_a_composite_action() -> None:
    text = """\
name: a
inputs: {who: }
outputs: {o: {value: '${{ steps.y.outputs.z }}'}}
runs:
  using: composite
  steps:
    - {id: x, run: 'echo ${{ inputs.whom }} ${{ inputs.who }}', shell: sh}
"""
    action, found = parse_action(text, "action.yml")
    assert action is not None
    assert found == ()
    told = [(one.span.line, one.message) for one in unknown_names_of_action(action)]
    assert told == [
        (7, "Context access might be invalid: inputs.whom"),
        (3, "Context access might be invalid: steps.y"),
    ]
