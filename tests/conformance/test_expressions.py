"""GitHub's own expression fixtures: every file under $TRUNKLINE_CONFORMANCE/expressions."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from trunkline.expr.errors import ExpressionError
from trunkline.expr.evaluate import evaluate
from trunkline.expr.values import Value, kind

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "conformance"
FOLDER = Path(os.environ.get("TRUNKLINE_CONFORMANCE") or _BESIDE) / "expressions"
# The fixtures were written for the evaluator alone; inside a template it has ten times the room.
LIMIT = 1024 * 1024


class Case(NamedTuple):
    """One case of a fixture."""

    expression: str
    contexts: dict[str, Value]
    expected: dict[str, Any]


def _cases() -> list[Any]:
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        for group, cases in json.loads(path.read_text("utf-8")).items():
            for number, case in enumerate(cases):
                name = f"{path.stem}-{group}-{number}"
                found.append(pytest.param(_case(case), id=name))
    missing = pytest.mark.skip(reason=f"no fixtures: {FOLDER} is not there")
    return found or [pytest.param(None, id="no-fixtures", marks=missing)]


def _case(case: dict[str, Any]) -> Case:
    expected: dict[str, Any] = {key: case[key] for key in ("result", "err") if key in case}
    return Case(case["expr"], case.get("contexts") or {}, expected)


def _plain(value: Any) -> Any:
    """Return a value as the fixtures write it: numbers that JSON lacks are text, -0 is 0."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
    return value


@pytest.mark.parametrize("case", _cases())
def test_fixture(case: Case) -> None:
    if "err" in case.expected:
        with pytest.raises(ExpressionError) as caught:
            evaluate(case.expression, case.contexts, limit=LIMIT)
        assert case.expected["err"]["value"] in caught.value.message
        assert caught.value.kind == case.expected["err"]["kind"]
        return
    value = evaluate(case.expression, case.contexts, limit=LIMIT)
    result = case.expected["result"]
    assert (kind(value), _plain(value)) == (result["kind"], result["value"])
