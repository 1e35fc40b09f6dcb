"""Background steps and the steps that control them: wait, wait-all, cancel, parallel (3.7)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import msgspec

from trunkline.engine.background import BackgroundStep, BackgroundSteps, Ending
from trunkline.engine.cancel import CancelToken
from trunkline.engine.instances import StepResult
from trunkline.engine.job_context import TemplateError
from trunkline.engine.job_setup import Ready
from trunkline.engine.output import StepOutput
from trunkline.engine.processes import Limits
from trunkline.engine.running_steps import RunningStep
from trunkline.engine.step_reports import OpenStep, StepReports
from trunkline.engine.step_runner import Carrying
from trunkline.run.events import Conclusion
from trunkline.run.job_machine import Kind, Task, laid_out, merged
from trunkline.workflow.model import CancelStep, ParallelStep, Step, WaitStep

# How the runner words a background step's end.
RESULT_WORDS = {
    Conclusion.SUCCESS: "Succeeded",
    Conclusion.FAILURE: "Failed",
    Conclusion.CANCELLED: "Canceled",
    Conclusion.SKIPPED: "Skipped",
}


# Hears of a background step that really runs, by its slot.
Started = Callable[[int, RunningStep], None]


class Covered(msgspec.Struct, frozen=True):
    """What a wait or a cancel found: its own conclusion, and each covered step's."""

    conclusion: Conclusion
    steps: tuple[tuple[BackgroundStep, Conclusion], ...]


class ControlSteps:
    """One job's background steps. Used by the job's own thread; `cancel` by any."""

    def __init__(self, ready: Ready, reports: StepReports, steps: tuple[Step, ...]) -> None:
        self._ready = ready
        self._reports = reports
        self._steps = laid_out(steps)
        self._background = BackgroundSteps()
        self._slots = threading.BoundedSemaphore(self._background.limit)
        self._waiting = CancelToken()

    def cancel(self, *, force: bool) -> None:
        """Cancel what a wait waits for: a control step has no `if` that could hold."""
        self._waiting.cancel(force=force)

    def launch(self, task: Task, started: Started) -> None:
        """Start a step in the background; `started` hears of it when it really runs."""
        ready, instance = self._ready, self._ready.instances[task.slot]
        shared = ready.context.shared.copy()
        beginning = ready.runner.begin(instance, task.stage, shared)
        token = CancelToken()
        if not beginning.holds:
            self._reports.skip(beginning.name, instance.step.id)
            skipped = StepResult(Conclusion.SKIPPED, Conclusion.SKIPPED, {})
            self._background.add(
                BackgroundStep(task, instance, token, lambda: Ending(skipped, shared))
            )
            return
        opened = self._reports.open(beginning.name, background=True)

        def perform() -> Ending:
            with self._slots:
                carrying = Carrying(Limits(token, None), opened.output, shared)
                result = ready.runner.carry_out(instance, task.stage, beginning, carrying)
            self._reports.close_result(opened, result, instance.step.id)
            return Ending(result, shared)

        holds = partial(ready.runner.still_holds, instance, task.stage, beginning.place)
        started(task.slot, RunningStep(token, holds))
        self._background.add(BackgroundStep(task, instance, token, perform))

    def wait(self, task: Task) -> Covered:
        """Wait for a task's targets and let their effects be seen."""
        opened = self._reports.open(self._name(task))
        steps = self._targets(task)
        names = ", ".join(step.instance.name for step in steps)
        opened.output.line(f"Waiting for background step(s) to complete: {names}")
        found = [(step, self._cover(step)) for step in steps]
        opened.output.line("Finished waiting for background step(s).")
        for step, conclusion in found:
            opened.output.line(f"  {step.instance.name}: {RESULT_WORDS[conclusion]}")
        outcome = merged(conclusion for _, conclusion in found)
        conclusion = self._after_continue_on_error(task, outcome, opened.output)
        self._close(task, opened, outcome, conclusion)
        return Covered(conclusion, tuple(found))

    def stop(self, task: Task) -> Covered:
        """Cancel a task's targets; what becomes of them does not count."""
        opened = self._reports.open(self._name(task))
        found = []
        for step in self._targets(task):
            step.token.cancel()
            found.append((step, self._cover(step)))
            opened.output.line(f"Cancelled background step: {step.instance.name}")
        self._close(task, opened, Conclusion.SUCCESS, Conclusion.SUCCESS)
        return Covered(Conclusion.SUCCESS, tuple(found))

    def _close(
        self, task: Task, opened: OpenStep, outcome: Conclusion, conclusion: Conclusion
    ) -> None:
        self._ready.context.scope.record(task.step_id, outcome, conclusion, {})
        self._reports.close(opened, outcome, conclusion, step_id=task.step_id)

    def _targets(self, task: Task) -> list[BackgroundStep]:
        return [found for name in task.targets if (found := self._background.get(name))]

    def _cover(self, step: BackgroundStep) -> Conclusion:
        ending = step.wait(self._waiting)
        result = ending.result
        if not step.covered:
            step.covered = True
            self._ready.context.shared.merge(ending.shared)
            step.instance.scope.record(
                step.instance.step.id, result.outcome, result.conclusion, result.outputs
            )
        return result.conclusion

    def _name(self, task: Task) -> str:
        step = self._steps[task.slot] if task.slot >= 0 else None
        match step:
            case WaitStep(name=None, targets=targets):
                return "Wait for all" if targets is None else "Wait"
            case CancelStep(name=None):
                return "Cancel"
            case WaitStep(name=token) | CancelStep(name=token):
                context = self._ready.context
                try:
                    return context.text(token, context.job_place())
                except TemplateError:
                    return "Wait" if task.kind is Kind.AWAIT else "Cancel"
            case ParallelStep():
                return "Parallel group"
            case _:
                return "Wait for all background steps"

    def _after_continue_on_error(
        self, task: Task, outcome: Conclusion, output: StepOutput
    ) -> Conclusion:
        step = self._steps[task.slot] if task.slot >= 0 else None
        if outcome is not Conclusion.FAILURE or not isinstance(step, WaitStep):
            return outcome
        context = self._ready.context
        if step.continue_on_error is None:
            return outcome
        try:
            allowed = context.boolean(
                step.continue_on_error, context.job_place(), "continue-on-error"
            )
        except TemplateError as error:
            output.line(f"##[error]{error}")
            return outcome
        return Conclusion.SUCCESS if allowed else outcome
