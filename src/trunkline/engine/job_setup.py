"""Sets a job up: sandbox, secrets, environment, actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from msgspec.structs import replace

from trunkline.engine.action_images import ActionImage, ActionImages, images_of
from trunkline.engine.action_loader import ActionLoader, Sources
from trunkline.engine.engine_use import job_needs_engine
from trunkline.engine.instances import Instance
from trunkline.engine.job_containers import IN_CONTAINER, Wanted, wanted_containers
from trunkline.engine.job_context import Digest, JobContext, TemplateError
from trunkline.engine.job_secrets import TOKEN, job_secrets
from trunkline.engine.output import JobOutput, StepOutput
from trunkline.engine.push_evidence import Evidence, LateEvidence, MakeEvidence, Origin
from trunkline.engine.services_access import JobAccess, NoServices
from trunkline.engine.step_runner import FindHandler, StepRunner, Tools
from trunkline.ports.actions import NativeAction, NativeActions
from trunkline.ports.artifacts import ArtifactInfo
from trunkline.ports.clock import Clock, Ids
from trunkline.ports.job_services import JobServices, StoredListener, Written
from trunkline.ports.logs import LogStore
from trunkline.ports.sandbox import JobPlace, Sandbox, Sandboxes
from trunkline.ports.secrets import Secrets
from trunkline.ports.toolchains import Toolchains
from trunkline.run.cache_access import is_trusted, may_write
from trunkline.run.events import ArtifactStored, Event, RepositoryWritten, Warned
from trunkline.run.job_machine import laid_out
from trunkline.run.job_request import JobRequest
from trunkline.run.matchers import Compile
from trunkline.run.undefined import undefined_in_job, warning
from trunkline.workflow.model import WorkStep

# An `if` that speaks of these can't be answered before the first step.
KNOWN_LATE = ("steps", "job")

# What an engine is asked for, to see whether there is one.
ANY_IMAGE = "trunkline/any"
LOW_TRUST = (
    "cache-mode '{mode}' lets this run write the default branch's caches, though people without "
    "write permission can cause its event: what they put there, trusted runs would use."
)

# Called with a job's key, a step's number and whole masked lines.
Listener = Callable[[str, int, bytes], None]


class NoSetUps:
    """Nothing fills the tool cache."""

    def find(self, repository: str) -> NativeAction | None:
        """Return nothing for any."""
        del repository
        return None


class World(msgspec.Struct, frozen=True):
    """The ports that jobs need.

    `pass_env` names variables of the caller that jobs may see; `env` is the outermost layer of
    every job's `env` (`--env`, `.env`). `handler` finds what carries out a kind of step: kinds are
    loaded with the first step that is one. `set_ups` are native actions that fill the tool cache for
    the files of real ones. `dirty`: jobs see uncommitted work of the repository.
    """

    sandboxes: Sandboxes
    logs: LogStore
    secrets: Secrets
    clock: Clock
    ids: Ids
    sources: Sources
    toolchains: Toolchains
    compile_pattern: Compile
    digest: Digest
    evidence: MakeEvidence
    handler: FindHandler
    listen: Listener | None = None
    pass_env: tuple[str, ...] = ()
    env: Mapping[str, str] = {}
    dirty: bool = False
    services: JobServices = NoServices()
    set_ups: NativeActions = NoSetUps()


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
    secrets = job_secrets(request, world.secrets)
    output.mask(secrets.values())
    access = parts.access
    secrets[TOKEN] = access.begin(
        secrets.get(TOKEN, ""), _stored(request, parts, output), output.mask
    )
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
    _warn_of_undefined(request, variables, parts)
    _warn_of_cache_mode(request, access.cache_mode, parts)
    parts.log.engine_lines(_introduction(context))
    context.shared.variables.update(world.env)
    for token in request.job.env:
        context.shared.variables.update(context.texts(token, context.job_place()))
    evidence = _evidence(request, world, sandbox, parts)
    _offer_engine(context, evidence)
    wanted = wanted_containers(context, output, parts.log)
    runner = _runner(context, world, parts, evidence)
    instances: dict[int, Instance] = {}
    for slot, step in enumerate(laid_out(request.job.steps)):
        if isinstance(step, WorkStep):
            instances[slot] = instance = Instance(step, context.scope)
            runner.load_remote(instance)
    needed = images_of(each for each in instances.values() if _may_run(context, each))
    if needed or wanted.names:  # without an engine nothing of the job runs
        sandbox.containers.images.inspect(ANY_IMAGE)
    wanted = _with_engine(wanted, tuple(instances.values()), parts.log)
    parts.log.engine_lines([*runner.tools.loader.fetched, f"Complete job name: {request.leg.name}"])
    return Ready(context, runner, instances, wanted, needed)


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


def _stored(request: JobRequest, parts: Parts, output: JobOutput) -> StoredListener:
    """Return who tells of artifacts that the job's actions upload, and of what they write."""

    def tell(info: ArtifactInfo | Written) -> None:
        if isinstance(info, Written):
            what = output.masked(info.what)
            parts.report(
                RepositoryWritten(key=request.key, kind=info.kind, what=what, sent_to=info.sent_to)
            )
            return
        parts.report(
            ArtifactStored(
                key=request.key,
                name=info.name,
                digest=info.digest,
                size=info.size,
                files=info.files,
                path=info.path,
            )
        )

    return tell


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


def _warn_of_undefined(request: JobRequest, variables: Mapping[str, str], parts: Parts) -> None:
    """Name the variables that a job with an environment lacks: only now all of its are known."""
    if request.environment:
        for name in undefined_in_job(request.job, variables, all_known=True):
            parts.report(Warned(key=request.key, message=warning(name)))


def _warn_of_cache_mode(request: JobRequest, mode: str, parts: Parts) -> None:
    """Warn, as GitHub does, where a workflow gives strangers what their events are not given."""
    if may_write(mode) and not is_trusted(request.github):
        parts.log.annotate("warning", LOW_TRUST.format(mode=mode))


def _introduction(context: JobContext) -> list[str]:
    job, layout = context.request.job, context.layout
    granted = sorted(
        f"{name.title().replace('-', '')}: {level}"
        for name, level in job.permissions.items()
        if level != "none"
    )
    place = f"in the image '{context.image}'" if context.image else "on this machine"
    return [
        f"Runner: {layout.name} ({layout.os} {layout.arch}), {place}",
        f"Workspace: {layout.workspace}",
        "##[group]GITHUB_TOKEN Permissions",
        *granted,
        "##[endgroup]",
        f"Cache mode: {context.access.cache_mode}",
        *_environment(context.request.environment),
    ]


def _environment(name: str) -> list[str]:
    """Say what an environment adds here, and what a server would do besides."""
    if not name:
        return []
    added = f".secrets.{name} and .vars.{name} are added"
    return [f"Environment '{name}': {added}; a server would ask for its approvals and wait first"]
