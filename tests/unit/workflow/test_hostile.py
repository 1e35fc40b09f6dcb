"""Whatever the text is, reading ends soon, with a model or with a reason."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.workflow.examples import SMALL
from tests.yardstick import in_yardsticks
from trunkline.base.diagnostics import Diagnostic, Severity
from trunkline.document.limits import ALL_ERRORS
from trunkline.workflow.action import parse_action
from trunkline.workflow.encoding import decode
from trunkline.workflow.names import unknown_names, unknown_names_of_action
from trunkline.workflow.parse import parse

KEYS = st.sampled_from(
    [
        *("on", "jobs", "push", "build", "steps", "run", "uses", "with", "env", "name", "if"),
        *("needs", "strategy", "matrix", "include", "exclude", "runs-on", "container", "services"),
        *("workflow_call", "workflow_dispatch", "inputs", "schedule", "cron", "parallel", "wait"),
        *("permissions", "concurrency", "group", "queue", "snapshot", "runs", "using", "main"),
        *("outputs", "value", "<<", "${{ insert }}", "__x", "", "id", "cancel", "background"),
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | KEYS
    | st.text(max_size=8)
    | st.sampled_from(
        ["push", "a/b@v1", "${{ github.x }}", "${{", "x ${{ 'a' }}", "node20", "0 0 * * *"]
    )
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=30,
)
FAST = settings(suppress_health_check=[HealthCheck.too_slow], deadline=60_000)


def read_as_both(text: str) -> None:
    workflow, found = parse(text, "ci.yml", limits=ALL_ERRORS)
    told(found, text, valid=workflow is not None)
    if workflow is not None:
        unknown_names(workflow)
    action, found = parse_action(text, "action.yml", limits=ALL_ERRORS)
    told(found, text, valid=action is not None)
    if action is not None:
        unknown_names_of_action(action)


def told(found: tuple[Diagnostic, ...], text: str, *, valid: bool) -> None:
    assert valid is not any(one.severity is Severity.ERROR for one in found)
    lines = text.count("\n") + text.count("\r") + 2
    assert all(0 <= one.span.line <= lines + text.count("\x85") for one in found)
    assert all(one.message and one.rule for one in found)


@FAST
@given(st.text())
def test_any_text(text: str) -> None:
    read_as_both(text)


@FAST
@given(st.text(alphabet="abon: \n-[]{}&*!|>'\"%@`#,?<$~\t\\0.x"))
def test_any_text_of_yaml_symbols(text: str) -> None:
    read_as_both(text)


@FAST
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    text, undecodable = decode(data, "ci.yml")
    assert undecodable is None or undecodable.span.line >= 1
    read_as_both(text)


@FAST
@given(st.dictionaries(KEYS, VALUES, max_size=8))
def test_any_structure(value: dict[str, Any]) -> None:
    read_as_both(yaml.safe_dump(value, allow_unicode=True))


@FAST
@given(st.dictionaries(KEYS, VALUES, max_size=6), st.lists(VALUES, max_size=3))
def test_any_job(job: dict[str, Any], steps: list[Any]) -> None:
    job = {"runs-on": "x", **job, "steps": steps}
    read_as_both(yaml.safe_dump({"on": "push", "jobs": {"a": job}}, allow_unicode=True))


@FAST
@given(
    st.integers(0, len(SMALL)),
    st.integers(0, 10),
    st.text(alphabet=st.characters(codec="utf-8"), max_size=5),
)
def test_a_valid_workflow_with_a_piece_replaced(at: int, cut: int, piece: str) -> None:
    read_as_both(SMALL[:at] + piece + SMALL[at + cut :])


def test_thousands_of_mistakes_take_no_time_worth_telling() -> None:
    text = "on: push\njobs: {}\n" + "".join(f"permision{n}: x\n" for n in range(12_000))
    _, found = parse(text, "ci.yml", limits=ALL_ERRORS)
    assert len(found) == 1000


def test_hundreds_of_unknown_needs_take_no_time_worth_telling() -> None:
    job = "{{runs-on: x, needs: nob-number-{0}, steps: [run: x]}}"
    jobs = "".join(f"  job-number-{n}: {job.format(n)}\n" for n in range(1000))
    text = f"on: push\njobs:\n  a: {{runs-on: x, steps: [run: x]}}\n{jobs}"
    found: list[Diagnostic] = []
    work = in_yardsticks(lambda: found.extend(parse(text, "ci.yml", limits=ALL_ERRORS)[1]))
    assert work < 500  # thousands, before hints had a price
    assert len(found) == 1000
    assert found[7].hint == "Did you mean 'job-number-7'?"
