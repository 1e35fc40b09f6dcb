"""The engine's own steps around containers: pull or build, initialize, stop (section 3.3, 3.14)."""

from __future__ import annotations

from trunkline.base.errors import TrunklineError
from trunkline.engine.cancel import CancelToken
from trunkline.engine.job_setup import Ready
from trunkline.engine.step_reports import OpenStep, StepReports
from trunkline.engine.step_runner import CANCELLED_TEXT, hints
from trunkline.ports.containers import Watch
from trunkline.run.events import Conclusion
from trunkline.run.job_machine import Kind, Task

INITIALIZE = "Initialize containers"
STOP = "Stop containers"


class ContainerSteps:
    """One job's. Used by the job's own thread; `cancel` by any."""

    def __init__(self, ready: Ready, reports: StepReports) -> None:
        self._ready = ready
        self._reports = reports
        self._token = CancelToken()

    def cancel(self, *, force: bool) -> None:
        """Give up what is pulled, built or awaited; containers are removed all the same."""
        self._token.cancel(force=force)

    def skip(self, task: Task) -> None:
        """Tell a step that is passed over."""
        self._reports.skip(self._name(task), "")

    def perform(self, task: Task) -> Conclusion:
        """Do a task of kind IMAGE, BEGIN or END; return how it ended."""
        opened = self._reports.open(self._name(task))
        conclusion = Conclusion.SUCCESS
        try:
            self._do(task, self._watch(task, opened))
        except TrunklineError as error:
            conclusion = Conclusion.FAILURE
            if not self._token.asked or task.kind is Kind.END:
                opened.output.line(f"##[error]{error}")
                opened.output.engine_lines(hints(error))
        if self._token.asked and task.kind is not Kind.END:
            opened.output.line(f"##[error]{CANCELLED_TEXT}")
            conclusion = Conclusion.CANCELLED
        self._reports.close(opened, conclusion)
        return conclusion

    def _do(self, task: Task, watch: Watch) -> None:
        ready = self._ready
        containers = ready.context.sandbox.containers
        if task.kind is Kind.IMAGE:
            ready.runner.tools.images.have(ready.images[task.slot], watch)
        elif task.kind is Kind.BEGIN:
            begun = containers.begin(ready.wanted.job, ready.wanted.services, watch)
            ready.context.begin(begun)
        else:
            containers.end(watch)

    def _watch(self, task: Task, opened: OpenStep) -> Watch:
        """Return who follows a task; removing containers is always wanted."""
        unwanted = (lambda: False) if task.kind is Kind.END else (lambda: self._token.asked)
        return Watch(opened.output.tell, unwanted)

    def _name(self, task: Task) -> str:
        match task.kind:
            case Kind.IMAGE:
                return self._ready.images[task.slot].title
            case Kind.BEGIN:
                return INITIALIZE
            case _:
                return STOP
