"""What a cancelled job stops: steps that run, and those that start a moment too late."""

from __future__ import annotations

from trunkline.engine.cancel import CancelToken
from trunkline.engine.running_steps import RunningStep, RunningSteps


def step(*, still_holds: bool) -> RunningStep:
    return RunningStep(CancelToken(), lambda: still_holds)


def test_a_step_goes_on_while_its_condition_holds():
    running, ends, goes_on = RunningSteps(), step(still_holds=False), step(still_holds=True)
    running.start(0, ends)
    running.start(1, goes_on)
    running.cancel("user", force=False)
    assert (ends.token.asked, ends.token.by, ends.token.forced) == (True, "user", False)
    assert not goes_on.token.asked
    running.cancel("somebody else", force=True)
    assert (goes_on.token.by, goes_on.token.forced) == ("user", True)
    assert ends.token.forced
    assert running.cancelled_by == "user"


def test_a_step_that_starts_after_the_cancellation_is_stopped_too():
    running, late = RunningSteps(), step(still_holds=False)
    running.cancel("timeout", force=False)
    running.start(0, late)
    assert (late.token.asked, late.token.by) == (True, "timeout")


def test_a_step_that_has_ended_is_left_alone():
    running, ended = RunningSteps(), step(still_holds=False)
    running.start(0, ended)
    running.end(0)
    running.end(7)
    running.cancel("user", force=True)
    assert not ended.token.asked
