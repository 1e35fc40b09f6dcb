"""docker/build-push-action as a native action."""

from __future__ import annotations

import json
from contextlib import suppress

from trunkline.adapters.actions.docker_build_push import engine_build
from trunkline.adapters.actions.docker_build_push.base_images import Base, find_base
from trunkline.adapters.actions.docker_build_push.buildx import BuildxBuild
from trunkline.adapters.actions.docker_build_push.checks import tell_checks
from trunkline.adapters.actions.docker_build_push.contexts import Place, Remote, locate, rendered
from trunkline.adapters.actions.docker_build_push.result import Result
from trunkline.adapters.actions.docker_build_push.settings import DEFAULTS, NAMES, Settings, read
from trunkline.adapters.actions.docker_build_push.summary import Facts, markdown, shown_inputs
from trunkline.adapters.toolkit.builders import (
    Builder,
    Buildx,
    find_buildx,
    inspect,
)
from trunkline.adapters.toolkit.docker_config import find_login, read_config
from trunkline.adapters.toolkit.groups import group
from trunkline.adapters.toolkit.versioned_action import VersionedAction
from trunkline.adapters.toolkit.world import World
from trunkline.base.errors import Unavailable
from trunkline.ports.actions import ActionCall, ActionFailed, ActionJob
from trunkline.ports.containers import ImagePush, Watch

_OFF = {"0", "f", "false"}
_NO_TAG = "buildx failed with: ERROR: failed to build: tag is needed when pushing to registry"


class DockerBuildPush(VersionedAction):
    """Builds an image from a Dockerfile, and pushes it."""

    oldest, newest = 5, 7
    inputs = NAMES
    has_post = True

    def main(self, call: ActionCall, job: ActionJob) -> None:
        """Build and push. Raises ActionFailed, Unavailable."""
        build = Build(read(call, job), call, job, self._world)
        if call.env.get("DOCKER_BUILD_SUMMARY", "").lower() in _OFF:
            build.run()
            return
        started = self._world.clock.monotonic()
        error = ""
        try:
            build.run()
        except (ActionFailed, Unavailable) as raised:
            error = str(raised)
            raise
        finally:
            facts = build.facts(self._world.clock.monotonic() - started, error)
            job.save_state("summary", markdown(facts))

    def post(self, call: ActionCall, job: ActionJob) -> None:
        """Write the job summary."""
        path, text = call.env.get("GITHUB_STEP_SUMMARY", ""), call.state.get("summary", "")
        if path and text:
            with group(job, "Generating build summary"):
                job.log("Writing summary")
                job.sandbox.put(path, text.encode())


