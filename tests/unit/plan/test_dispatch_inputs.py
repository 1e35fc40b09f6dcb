"""Inputs given by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.plan.examples import workflow
from trunkline.base.diagnostics import Diagnostic
from trunkline.base.spans import Span
from trunkline.plan.dispatch_inputs import Inputs, read_inputs, undeclared
from trunkline.workflow.model import Input, Trigger

TRIGGER = Trigger(
    event="workflow_dispatch",
    inputs=(
        Input(id="version", required=True, span=Span(5, 7)),
        Input(id="dry", type="boolean"),
        Input(id="count", type="number"),
        Input(id="level", type="choice", options=("low", "high")),
        Input(id="where", type="environment"),
        Input(id="note"),
    ),
)


def read(defaults: Any = None, **given: object) -> Inputs | tuple[Diagnostic, ...]:
    return read_inputs(TRIGGER, given, defaults or {}, "ci.yml")


def test_values_are_typed_and_texts_are_not():
    inputs = read(version="1.0", dry="true", count="3.50", level="high", where="prod")
    assert isinstance(inputs, Inputs)
    assert inputs.values == {
        "version": "1.0",
        "dry": True,
        "count": 3.5,
        "level": "high",
        "where": "prod",
        "note": "",
    }
    assert inputs.texts == {
        "version": "1.0",
        "dry": "true",
        "count": "3.5",
        "level": "high",
        "where": "prod",
        "note": "",
    }


def test_what_is_missing_is_empty():
    inputs = read(VERSION="1")
    assert isinstance(inputs, Inputs)
    assert inputs.values == {
        "version": "1",
        "dry": False,
        "count": 0.0,
        "level": "",
        "where": "",
        "note": "",
    }
    assert inputs.texts["dry"] == "false"


def test_defaults_count_unless_something_is_given():
    inputs = read({"version": "2", "dry": True, "count": 4.0, "note": "x"}, note="")
    assert isinstance(inputs, Inputs)
    assert (inputs.values["version"], inputs.values["dry"], inputs.values["note"]) == (
        "2",
        True,
        "",
    )


def test_typed_values_of_a_payload():
    inputs = read(version=2.0, dry=False, count=7)
    assert isinstance(inputs, Inputs)
    assert (inputs.values["version"], inputs.values["dry"], inputs.values["count"]) == (
        "2",
        False,
        7,
    )


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        ({}, "Required input 'version' not provided", "--input version=VALUE"),
        ({"version": ""}, "Required input 'version' not provided", "--input version=VALUE"),
        (
            {"version": "1", "level": "medium"},
            "Provided value 'medium' for input 'level' not in the list of allowed values",
            "It may be: low, high.",
        ),
        (
            {"version": "1", "dry": "yes"},
            "Provided value 'yes' for input 'dry' is not a boolean",
            "It may be true or false.",
        ),
        (
            {"version": "1", "count": "many"},
            "Provided value 'many' for input 'count' is not a number",
            "It must be a number.",
        ),
        ({"version": "1", "count": True}, "is not a number", "It must be a number."),
    ],
)
def test_refusals(given, message, hint):
    problems = read(**given)
    assert isinstance(problems, tuple)
    assert message in problems[0].message
    assert hint in problems[0].hint
    assert problems[0].file == "ci.yml"


def test_all_mistakes_at_once():
    problems = read(dry="x", count="y")
    assert isinstance(problems, tuple)
    assert len(problems) == 3


def test_undeclared_names():
    one = workflow(TRIGGER)
    other = workflow(Trigger(event="workflow_dispatch", inputs=(Input(id="extra"),)))
    assert undeclared(["Version", "extra"], [one, other], "workflow_dispatch") == ()
    (problem,) = undeclared(["versoin"], [one, other], "workflow_dispatch")
    assert problem.message == "Unexpected inputs provided: [versoin]"
    assert problem.hint == "Did you mean 'version'?"
    (none,) = undeclared(["x"], [workflow(Trigger(event="push"))], "workflow_dispatch")
    assert none.hint == "The workflow declares no inputs."
