"""Performs one job: drives the job machine, and reports every fact as an event."""

from __future__ import annotations

import threading

import msgspec
from msgspec.structs import replace

from trunkline.base.errors import TrunklineError
from trunkline.engine.cancel import CancelToken
from trunkline.engine.container_steps import ContainerSteps
from trunkline.engine.control_steps import ControlSteps, Covered
from trunkline.engine.instances import Instance
from trunkline.engine.job_containers import place_of
from trunkline.engine.job_context import JobContext, StepPlace, TemplateError
from trunkline.engine.job_log import JobLog
from trunkline.engine.job_setup import Parts, Ready, set_up
from trunkline.engine.output import JobOutput, StepOutput
from trunkline.engine.processes import Limits
from trunkline.engine.services_access import JobAccess, services_job
from trunkline.engine.step_reports import Report, StepReports
from trunkline.engine.step_runner import Carrying, hints
from trunkline.engine.world import World
from trunkline.expr.errors import ExpressionError
from trunkline.ports.sandbox import Sandbox
from trunkline.run import job_machine as machine
from trunkline.run.events import Annotated, Conclusion, JobCompleted, JobStarted
from trunkline.run.job_machine import JobState, Kind, Stage, Task
from trunkline.run.job_outputs import OutputsTooLarge, check_job_outputs
from trunkline.run.job_request import JobRequest


