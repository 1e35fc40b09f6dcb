"""What jobs may hand on: by job and by run, in bytes of UTF-16."""

from __future__ import annotations

import pytest

from tests.scripted_runs import ScriptedRun, plan_of, run_of
from trunkline.run.events import Annotated, Conclusion, JobCompleted
from trunkline.run.facts import Reported
from trunkline.run.fold import fold
from trunkline.run.job_outputs import (
    JOB_LIMIT,
    RUN_LIMIT,
    OutputsTooLarge,
    check_job_outputs,
    outputs_size,
)

MIB = "x" * (512 * 1024)


@pytest.mark.parametrize(
    ("outputs", "size"),
    [({}, 0), ({"name": ""}, 0), ({"a": "xy", "b": "z"}, 6), ({"a": "\u20ac\U0001f600"}, 6)],
)
def test_the_size_of_outputs_is_that_of_their_values_in_utf_16(outputs, size):
    assert outputs_size(outputs) == size


def test_a_job_hands_on_a_mebibyte_and_not_more():
    check_job_outputs({"half": MIB[: JOB_LIMIT // 4], "rest": MIB[: JOB_LIMIT // 4]})
    with pytest.raises(OutputsTooLarge, match="Job outputs exceed 1,048,576 bytes"):
        check_job_outputs({"all": MIB, "more": "x"})


def test_the_job_that_takes_its_run_over_the_limit_fails_and_hands_on_nothing():
    legs = ", ".join(str(number) for number in range(52))
    text = f"""
on: push
jobs:
  many: {{runs-on: ubuntu-latest, strategy: {{fail-fast: false, matrix: {{n: [{legs}]}}}}, steps: [run: x]}}
"""
    run = ScriptedRun(run_of(plan_of(text)))
    for key in list(run.state.legs):
        done = JobCompleted(key=key, conclusion=Conclusion.SUCCESS, outputs={key: MIB})
        run.take(Reported(done))
    failed = [leg.leg.key for leg in run.state.legs.values() if leg.conclusion != "success"]
    assert failed == ["many (50)", "many (51)"]
    assert run.state.output_bytes == RUN_LIMIT == fold(run.events).output_bytes
    told = [each.message for each in run.events if isinstance(each, Annotated)]
    assert told == ["The job outputs of the run exceed 52,428,800 bytes"] * 2
