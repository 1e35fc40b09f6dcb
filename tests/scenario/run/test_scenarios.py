"""Scenarios of whole runs, one file each: a workflow, what its jobs do, the events that follow.

A file is YAML: `workflow` (or `buildspec`), `files` (called workflows), `run` (how it begins), `script` (leg -> result,
`hold`, or `{result, outputs}`), `then` (what happens to held jobs), `expect` (events after RunStarted),
`commands` (cancelling and groups), `needs` (leg -> the `needs` it is given).
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.scripted_runs import (
    ScriptedRun,
    commanded,
    plan_of,
    plan_of_buildspec,
    run_of,
    told,
)

SCENARIOS = sorted(Path(__file__).parent.glob("*.yml"))


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario(path):
    scenario = yaml.safe_load(path.read_text(encoding="utf-8"))
    if "buildspec" in scenario:
        plan = plan_of_buildspec(scenario["buildspec"])
    else:
        plan = plan_of(scenario["workflow"], scenario.get("files"))
    run = ScriptedRun(run_of(plan, **scenario.get("run", {})), scenario.get("script"))
    run.finish()
    for action in scenario.get("then", []):
        run.perform(action)
    assert [told(event) for event in run.events[1:]] == lines(scenario["expect"])
    if "commands" in scenario:
        assert commanded(run.commands) == lines(scenario["commands"])
    for key, needs in scenario.get("needs", {}).items():
        assert run.requests[key].needs == needs
    run.check()


def test_there_are_scenarios():
    assert len(SCENARIOS) > 20
