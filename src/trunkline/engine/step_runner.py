"""Runs one stage of one step: condition, environment, time limit, the step's kind, its files."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping

import msgspec
from msgspec.structs import replace

from trunkline.base.errors import TrunklineError
from trunkline.engine.action_images import ActionImages
from trunkline.engine.action_loader import ActionLoader, Loaded
from trunkline.engine.instances import Instance, StepResult
from trunkline.engine.job_context import JobContext, StepPlace, TemplateError
from trunkline.engine.output import StepOutput
from trunkline.engine.processes import Ended, Limits
from trunkline.engine.push_evidence import Evidence
from trunkline.engine.scopes import ActionIdentity, SharedEnvironment
from trunkline.engine.step_actions import attach_local, kind_of
from trunkline.engine.step_effects import Effects
from trunkline.engine.step_files import StepFiles
from trunkline.engine.step_names import default_name, first_line
from trunkline.engine.step_needs import needs_services
from trunkline.expr.template import Expression
from trunkline.expr.values import Value
from trunkline.ports.actions import NativeActions
from trunkline.ports.clock import Clock, Ids
from trunkline.ports.job_services import ServicesAccess
from trunkline.ports.toolchains import Toolchains
from trunkline.run.environment import process_environment
from trunkline.run.events import Conclusion, Event
from trunkline.run.job_machine import Stage
from trunkline.run.matchers import Compile
from trunkline.workflow.model import RunStep, WorkStep

# Kinds of steps for which the job's services are opened: always, or when it may ask who it is.
ASK_SERVICES = frozenset({"javascript", "docker"})
SCRIPTS = frozenset({"run", "session"})

CANCELLED_TEXT = "The operation was canceled."
NO_CONTAINER = "The job's container is not there: this step has no place to run in."


class Tools(msgspec.Struct, frozen=True):
    """What steps need besides their job. `set_ups` fill the tool cache."""

    clock: Clock
    ids: Ids
    toolchains: Toolchains
    loader: ActionLoader
    images: ActionImages
    evidence: Evidence
    report: Callable[[Event], None]
    compile_pattern: Compile
    set_ups: NativeActions


class Beginning(msgspec.Struct, frozen=True):
    """A stage about to start: its name, where its expressions stand, whether its `if` holds.

    `error` keeps it from starting ('' for none).
    """

    name: str
    place: StepPlace
    holds: bool
    error: str


class StepFailed(Exception):
    """The step fails with this message."""


class Stop(msgspec.Struct, frozen=True):
    """How a kind of step ended."""

    conclusion: Conclusion
    exit_code: int | None = None
    outputs: Mapping[str, str] = {}


def stopped(ended: Ended) -> Stop:
    """Return how a step ended whose only process ended so."""
    well = ended.exit_code == 0 and not ended.timed_out
    return Stop(Conclusion.SUCCESS if well else Conclusion.FAILURE, ended.exit_code)


class Work(msgspec.Struct, frozen=True):
    """A stage being carried out: everything a kind of step needs."""

    instance: Instance
    stage: Stage
    place: StepPlace
    limits: Limits
    output: StepOutput
    shared: SharedEnvironment


Handler = Callable[["StepRunner", Work], Stop]
FindHandler = Callable[[str], Handler]


class StepRunner:
    """Carries out the stages of a job's steps. Stateless but for its job; safe for several threads."""

    def __init__(self, context: JobContext, tools: Tools, handler: FindHandler) -> None:
        self.context = context
        self.tools = tools
        self._handler = handler

    # --- before a stage -----------------------------------------------------------------

    def begin(self, instance: Instance, stage: Stage, shared: SharedEnvironment) -> Beginning:
        """Evaluate a stage's environment, name and `if`."""
        place = StepPlace(
            instance.scope,
            {**shared.variables, **instance.scope.outer},
            {"action": instance.step.id, **_identity(instance.scope.action)},
        )
        try:
            if needs_services(instance) or self._is_given_the_token(place):
                self.services()
            env = {**place.env, **self.context.texts(instance.step.env, place)}
            place = replace(place, env=env)
            name = self._name(instance, stage, place)
            holds = self.context.holds(instance.condition(stage), place)
        except (TemplateError, TrunklineError) as error:
            return Beginning(default_name(instance.step), place, holds=True, error=str(error))
        return Beginning(name, place, holds, "")

    def _is_given_the_token(self, place: StepPlace) -> bool:
        """Tell whether the job, or a step before, has put the job's token into the environment."""
        token = self.context.token
        return bool(token) and token in place.env.values()

    def still_holds(self, instance: Instance, stage: Stage, place: StepPlace) -> bool:
        """Tell whether a running stage may go on after its job was cancelled."""
        try:
            return self.context.holds(instance.condition(stage), place)
        except TemplateError:
            return False

    def _name(self, instance: Instance, stage: Stage, place: StepPlace) -> str:
        step = instance.step
        if stage is Stage.MAIN or not instance.name:
            shown = self.context.text(step.name, place) if step.name is not None else ""
            instance.name = shown or self._default_name(step, place)
        return instance.name if stage is Stage.MAIN else f"{stage.capitalize()} {instance.name}"

    def _default_name(self, step: WorkStep, place: StepPlace) -> str:
        """Name a script by its first line, evaluated where that is possible already."""
        if isinstance(step, RunStep) and isinstance(step.run, Expression):
            with contextlib.suppress(TemplateError):
                return f"Run {first_line(self.context.text(step.run, place))}"
        return default_name(step)

    # --- a stage ------------------------------------------------------------------------

    def carry_out(
        self, instance: Instance, stage: Stage, beginning: Beginning, run: Carrying
    ) -> StepResult:
        """Run a stage whose `if` holds; return its result, its effects taken into `run.shared`."""
        context, output = self.context, run.output
        if beginning.error:
            output.line(f"##[error]{beginning.error}")
            return self._concluded(instance, beginning.place, output, Stop(Conclusion.FAILURE))
        place = beginning.place
        folder = context.layout.file_commands
        files = StepFiles(context.sandbox, folder, self.tools.ids.token(), context.spent)
        output.allow(place.env)
        try:
            if context.layout.in_container and context.begun is None:
                raise StepFailed(NO_CONTAINER)  # noqa: TRY301
            limits, minutes = self._limits(instance, stage, place, run.limits)
            attach_local(instance, self.tools.loader, output)
            github = {"action": instance.step.id, **_identity(instance.loaded), **files.paths}
            place = replace(place, github=github)
            files.create()
            work = Work(instance, stage, place, limits, output, run.shared)
            kind = kind_of(instance)
            if kind in ASK_SERVICES or (kind in SCRIPTS and context.access.gives_identity()):
                self.services(contained=kind == "docker")
            problem = context.access.problem()
            if problem:
                output.line(f"##[warning]{problem}")
            stop = self._handler(kind)(self, work)
        except (StepFailed, TemplateError, TrunklineError) as error:
            output.line(f"##[error]{error}")
            output.engine_lines(hints(error))
            stop = Stop(Conclusion.FAILURE)
            limits, minutes = run.limits, 0.0
        what = "background step" if instance.step.background else "action"
        what = f"{what} '{beginning.name}'"
        stop = self._told(stop, limits, what, minutes, output)
        stop = self._take_effects(instance, run.shared, files, output, stop)
        return self._concluded(instance, place, output, stop)

    def _limits(
        self, instance: Instance, stage: Stage, place: StepPlace, outer: Limits
    ) -> tuple[Limits, float]:
        token = instance.step.timeout_minutes
        if token is None or stage is not Stage.MAIN:
            return outer, 0.0
        minutes = self.context.number(token, place, "timeout-minutes")
        if minutes <= 0:
            return outer, 0.0
        deadline = self.tools.clock.monotonic() + minutes * 60
        if outer.deadline is not None:
            deadline = min(deadline, outer.deadline)
        return Limits(outer.token, deadline), minutes

    def _told(
        self, stop: Stop, limits: Limits, what: str, minutes: float, output: StepOutput
    ) -> Stop:
        if limits.token.asked and stop.conclusion is not Conclusion.SUCCESS:
            output.line(f"##[error]{CANCELLED_TEXT}")
            return replace(stop, conclusion=Conclusion.CANCELLED)
        late = limits.deadline is not None and self.tools.clock.monotonic() >= limits.deadline
        if minutes and late:
            output.line(f"##[error]The {what} has timed out after {minutes:g} minutes.")
            return replace(stop, conclusion=Conclusion.FAILURE)
        return stop

    # --- after a stage ------------------------------------------------------------------

    def _take_effects(
        self,
        instance: Instance,
        shared: SharedEnvironment,
        files: StepFiles,
        output: StepOutput,
        stop: Stop,
    ) -> Stop:
        effects = Effects(instance, shared, output, stop.outputs.items())
        well = effects.take(files)
        conclusion = stop.conclusion
        if conclusion is Conclusion.SUCCESS and not well:
            conclusion = Conclusion.FAILURE
        return replace(stop, conclusion=conclusion, outputs=effects.outputs)

    def _concluded(
        self, instance: Instance, place: StepPlace, output: StepOutput, stop: Stop
    ) -> StepResult:
        outcome = conclusion = stop.conclusion
        token = instance.step.continue_on_error
        if outcome is Conclusion.FAILURE and token is not None:
            try:
                if self.context.boolean(token, place, "continue-on-error"):
                    conclusion = Conclusion.SUCCESS
            except TemplateError as error:
                output.line(f"##[error]{error}")
        return StepResult(outcome, conclusion, dict(stop.outputs), stop.exit_code)

    # --- what the kinds share -----------------------------------------------------------

    def services(self, *, contained: bool = False) -> ServicesAccess:
        """Open the job's services; `contained`: for a container, whatever the job runs in."""
        context = self.context
        is_contained = contained or context.layout.in_container
        address = context.sandbox.containers.address if is_contained else None
        access = context.access.open(address)
        context.git.lead(access.git, contained=contained)
        return access

    def environment(self, work: Work, extra: Mapping[str, str]) -> dict[str, str]:
        """Return a process's whole environment (reference section 3.9)."""
        context = self.context
        return process_environment(
            base=context.layout.env,
            env={**work.place.env, **extra},
            github=context.github(work.place),
            runner=context.runner,
            paths=work.shared.paths,
        )


class Carrying(msgspec.Struct, frozen=True):
    """How a stage is run: its limits, its output, and the environment that it changes."""

    limits: Limits
    output: StepOutput
    shared: SharedEnvironment


def _identity(action: Loaded | ActionIdentity | None) -> dict[str, Value]:
    """Return what `github` says of an action.

    A composite action's steps see its own in their `env`, `name` and `if`; once they run, that of
    what they run themselves (GitHub's documentation of `github.action_ref`).
    """
    if action is None:
        return {}
    return {"action_repository": action.repository, "action_ref": action.ref}


def hints(error: Exception) -> list[str]:
    """Return what to do about an error, as log lines: none or one."""
    return [error.hint] if isinstance(error, TrunklineError) and error.hint else []
