"""Performs one job: asks the job machine what comes next, has it done, tells the machine what came of it.

What is done lies beside this file: `job_setup`, the three kinds of steps (`work_steps`, `control_steps`,
`container_steps`) and `job_completion`. `running_steps` knows what a cancelled job stops.
"""

from __future__ import annotations

import threading

import msgspec
from msgspec.structs import replace

from trunkline.base.errors import TrunklineError
from trunkline.engine.container_steps import ContainerSteps
from trunkline.engine.control_steps import ControlSteps, Covered
from trunkline.engine.instances import Instance
from trunkline.engine.job_completion import (
    environment_url,
    job_outputs,
    kept_workspace,
    tear_down,
)
from trunkline.engine.job_containers import place_of
from trunkline.engine.job_context import TemplateError
from trunkline.engine.job_log import JobLog
from trunkline.engine.job_setup import Parts, Ready, set_up
from trunkline.engine.output import JobOutput, StepOutput
from trunkline.engine.running_steps import RunningSteps
from trunkline.engine.services_access import JobAccess, services_job
from trunkline.engine.step_reports import OpenStep, Report, StepReports
from trunkline.engine.step_runner import hints
from trunkline.engine.work_steps import WorkSteps
from trunkline.engine.world import World
from trunkline.expr.errors import ExpressionError
from trunkline.ports.sandbox import Sandbox
from trunkline.run import job_machine as machine
from trunkline.run.events import Annotated, Conclusion, JobCompleted, JobStarted
from trunkline.run.job_machine import JobState, Kind, Stage, Task
from trunkline.run.job_outputs import OutputsTooLarge
from trunkline.run.job_request import JobRequest


class Performers(msgspec.Struct, frozen=True):
    """What performs the steps of a job that is set up."""

    ready: Ready
    work: WorkSteps
    controls: ControlSteps
    containers: ContainerSteps


