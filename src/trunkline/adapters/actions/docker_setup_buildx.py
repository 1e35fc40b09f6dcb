"""docker/setup-buildx-action as a native action: the engine's own builder, or one that was asked for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from trunkline.adapters.toolkit.builders import Builder, Buildx, find_buildx, inspect
from trunkline.adapters.toolkit.groups import group
from trunkline.adapters.toolkit.inputs import Inputs, warn_of_unsupported
from trunkline.adapters.toolkit.lists import Dialect, parse_list
from trunkline.adapters.toolkit.versioned_action import VersionedAction
from trunkline.ports.actions import ActionCall, ActionFailed, ActionJob

_DEFAULT_FLAGS = (
    "--allow-insecure-entitlement security.insecure --allow-insecure-entitlement network.host"
)
_DEFAULTS = {"use": "true", "cleanup": "true", "keep-state": "false", "install": "false"}
_OWN = frozenset({"", "docker", "docker-container"})
_PLATFORMS = {
    "X64": "linux/amd64",
    "ARM64": "linux/arm64",
    "ARM": "linux/arm/v7",
    "X86": "linux/386",
}
UNSUPPORTED = {
    "version": "the job's own Buildx is used, or none.",
    "cache-binary": "no Buildx is downloaded.",
    "append": "a builder has one node here.",
}
# What only a builder in a container has.
_OF_A_BUILDER = (
    *("driver-opts", "buildkitd-flags", "buildkitd-config", "buildkitd-config-inline"),
    *("config", "config-inline", "platforms", "endpoint"),
)
OWN = (
    "The Docker Engine's own builder is used (driver docker): what it builds is in the engine, and "
    "what is pushed goes through the engine."
)
_NO_ENGINE = "No container engine is here: start Docker or Podman, or name the engine's socket in DOCKER_HOST."


class DockerSetupBuildx(VersionedAction):
    """Says which builder the steps that follow have."""

    oldest, newest = 2, 4
    inputs = frozenset(
        {*_DEFAULTS, *UNSUPPORTED, *_OF_A_BUILDER, "driver", "name"},
    )
    has_post = True

    def main(self, call: ActionCall, job: ActionJob) -> None:
        """Find or make the builder, and tell it. Raises ActionFailed, Unavailable."""
        inputs = Inputs(call, _DEFAULTS)
        warn_of_unsupported(call, job, UNSUPPORTED)
        driver = inputs.text("driver")
        if inputs.boolean("keep-state") and driver not in {"", "docker-container"}:
            raise ActionFailed(f"Cannot use keep-state with {driver} driver")
        job.save_state("cleanup", "true" if inputs.boolean("cleanup") else "false")
        path = call.env.get("PATH", "")
        _tell_docker(job, path)
        buildx = find_buildx(job, path)
        with group(job, "Buildx version"):
            job.log(buildx.text if buildx else "The job has no Buildx.")
        if buildx is not None:
            builder = _Setup(buildx, inputs, job).builder(driver, self._new_name(call))
        elif driver in _OWN:
            builder = _of_the_engine(inputs, job)
        else:
            raise ActionFailed(f"The driver {driver} needs Buildx, and the job has none.")
        _tell(builder, self.describe(call.uses.rpartition("@")[2]), job)

    def post(self, call: ActionCall, job: ActionJob) -> None:
        """Remove the builder that was made."""
        state = call.state
        if state.get("cleanup") != "true":
            return
        buildx = find_buildx(job, call.env.get("PATH", ""))
        if buildx is None:
            return
        if name := state.get("builderName"):
            keep = ["--keep-state"] if state.get("keepState") == "true" else []
            with group(job, "Removing builder"):
                _tidy([*buildx.argv, "rm", *keep, name], job)
        if name := state.get("dockerContext"):
            with group(job, "Removing docker context"):
                _tidy(["docker", "context", "rm", "-f", name], job)
        if state.get("installed") == "true":
            with group(job, "Restoring default builder"):
                _tidy([*buildx.argv, "uninstall"], job)

    def _new_name(self, call: ActionCall) -> str:
        """Return a name that no other step has: with a UUID, as the action's."""
        clock = self._world.clock
        told = f"{call.run_id} {call.job_key} {clock.now()} {clock.monotonic()}"
        mark = hashlib.sha256(told.encode()).hexdigest()
        return f"builder-{mark[:8]}-{mark[8:12]}-{mark[12:16]}-{mark[16:20]}-{mark[20:32]}"


