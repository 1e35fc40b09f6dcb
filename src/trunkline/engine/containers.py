"""What needs Docker: refused with one clear sentence, as long as nothing here can run containers."""

from __future__ import annotations

from collections.abc import Iterable

from trunkline.base.errors import Unavailable
from trunkline.engine.action_loader import NO_DOCKER, Docker
from trunkline.engine.instances import Instance
from trunkline.engine.job_context import JobContext
from trunkline.engine.output import StepOutput
from trunkline.engine.step_runner import StepRunner
from trunkline.expr.values import Value

PREFIX = "docker://"
# An `if` that speaks of these can't be answered before the first step.
KNOWN_LATE = ("steps", "env", "job")


def refuse_containers(context: JobContext, log: StepOutput) -> None:
    """Fail a job that asks for containers. Raises Unavailable, TemplateError.

    An image that comes out empty asks for none (reference section 1.4.1).
    """
    job, place = context.request.job, context.job_place()
    if job.container is not None and _image(context.value(job.container, place)):
        raise Unavailable(NO_DOCKER.format(what="a job container"))
    services = context.value(job.services, place) if job.services is not None else {}
    for name, service in services.items() if isinstance(services, dict) else ():
        if _image(service):
            raise Unavailable(NO_DOCKER.format(what=f"the service container '{name}'"))
        log.line(
            f"The service '{name}' will not be started because the container definition has "
            "an empty image."
        )


def refuse_docker_actions(runner: StepRunner, instances: Iterable[Instance]) -> None:
    """Fail a job early when a step of it will run a Docker action. Raises Unavailable.

    A step whose `if` may leave it out fails when its turn comes.
    """
    for instance in instances:
        loaded = instance.loaded
        if not isinstance(loaded, Docker):
            continue
        condition, context = instance.step.condition, runner.context
        if any(name in condition.source.lower() for name in KNOWN_LATE):
            continue
        if context.holds(condition, context.job_place()):
            raise Unavailable(loaded.refusal)


def _image(container: Value) -> str:
    image = container.get("image") if isinstance(container, dict) else container
    return image.removeprefix(PREFIX) if isinstance(image, str) else ""
