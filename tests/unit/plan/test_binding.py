"""Occurrences bound to the workflow they start."""

from __future__ import annotations

import pytest

from tests.unit.plan.examples import FACTS, workflow
from trunkline.expr.template import Expression, Literal
from trunkline.plan.binding import bind
from trunkline.plan.occurrence import Occurrence
from trunkline.plan.rehearsal import occurrence_of
from trunkline.workflow.model import Input, Schedule, Trigger

CONTEXTS = {"github": {"actor": "ada"}, "vars": {"X": "y"}}


def bound(trigger: Trigger, given: dict[str, object] | None = None, **inputs: str) -> Occurrence:
    occurrence = occurrence_of(trigger.event, FACTS, given=given, inputs=inputs)
    assert isinstance(occurrence, Occurrence)
    made = bind(occurrence, workflow(trigger), CONTEXTS)
    assert isinstance(made, Occurrence), made
    return made


@pytest.mark.parametrize("event", ["workflow_dispatch", "workflow_call"])
def test_inputs_are_typed_in_inputs_and_text_in_the_payload(event):
    inputs = (
        Input(id="dry", type="boolean", default=Literal(value=True)),
        Input(id="who", default=Expression("github.actor")),
        Input(id="count", type="number"),
    )
    made = bound(Trigger(event=event, inputs=inputs), count="3")
    assert made.inputs == {"dry": True, "who": "ada", "count": 3.0}
    assert made.payload["inputs"] == {"dry": "true", "who": "ada", "count": "3"}
    assert made.payload["workflow"] == ".github/workflows/ci.yml"


def test_without_inputs_the_payload_has_none():
    assert bound(Trigger(event="workflow_dispatch")).payload["inputs"] is None


def test_what_is_wrong_with_inputs():
    trigger = Trigger(event="workflow_dispatch", inputs=(Input(id="n", required=True),))
    occurrence = occurrence_of("workflow_dispatch", FACTS)
    assert isinstance(occurrence, Occurrence)
    problems = bind(occurrence, workflow(trigger), CONTEXTS)
    assert isinstance(problems, tuple)
    assert problems[0].message == "Required input 'n' not provided"
    bad = Trigger(event="workflow_dispatch", inputs=(Input(id="n", default=Expression("x.y")),))
    (problem,) = bind(occurrence, workflow(bad), CONTEXTS)  # type: ignore[misc]  # a tuple
    assert problem.message.startswith("Unrecognized named-value: 'x'")


def test_a_schedule_is_told():
    trigger = Trigger(event="schedule", schedules=(Schedule("0 1 * * *"), Schedule("0 2 * * *")))
    assert bound(trigger).payload["schedule"] == "0 1 * * *"
    assert bound(trigger, {"schedule": "0 2 * * *"}).payload["schedule"] == "0 2 * * *"
    assert bound(trigger).payload["workflow"] == ".github/workflows/ci.yml"


def test_what_is_not_said_is_the_first_that_the_workflow_names():
    dispatch = bound(Trigger(event="repository_dispatch", types=("deploy", "test")))
    assert (dispatch.action, dispatch.payload["action"]) == ("deploy", "deploy")
    said = bound(Trigger(event="repository_dispatch", types=("a", "b")), {"action": "b"})
    assert said.payload["action"] == "b"
    run = bound(Trigger(event="workflow_run", workflows=("Build",)))
    assert run.payload["workflow_run"]["name"] == run.payload["workflow"]["name"] == "Build"
    assert run.payload["workflow_run"]["conclusion"] == "success"


def test_another_event_stays_as_it_is():
    occurrence = occurrence_of("push", FACTS)
    assert isinstance(occurrence, Occurrence)
    assert bind(occurrence, workflow(Trigger(event="release")), CONTEXTS) is occurrence
    assert bound(Trigger(event="push")) == occurrence
