"""Variables that nobody defined."""

from __future__ import annotations

from trunkline.plan.compile import compile_workflow
from trunkline.plan.model import Plan, Source
from trunkline.plan.variables import undefined_variables
from trunkline.workflow.parse import parse

TEXT = """
on: push
run-name: ${{ vars.RUN }}
jobs:
  a:
    runs-on: ${{ vars.LABEL || 'ubuntu-latest' }}
    if: vars.on == 'x'
    env: {A: "x ${{ vars['INDEXED'] }} ${{ Vars.known }}"}
    strategy: {matrix: {v: ["${{ vars.RUN }}"]}}
    steps:
      - run: echo ${{ vars[matrix.v] }} ${{ toJSON(vars) }} ${{ vars.STEP }}
"""


def test_undefined_variables_are_told_once_each():
    workflow, found = parse(TEXT, "ci.yml")
    assert workflow, found
    plan = compile_workflow(workflow, event="push", source=Source(path="ci.yml"))
    assert isinstance(plan, Plan)
    assert set(undefined_variables(plan, ["KNOWN"])) == {"RUN", "LABEL", "on", "INDEXED", "STEP"}
    assert undefined_variables(plan, ["KNOWN", "run", "label", "ON", "Indexed", "step"]) == ()
    assert "RUN" in undefined_variables(plan.jobs[0], [])