class Running(msgspec.Struct, frozen=True):
    """A stage that runs: enough to ask its `if` again when the job is cancelled."""

    instance: Instance
    stage: Stage
    place: StepPlace
    token: CancelToken


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
        self._sandbox: Sandbox | None = None
        self._ready: Ready | None = None
        self._controls: ControlSteps | None = None
        self._containers: ContainerSteps | None = None
        self._running: dict[int, Running] = {}
        self._cancelled_by = ""
        self._forced = False
        self._message = ""
        self._access: JobAccess | None = None

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
            if not self._cancelled_by:
                self._cancelled_by = by
                self._apply(machine.CancelReceived())
            self._forced = self._forced or force
            for running in self._running.values():
                self._stop_unless_it_holds(running)
            if self._controls is not None:
                self._controls.cancel(force=force)
            if self._containers is not None:
                self._containers.cancel(force=force)

    # --- phases -------------------------------------------------------------------------

    def _prepare(self) -> None:
        opened = self._reports.open("Set up job")
        try:
            variables = self._world.secrets.variables(self.request.environment)
            self.request = replace(self.request, where=place_of(self.request, variables))
            self._sandbox = self._world.sandboxes.open(self.request.where)
            self._access = access = JobAccess(
                self._world.services, services_job(self.request, self._world.clock.now())
            )
            parts = Parts(self._report, opened.output, self._is_cancelled, access)
            ready = set_up(self.request, self._world, self._sandbox, self._output, parts)
        except (TrunklineError, TemplateError, ExpressionError) as error:
            self._message = self._output.masked(str(error))
            opened.output.engine_lines(
                [*(f"##[error]{line}" for line in str(error).splitlines()), *hints(error)]
            )
            self._report(
                Annotated(key=self.request.key, level="error", message=self._message, step=1)
            )
            self._apply(machine.PreparationFailed())
            self._reports.close(opened, Conclusion.FAILURE)
            return
        with self._lock:
            self._ready = ready
            self._output.serve(ready.context, self._world.compile_pattern)
            self._controls = ControlSteps(ready, self._reports, self.request.job.steps)
            self._containers = ContainerSteps(ready, self._reports)
            pre = tuple(
                Task(stage=Stage.PRE, kind=Kind.PERFORM, slot=slot, step_id=instance.step.id)
                for slot, instance in ready.instances.items()
                if instance.has_pre()
            )
            containers = machine.container_tasks(
                len(ready.images), containers=bool(ready.wanted.names)
            )
            main = machine.tasks_of(self.request.job.steps)
            self._apply(machine.Prepared(pre, main, containers))
        self._reports.close(opened, Conclusion.SUCCESS)

    def _perform(self, task: Task) -> None:
        ready, controls = self._ready, self._controls
        if ready is None or controls is None:
            raise RuntimeError("a step before its job is set up")
        match task.kind:
            case Kind.PERFORM:
                self._perform_step(task, ready)
            case Kind.LAUNCH if self._forced:
                self._perform_step(task, ready)
            case Kind.LAUNCH:
                self._apply(machine.Launched(task))
                controls.launch(task, self._background_started)
            case Kind.AWAIT:
                self._take_covered(task, controls.wait(task))
            case Kind.STOP:
                self._take_covered(task, controls.stop(task))
            case Kind.IMAGE | Kind.BEGIN | Kind.END:
                self._perform_containers(task)

    def _perform_containers(self, task: Task) -> None:
        steps = self._containers
        if steps is None:
            raise RuntimeError("containers before their job is set up")
        if machine.may_run(self._state, task):
            conclusion = steps.perform(task)
        else:
            steps.skip(task)
            conclusion = Conclusion.SKIPPED
        self._apply(machine.TaskEnded(task, conclusion))

    def _perform_step(self, task: Task, ready: Ready) -> None:
        instance = ready.instances[task.slot]
        beginning = ready.runner.begin(instance, task.stage, ready.context.shared)
        if self._forced or not beginning.holds:
            if task.stage is Stage.MAIN:
                instance.scope.record(instance.step.id, Conclusion.SKIPPED, Conclusion.SKIPPED, {})
            self._reports.skip(beginning.name, instance.step.id)
            self._apply(machine.TaskEnded(task, Conclusion.SKIPPED))
            return
        opened = self._reports.open(beginning.name)
        token = CancelToken()
        self._started(task.slot, Running(instance, task.stage, beginning.place, token))
        result = ready.runner.carry_out(
            instance,
            task.stage,
            beginning,
            Carrying(Limits(token, None), opened.output, ready.context.shared),
        )
        with self._lock:
            del self._running[task.slot]
        if task.stage is Stage.MAIN:
            instance.scope.record(
                instance.step.id, result.outcome, result.conclusion, result.outputs
            )
        self._reports.close_result(opened, result, instance.step.id)
        self._register_post(task, instance)
        self._apply(machine.TaskEnded(task, result.conclusion))

    def _take_covered(self, task: Task, covered: Covered) -> None:
        for step, conclusion in covered.steps:
            with self._lock:
                self._running.pop(step.task.slot, None)
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
        outputs: dict[str, str] = {}
        url = ""
        result = Conclusion.SUCCESS
        if self._ready is not None:
            try:
                outputs = self._outputs(self._ready.context, opened.output)
                url = self._environment_url(self._ready.context)
            except (TrunklineError, TemplateError, OutputsTooLarge) as error:
                opened.output.line(f"##[error]{error}")
                self._apply(machine.CompletionFailed())
                result = Conclusion.FAILURE
        conclusion = self._state.status
        keep = self._ready is not None and conclusion is not Conclusion.SUCCESS
        try:
            self._tear_down(opened.output, keep=keep)
        except TrunklineError as error:  # the job ends all the same, with what it has come to
            opened.output.line(f"##[error]{error}")
            self._apply(machine.CompletionFailed())
            conclusion, result = self._state.status, Conclusion.FAILURE
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
                workspace=self._workspace() if keep else "",
                environment_url=self._output.masked(url),
            )
        )

    def _outputs(self, context: JobContext, log: StepOutput) -> dict[str, str]:
        """Evaluate the job's outputs; drop those that hold a secret (reference section 3.6).

        Raises TemplateError, OutputsTooLarge.
        """
        found: dict[str, str] = {}
        for name, value in context.texts(self.request.job.outputs, context.job_place()).items():
            if not value:
                continue
            if self._output.masked(value) != value:
                log.line(f"##[warning]Skip output '{name}' since it may contain secret.")
            else:
                found[name] = value
        check_job_outputs(found)
        return found

    def _environment_url(self, context: JobContext) -> str:
        environment = self.request.job.environment
        if environment is None or environment.url is None:
            return ""
        return context.text(environment.url, context.job_place())

    def _tear_down(self, log: StepOutput, *, keep: bool) -> None:
        if self._sandbox is None:
            return
        if self._ready is not None:
            for session in self._ready.context.sessions.values():
                session.end()
        for pid, name in self._sandbox.tear_down(keep=keep):
            log.line(f"Terminate orphan process: pid ({pid}) ({name})")

    def _workspace(self) -> str:
        if self._ready is None:
            return ""
        layout = self._ready.context.layout
        return layout.outside(layout.workspace) or layout.workspace

    def _close_access(self) -> None:
        if self._access is not None:
            self._access.close()

    # --- cancellation -------------------------------------------------------------------

    def _is_cancelled(self) -> bool:
        return bool(self._cancelled_by)

    def _background_started(self, slot: int, token: CancelToken, place: StepPlace) -> None:
        if self._ready is not None:
            self._started(slot, Running(self._ready.instances[slot], Stage.MAIN, place, token))

    def _started(self, slot: int, running: Running) -> None:
        with self._lock:
            self._running[slot] = running
            if self._cancelled_by:  # perhaps after the step's `if` was asked
                self._stop_unless_it_holds(running)

    def _stop_unless_it_holds(self, running: Running) -> None:
        if self._ready is None:
            return
        runner = self._ready.runner
        if self._forced or not runner.still_holds(running.instance, running.stage, running.place):
            running.token.cancel(force=self._forced, by=self._cancelled_by)

    def _apply(self, fact: machine.Fact) -> None:
        with self._lock:
            machine.apply(self._state, fact)
            if self._ready is not None:
                self._ready.context.status = self._state.status