class _Setup:
    """Makes one step's builder with Buildx."""

    def __init__(self, buildx: Buildx, inputs: Inputs, job: ActionJob) -> None:
        self._buildx = buildx
        self._inputs = inputs
        self._job = job

    def builder(self, driver: str, new_name: str) -> Builder:
        """Return the builder that the inputs mean. Raises ActionFailed, Unavailable."""
        inputs = self._inputs
        if inputs.boolean("install"):
            with group(self._job, "Setting buildx as default builder"):
                self._call("install")
            self._job.save_state("installed", "true")
        name = inputs.text("name") or new_name
        if driver == "docker-container" and self._has_container(name):
            return inspect(self._buildx, name, self._job)
        if driver in _OWN:
            return self._own(driver)
        self._create(driver, name)
        return inspect(self._buildx, name, self._job)

    def _has_container(self, name: str) -> bool:
        """Make a builder in a container; tell whether it works here."""
        try:
            self._create("docker-container", name)
        except ActionFailed as error:
            self._job.annotate(
                "warning",
                f"No builder can be had in a container ({error}): the Docker Engine's own is used.",
            )
            _tidy([*self._buildx.argv, "rm", name], self._job)
            self._job.save_state("builderName", "")
            return False
        return True

    def _create(self, driver: str, name: str) -> None:
        """Make a builder and start it. Raises ActionFailed in Buildx's words."""
        job = self._job
        with group(job, "Creating a new builder instance"):
            code, _ = job.capture([*self._buildx.argv, "inspect", name])
            if code == 0:
                job.log(f"Builder {name} already exists, skipping creation")
            else:
                self._call(*self._creation(driver, name))
        job.save_state("builderName", name)
        job.save_state("keepState", "true" if self._inputs.boolean("keep-state") else "false")
        with group(job, "Booting builder"):
            self._call("inspect", "--bootstrap", "--builder", name)

    def _creation(self, driver: str, name: str) -> list[str]:
        inputs = self._inputs
        argv = ["create", "--name", name, "--driver", driver]
        options = Dialect(relaxed=True, quotes=False)
        for option in parse_list(inputs.text("driver-opts"), options, keep_commas=True):
            argv += ["--driver-opt", option]
        flags = inputs.text("buildkitd-flags")
        if not flags and driver in {"docker-container", "kubernetes"}:
            flags = _DEFAULT_FLAGS
        platforms = ",".join(parse_list(inputs.text("platforms")))
        for flag, value in (
            ("--buildkitd-flags", flags),
            ("--platform", platforms),
            ("--config", self._configuration(name)),
        ):
            argv += [flag, value] if value else []
        argv += ["--use"] if inputs.boolean("use") else []
        endpoint = inputs.text("endpoint")
        return [*argv, "--", endpoint] if endpoint else argv

    def _configuration(self, name: str) -> str:
        """Return the path of BuildKit's configuration, writing the one that stands in the input."""
        inputs, job = self._inputs, self._job
        path = inputs.text("buildkitd-config") or inputs.text("config")
        text = inputs.text("buildkitd-config-inline") or inputs.text("config-inline")
        if path or not text:
            return path
        path = f"{job.layout.temp}/{name}.toml"
        job.sandbox.put(path, text.encode(errors="surrogateescape"))
        return path

    # --- the engine's own -----------------------------------------------------------------

    def _own(self, driver: str) -> Builder:
        """Return the engine's builder; a name of the user's becomes a Docker context."""
        job, asked = self._job, self._inputs.text("name")
        _warn_of_ignored(_OF_A_BUILDER, self._inputs, job)
        name = self._context()
        builder = inspect(self._buildx, name, job)
        if not builder.nodes or not builder.driver:
            job.log("Buildx reaches no engine from this job.")
            return _of_the_engine(self._inputs, job)
        job.log(OWN)
        if not asked or asked == name or driver == "docker":
            return builder
        code, _ = job.capture([*self._buildx.argv, "inspect", asked])
        if code:
            make = ["docker", "context", "create", "--docker", f"from={name}", "--", asked]
            code, told = job.capture(make)
            if code:
                raise ActionFailed(_last_line(told))
            job.save_state("dockerContext", asked)
        return inspect(self._buildx, asked, job)

    def _context(self) -> str:
        if self._buildx.argv[0] != "docker":
            return "default"
        code, told = self._job.capture(["docker", "context", "inspect", "--format", "{{.Name}}"])
        return "default" if code else told.strip()

    def _call(self, *arguments: str) -> None:
        code, told = self._job.capture([*self._buildx.argv, *arguments])
        for line in told.splitlines():
            self._job.log(line)
        if code:
            raise ActionFailed(_last_line(told))


def _of_the_engine(inputs: Inputs, job: ActionJob) -> Builder:
    """Return the engine's builder as it is without Buildx. Raises ActionFailed, Unavailable."""
    if not job.sandbox.containers.socket():
        raise ActionFailed(_NO_ENGINE)
    _warn_of_ignored(("name", *_OF_A_BUILDER), inputs, job)
    job.log(OWN)
    platform = _PLATFORMS.get(job.layout.arch, "linux/amd64")
    node = {"name": "default", "endpoint": "default", "status": "running", "platforms": platform}
    return Builder("default", "docker", (node,), {})


def _warn_of_ignored(names: Iterable[str], inputs: Inputs, job: ActionJob) -> None:
    for name in names:
        if inputs.text(name):
            job.annotate(
                "warning",
                f"Input '{name}' has no effect here: the Docker Engine's own builder is used. With "
                "`driver: docker-container` a builder in a container is tried.",
            )


def _tell_docker(job: ActionJob, path: str) -> None:
    with group(job, "Docker info"):
        if job.sandbox.find("docker", path) is None:
            job.log("The job has no Docker client.")
        else:
            job.run(["docker", "version"])
            job.run(["docker", "info"])


def _tell(builder: Builder, major: str, job: ActionJob) -> None:
    """Set the outputs; those of the first node only until v3."""
    nodes = [dict(node) for node in builder.nodes]
    platforms = dict.fromkeys(
        platform for node in nodes for platform in node.get("platforms", "").split(",") if platform
    )
    job.set_output("name", builder.name)
    with group(job, "Inspect builder"):
        for line in json.dumps(builder.shown(), indent=2).splitlines():
            job.log(line)
    job.set_output("driver", builder.driver)
    job.set_output("platforms", ",".join(platforms))
    job.set_output("nodes", json.dumps(nodes, indent=2))
    if major != "v4":
        for output, key in (("endpoint",) * 2, ("status",) * 2, ("flags", "buildkitd-flags")):
            job.set_output(output, nodes[0].get(key, "") if nodes else "")


def _tidy(argv: list[str], job: ActionJob) -> None:
    code, told = job.capture(argv)
    if code:
        job.annotate("warning", _last_line(told))
    else:
        for line in told.splitlines():
            job.log(line)


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].removeprefix("ERROR: ") if lines else "unknown error"