class JobWorker:
    """One job on one thread; `cancel` may come from any other."""

    def __init__(self, request: JobRequest, world: World, report: Report) -> None:
        self.request = request
        self._world = world
        self._report = report
        log = JobLog(request.run_id, request.key, world.logs, world.clock, report, world.listen)
        self._output = JobOutput(log)
        self._reports = StepReports(request.key, self._output, world.clock, report)
        self._lock = threading.RLock()
        self._state = JobState()
        self._running = RunningSteps()
        self._sandbox: Sandbox | None = None
        self._access: JobAccess | None = None
        self._performers: Performers | None = None
        self._message = ""

    def run(self) -> None:
        """Perform the job to its end; a fault of its set-up fails this job only.

        Whatever is raised, nothing of the job stays behind.
        """
        self._report(JobStarted(key=self.request.key))
        try:
            self._perform_all()
            self._complete()
        finally:
            self._close_access()
            if self._sandbox is not None:
                self._sandbox.tear_down(keep=True)

    def _perform_all(self) -> None:
        while True:
            match machine.decide(self._state):
                case machine.Prepare():
                    self._prepare()
                case machine.Perform(task):
                    self._perform(task)
                case machine.Complete():
                    return

    def cancel(self, by: str, *, force: bool = False) -> None:
        """Cancel the job: what runs and whose `if` no longer holds is stopped (3.4)."""
        with self._lock:
            if not self._running.cancelled_by:
                self._apply(machine.CancelReceived())
            self._running.cancel(by, force=force)
            if self._performers is not None:
                self._performers.controls.cancel(force=force)
                self._performers.containers.cancel(force=force)

    # --- set-up -------------------------------------------------------------------------

    def _prepare(self) -> None:
        opened = self._reports.open("Set up job")
        try:
            ready = self._set_up(opened.output)
        except (TrunklineError, TemplateError, ExpressionError) as error:
            self._fail_to_prepare(opened, error)
            return
        with self._lock:
            self._take(ready)
        self._reports.close(opened, Conclusion.SUCCESS)

    def _set_up(self, log: StepOutput) -> Ready:
        world = self._world
        variables = world.secrets.variables(self.request.environment)
        self.request = replace(self.request, where=place_of(self.request, variables))
        self._sandbox = world.sandboxes.open(self.request.where)
        self._access = JobAccess(world.services, services_job(self.request, world.clock.now()))
        parts = Parts(self._report, log, self._is_cancelled, self._access)
        return set_up(self.request, world, self._sandbox, self._output, parts)

    def _fail_to_prepare(self, opened: OpenStep, error: Exception) -> None:
        self._message = self._output.masked(str(error))
        opened.output.engine_lines(
            [*(f"##[error]{line}" for line in str(error).splitlines()), *hints(error)]
        )
        self._report(Annotated(key=self.request.key, level="error", message=self._message, step=1))
        self._apply(machine.PreparationFailed())
        self._reports.close(opened, Conclusion.FAILURE)

    def _take(self, ready: Ready) -> None:
        """Go on with a job that is set up: its tasks are known now."""
        steps, reports = self.request.job.steps, self._reports
        self._output.serve(ready.context, self._world.compile_pattern)
        self._performers = Performers(
            ready,
            WorkSteps(ready, reports, self._running),
            ControlSteps(ready, reports, steps),
            ContainerSteps(ready, reports),
        )
        pre = tuple(
            Task(stage=Stage.PRE, kind=Kind.PERFORM, slot=slot, step_id=instance.step.id)
            for slot, instance in ready.instances.items()
            if instance.has_pre()
        )
        has_containers = bool(ready.wanted.names)
        containers = machine.container_tasks(len(ready.images), containers=has_containers)
        self._apply(machine.Prepared(pre, machine.tasks_of(steps), containers))

    def _is_cancelled(self) -> bool:
        return bool(self._running.cancelled_by)

    # --- steps --------------------------------------------------------------------------

    def _perform(self, task: Task) -> None:
        performers = self._performers
        if performers is None:
            raise RuntimeError("a step before its job is set up")
        match task.kind:
            case Kind.LAUNCH if not self._running.forced:
                self._apply(machine.Launched(task))
                performers.controls.launch(task, self._running.start)
            case Kind.PERFORM | Kind.LAUNCH:
                conclusion = performers.work.perform(task)
                self._register_post(task, performers.ready.instances[task.slot])
                self._apply(machine.TaskEnded(task, conclusion))
            case Kind.AWAIT:
                self._take_covered(task, performers.controls.wait(task))
            case Kind.STOP:
                self._take_covered(task, performers.controls.stop(task))
            case Kind.IMAGE | Kind.BEGIN | Kind.END:
                self._perform_containers(task, performers.containers)

    def _perform_containers(self, task: Task, steps: ContainerSteps) -> None:
        if machine.may_run(self._state, task):
            conclusion = steps.perform(task)
        else:
            steps.skip(task)
            conclusion = Conclusion.SKIPPED
        self._apply(machine.TaskEnded(task, conclusion))

    def _take_covered(self, task: Task, covered: Covered) -> None:
        for step, conclusion in covered.steps:
            self._running.end(step.task.slot)
            self._apply(machine.BackgroundEnded(step.instance.step.id, conclusion))
            self._register_post(step.task, step.instance)
        self._apply(machine.TaskEnded(task, covered.conclusion))

    def _register_post(self, task: Task, instance: Instance) -> None:
        registered = any(post.slot == task.slot for post in self._state.posts)
        if task.stage is Stage.POST or registered or not instance.wants_post:
            return
        post = Task(stage=Stage.POST, kind=Kind.PERFORM, slot=task.slot, step_id=instance.step.id)
        self._apply(machine.PostRegistered(post))

    # --- the end ------------------------------------------------------------------------

    def _complete(self) -> None:
        opened = self._reports.open("Complete job")
        context = None if self._performers is None else self._performers.ready.context
        outputs: dict[str, str] = {}
        url, result = "", Conclusion.SUCCESS
        try:
            if context is not None:
                outputs = job_outputs(context, self._output, opened.output)
                url = environment_url(context)
        except (TrunklineError, TemplateError, OutputsTooLarge) as error:
            result = self._completion_failed(opened, error)
        conclusion, workspace = self._state.status, ""
        if self._sandbox is not None:
            keep = conclusion is not Conclusion.SUCCESS
            workspace = kept_workspace(context) if keep else ""
            try:
                tear_down(self._sandbox, context, opened.output, keep=bool(workspace))
            except TrunklineError as error:  # the job ends all the same, and what it keeps is told
                result = self._completion_failed(opened, error)
                conclusion = self._state.status
        self._close_access()
        self._reports.close(opened, result)
        self._output.close()
        self._apply(machine.Completed())
        self._report(
            JobCompleted(
                key=self.request.key,
                conclusion=conclusion,
                outputs=outputs,
                message=self._message,
                workspace=workspace,
                environment_url=self._output.masked(url),
            )
        )

    def _completion_failed(self, opened: OpenStep, error: Exception) -> Conclusion:
        opened.output.line(f"##[error]{error}")
        self._apply(machine.CompletionFailed())
        return Conclusion.FAILURE

    def _close_access(self) -> None:
        if self._access is not None:
            self._access.close()

    def _apply(self, fact: machine.Fact) -> None:
        with self._lock:
            machine.apply(self._state, fact)
            if self._performers is not None:
                self._performers.ready.context.status = self._state.status