class Build:
    """One build, and what came of it so far."""

    def __init__(self, settings: Settings, call: ActionCall, job: ActionJob, world: World) -> None:
        """Build what `settings` ask for."""
        self._settings = settings
        self._call = call
        self._job = job
        self._world = world
        self._result = Result("", {})
        self._base = Base()
        self._pushes: list[ImagePush] = []

    def run(self) -> None:
        """Build, push, and set the outputs. Raises ActionFailed, Unavailable."""
        settings, job = self._settings, self._job
        if settings.push and not settings.tags:
            raise ActionFailed(_NO_TAG)
        buildx = self._tell_docker()
        builder = self._tell_builder(buildx) if buildx is not None else None
        context = rendered(settings.context, self._call)
        where = locate(context, settings.file, self._call, job, self._world)
        self._result = self._build(buildx, builder, where)
        if self._call.env.get("DOCKER_BUILD_CHECKS_ANNOTATIONS", "").lower() not in _OFF:
            tell_checks(self._result.metadata, where, job)
        self._base = find_base(settings, where, self._call, self._result.metadata, job)
        if self._result.image_id:
            job.image_built(self._result.image_id, self._base.name, self._base.digest)
        if settings.push:
            self._push()
        self._tell_result()

    def facts(self, seconds: float, error: str) -> Facts:
        """Return what the summary tells."""
        settings, result, base = self._settings, self._result, self._base
        kept = any(push.kept_as for push in self._pushes)
        given = {
            name: value for name, value in self._call.inputs.items() if value != DEFAULTS.get(name)
        }
        return Facts(
            tags=settings.tags,
            image_id=result.image_id,
            digest=result.digest,
            platform=", ".join(settings.lists["platforms"]) or self._platform(),
            base=f"{base.name}@{base.digest}" if base.digest else base.name,
            where=("the local registry" if kept else "its registry") if self._pushes else "",
            seconds=seconds,
            error=error,
            inputs=shown_inputs(given),
        )

    # --- before -----------------------------------------------------------------------------

    def _tell_docker(self) -> Buildx | None:
        """Tell which Docker the job has; return its Buildx."""
        job, path = self._job, self._call.env.get("PATH", "")
        with group(job, "Docker info"):
            if job.sandbox.find("docker", path) is None:
                job.log("The job has no Docker client.")
            else:
                job.run(["docker", "version"])
                job.run(["docker", "info"])
        with group(job, "Proxy configuration"):
            self._tell_proxies()
        buildx = find_buildx(job, path)
        if buildx is None:
            job.log("The job has no Buildx: the Docker Engine's own builder builds.")
            return None
        with group(job, "Buildx version"):
            job.log(buildx.text)
        return buildx

    def _tell_proxies(self) -> None:
        job = self._job
        try:
            proxies = read_config(job, self._call.env).proxies
        except ActionFailed as error:
            job.annotate("warning", str(error))
            return
        for host, entries in proxies.items():
            indent = "  " if len(proxies) > 1 else ""
            if indent:
                job.log(host)
            for name, value in entries.items():
                job.log(f"{indent}{name}: {value}")
        if not proxies:
            job.log("No proxy configuration found")

    def _tell_builder(self, buildx: Buildx) -> Builder | None:
        """Tell which builder there is; None when it is the engine's and does not answer the job."""
        job, name = self._job, self._settings.builder
        with group(job, "Builder info"):
            try:
                builder = inspect(buildx, name, job)
            except ActionFailed as error:
                if name or self._call.env.get("BUILDX_BUILDER"):
                    raise
                job.log(str(error))
                job.log("Buildx finds no builder: the Docker Engine's own builds.")
                return None
            job.log(json.dumps(builder.shown(), indent=2))
        return builder

    # --- the build --------------------------------------------------------------------------

    def _build(
        self, buildx: Buildx | None, builder: Builder | None, where: Place | Remote
    ) -> Result:
        if buildx is None or builder is None:
            return engine_build.build(self._settings, where, self._call, self._job)
        return BuildxBuild(buildx, builder, self._settings, self._call, self._job).run(where)

    def _push(self) -> None:
        job, tags = self._job, self._settings.tags
        images = job.sandbox.containers.images
        config = read_config(job, self._call.env)
        for tag in tags:
            login = find_login(config, tag, job)
            watch = Watch(job.log, job.is_cancelled)
            self._pushes.append(images.push(tag, login, watch, self._result.image_id))
        self._result = self._result.pushed_as(",".join(tags), self._pushes[0].digest)

    def _platform(self) -> str:
        """Return the platform of the image that the engine has, '' when it has none."""
        if not self._result.image_id:
            return ""
        image = None
        with suppress(Unavailable):  # a summary is no reason to fail
            image = self._job.sandbox.containers.images.inspect(self._result.image_id)
        return f"{image.os}/{image.architecture}" if image is not None and image.os else ""

    def _tell_result(self) -> None:
        job, result = self._job, self._result
        if result.image_id:
            with group(job, "ImageID"):
                job.log(result.image_id)
                job.set_output("imageid", result.image_id)
        if result.digest:
            with group(job, "Digest"):
                job.log(result.digest)
                job.set_output("digest", result.digest)
        if result.metadata:
            with group(job, "Metadata"):
                text = json.dumps(dict(sorted(result.metadata.items())), indent=2)
                job.log(text)
                job.set_output("metadata", text)
