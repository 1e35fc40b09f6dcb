"""Steps that do work, one after the other: the stages that a job performs in the foreground."""

from __future__ import annotations

from functools import partial

from trunkline.engine.cancel import CancelToken
from trunkline.engine.job_setup import Ready
from trunkline.engine.processes import Limits
from trunkline.engine.running_steps import RunningStep, RunningSteps
from trunkline.engine.step_reports import StepReports
from trunkline.engine.step_runner import Carrying
from trunkline.run.events import Conclusion
from trunkline.run.job_machine import Stage, Task


class WorkSteps:
    """One job's. Used by the job's own thread."""

    def __init__(self, ready: Ready, reports: StepReports, running: RunningSteps) -> None:
        self._ready = ready
        self._reports = reports
        self._running = running

    def perform(self, task: Task) -> Conclusion:
        """Perform a stage whose `if` holds, else tell that it is skipped; return how it ended."""
        runner, shared = self._ready.runner, self._ready.context.shared
        instance = self._ready.instances[task.slot]
        step_id, is_main = instance.step.id, task.stage is Stage.MAIN
        beginning = runner.begin(instance, task.stage, shared)
        if self._running.forced or not beginning.holds:
            if is_main:
                instance.scope.record(step_id, Conclusion.SKIPPED, Conclusion.SKIPPED, {})
            self._reports.skip(beginning.name, step_id)
            return Conclusion.SKIPPED
        opened = self._reports.open(beginning.name)
        token = CancelToken()
        holds = partial(runner.still_holds, instance, task.stage, beginning.place)
        self._running.start(task.slot, RunningStep(token, holds))
        carrying = Carrying(Limits(token, None), opened.output, shared)
        result = runner.carry_out(instance, task.stage, beginning, carrying)
        self._running.end(task.slot)
        if is_main:
            instance.scope.record(step_id, result.outcome, result.conclusion, result.outputs)
        self._reports.close_result(opened, result, step_id)
        return result.conclusion
