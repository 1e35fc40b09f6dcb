"""Sets a job up, in GitHub's order: secrets, folders, environment, containers, actions (section 3.3)."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from trunkline.engine.action_images import ActionImage, ActionImages, images_of
from trunkline.engine.action_loader import ActionLoader
from trunkline.engine.instances import Instance
from trunkline.engine.job_containers import IN_CONTAINER, Wanted, wanted_containers
from trunkline.engine.job_context import JobContext, TemplateError
from trunkline.engine.job_secrets import TOKEN, job_secrets
from trunkline.engine.output import JobOutput, StepOutput
from trunkline.engine.push_evidence import Evidence, LateEvidence, Origin
from trunkline.engine.service_events import reported
from trunkline.engine.services_access import JobAccess
from trunkline.engine.setup_notes import introduction, warn_of_cache_mode, warn_of_undefined
from trunkline.engine.step_actions import attach_remote
from trunkline.engine.step_needs import job_needs_engine
from trunkline.engine.step_runner import StepRunner, Tools
from trunkline.engine.world import World
from trunkline.ports.sandbox import JobPlace, Sandbox
from trunkline.run.events import Event
from trunkline.run.job_machine import laid_out
from trunkline.run.job_request import JobRequest
from trunkline.workflow.model import WorkStep

# An `if` that speaks of these can't be answered before the first step.
KNOWN_LATE = ("steps", "job")

# What an engine is asked for, to see whether there is one.
ANY_IMAGE = "trunkline/any"


class Ready(msgspec.Struct, frozen=True):
    """A job that can take its first step; `instances` are its steps by slot.

    `wanted` are its containers, `images` those of Docker actions to have before they start.
    """

    context: JobContext
    runner: StepRunner
    instances: dict[int, Instance]
    wanted: Wanted
    images: tuple[ActionImage, ...]


class Parts(msgspec.Struct, frozen=True):
    """What the worker brings to the set-up of its job.

    How facts are told, where it is logged, whether it was cancelled, and the job's way to its
    services.
    """

    report: Callable[[Event], None]
    log: StepOutput
    cancelled: Callable[[], bool]
    access: JobAccess


def set_up(
    request: JobRequest,
    world: World,
    sandbox: Sandbox,
    output: JobOutput,
    parts: Parts,
) -> Ready:
    """Prepare everything a job's steps need, in GitHub's order (reference section 3.3).

    Raises TrunklineError, TemplateError or ExpressionError: the job then fails, and only this job.
    """
    context = _open(request, world, sandbox, output, parts)
    context.shared.variables.update(world.env)
    for token in request.job.env:
        context.shared.variables.update(context.texts(token, context.job_place()))
    evidence = _evidence(request, world, sandbox, parts)
    _offer_engine(context, evidence)
    wanted = wanted_containers(context, output, parts.log)
    runner = _runner(context, world, parts, evidence)
    instances = _instances(context, runner)
    images = images_of(each for each in instances.values() if _may_run(context, each))
    if images or wanted.names:  # without an engine nothing of the job runs
        sandbox.containers.images.inspect(ANY_IMAGE)
    wanted = _with_engine(wanted, tuple(instances.values()), parts.log)
    parts.log.engine_lines([*runner.tools.loader.fetched, f"Complete job name: {request.leg.name}"])
    return Ready(context, runner, instances, wanted, images)


def _open(
    request: JobRequest, world: World, sandbox: Sandbox, output: JobOutput, parts: Parts
) -> JobContext:
    """Return what the job's steps will share: its folders are made and its secrets are masked."""
    access = parts.access
    secrets = job_secrets(request, world.secrets)
    output.mask(secrets.values())
    stored = reported(request.key, parts.report, output)
    secrets[TOKEN] = access.begin(secrets.get(TOKEN, ""), stored, output.mask)
    layout = sandbox.prepare(
        JobPlace(
            run_id=request.run_id,
            key=request.key,
            where=request.where,
            repository=request.repository,
            event=msgspec.json.encode(request.github.get("event", {})).decode(),
            pass_env=world.pass_env,
        )
    )
    context = JobContext(request, sandbox, layout, world.digest, access)
    context.image = request.where.partition(IN_CONTAINER)[2]
    variables = world.secrets.variables(request.environment)
    context.open(secrets, variables)
    warn_of_undefined(request, variables, parts.report)
    warn_of_cache_mode(request, access.cache_mode, parts.log)
    parts.log.engine_lines(introduction(context))
    return context


def _instances(context: JobContext, runner: StepRunner) -> dict[int, Instance]:
    """Return the job's steps by slot, with the actions of those that need no workspace."""
    instances: dict[int, Instance] = {}
    for slot, step in enumerate(laid_out(context.request.job.steps)):
        if isinstance(step, WorkStep):
            instances[slot] = instance = Instance(step, context.scope)
            attach_remote(instance, runner.tools.loader)
    return instances


def _runner(context: JobContext, world: World, parts: Parts, evidence: Evidence) -> StepRunner:
    """Return what performs the job's steps."""
    request, sandbox, layout = context.request, context.sandbox, context.layout
    tools = Tools(
        clock=world.clock,
        ids=world.ids,
        toolchains=world.toolchains,
        loader=ActionLoader(request, sandbox, layout, world.sources, parts.cancelled),
        images=ActionImages(lambda: sandbox.containers.images, request.repository, layout),
        evidence=evidence,
        report=parts.report,
        compile_pattern=world.compile_pattern,
        set_ups=world.set_ups,
    )
    return StepRunner(context, tools, world.handler)


def _evidence(request: JobRequest, world: World, sandbox: Sandbox, parts: Parts) -> Evidence:
    """Return who hears of the job's images."""
    origin = Origin(request.key, str(request.github.get("sha", "")), world.dirty)
    return LateEvidence(
        lambda: world.evidence(origin, lambda: sandbox.containers.images, parts.report)
    )


def _offer_engine(context: JobContext, evidence: Evidence) -> None:
    """Let programs of a job on the host find the container engine by the job's own socket.

    A DOCKER_HOST that the user passes on by name stays as it is.
    """
    context.sandbox.containers.images.listen(evidence.pushed)
    if not context.layout.in_container and "DOCKER_HOST" not in context.layout.env:
        socket = context.sandbox.containers.socket()
        if socket:
            context.export({"DOCKER_HOST": f"unix://{socket}"})


def _may_run(context: JobContext, instance: Instance) -> bool:
    """Tell whether a step may run as far as its `if` is known now; its image waits for it else.

    GitHub's runner has every image before the first step: a rehearsal needn't pull for a step that
    most runs leave out.
    """
    condition = instance.step.condition
    if any(name in condition.source.lower() for name in KNOWN_LATE):
        return True
    try:
        return context.holds(condition, context.job_place())
    except TemplateError:
        return True


def _with_engine(wanted: Wanted, instances: tuple[Instance, ...], log: StepOutput) -> Wanted:
    """Return the job container with the engine's socket when its steps need it; the log says so."""
    if wanted.job is None or not job_needs_engine(wanted.job, instances):
        return wanted
    log.line("The job's container gets the container engine's socket: its steps speak of it")
    return replace(wanted, job=replace(wanted.job, needs_engine=True))
