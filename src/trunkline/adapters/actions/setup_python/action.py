"""actions/setup-python as a native action."""

from __future__ import annotations

import re

from trunkline.adapters.actions.setup_python import environment, versions
from trunkline.adapters.actions.setup_python.interpreters import Interpreter, Interpreters
from trunkline.adapters.actions.setup_python.versions import Wish
from trunkline.adapters.toolkit.inputs import Inputs, major_version, warn_of_unsupported
from trunkline.adapters.toolkit.world import World
from trunkline.ports.actions import ActionCall, ActionFailed, ActionJob

_OLDEST, _NEWEST = 5, 7
DEFAULTS = {
    "check-latest": "false",
    "update-environment": "true",
    "allow-prereleases": "false",
    "freethreaded": "false",
}
UNSUPPORTED = {
    "token": "interpreters are found on this machine.",
}
_PIP_VERSION = re.compile(r"\d+(\.\d+)?(\.\d+)?")


class SetupPython:
    """Gives the job an interpreter of this machine, in an environment of its own."""

    inputs = frozenset(
        {
            *("python-version", "python-version-file", "cache", "architecture", "check-latest"),
            *("token", "cache-dependency-path", "update-environment", "allow-prereleases"),
            *("freethreaded", "pip-version", "pip-install"),
        }
    )
    has_post = True
    post_condition = "success()"

    def __init__(self, world: World) -> None:
        """Find interpreters where `world` says."""
        self._world = world

    def describe(self, ref: str) -> str:
        """Return the major version whose behaviour applies."""
        return major_version(ref, _OLDEST, _NEWEST)

    def main(self, call: ActionCall, job: ActionJob) -> None:
        """Set up the versions asked for; the last one is first on PATH. Raises ActionFailed."""
        inputs = Inputs(call, DEFAULTS)
        warn_of_unsupported(call, job, UNSUPPORTED)
        pip_version = _pip_version(inputs)
        _check_architecture(inputs, job)
        texts = versions.wanted(inputs, job, job.layout.workspace)
        places = self._world.environment if job.layout.host_paths else call.env
        interpreters = Interpreters(job, places, ())
        if not texts:
            job.annotate(
                "warning",
                "The `python-version` input is not set.  The version of Python currently in "
                "`PATH` will be used.",
            )
            texts = [interpreters.on_path(call.env.get("PATH", "")) or "x"]
        job.log("##[group]Installed versions")
        for text in texts:
            wish = Wish(
                text,
                allow_prereleases=inputs.boolean("allow-prereleases"),
                free_threaded=inputs.boolean("freethreaded"),
            )
            found = interpreters.find(wish)
            if found is None:
                raise ActionFailed(_not_found(wish, interpreters, job))
            _set_up(found, inputs, pip_version, job)
        job.log("##[endgroup]")

    def post(self, call: ActionCall, job: ActionJob) -> None:
        """Save the cache, when one was asked for and missed."""


def _pip_version(inputs: Inputs) -> str:
    version = inputs.text("pip-version")
    if version and not _PIP_VERSION.fullmatch(version):
        raise ActionFailed(
            f'Invalid pip-version "{version}". Please specify a version in the format '
            "major[.minor][.patch]."
        )
    return version


def _check_architecture(inputs: Inputs, job: ActionJob) -> None:
    asked = inputs.text("architecture").lower()
    here = job.layout.arch.lower()
    if asked and asked != here:
        job.annotate(
            "warning",
            f"Input 'architecture' has no effect here: this machine is {here}, no {asked}.",
        )


def _set_up(found: Interpreter, inputs: Inputs, pip_version: str, job: ActionJob) -> None:
    version = f"{found.text}{'t' if found.free_threaded else ''}"
    architecture = job.layout.arch.lower() + ("-freethreaded" if found.free_threaded else "")
    folder = f"{job.layout.tool_cache}/Python/{found.version}/{architecture}"
    if job.sandbox.get(f"{folder}.complete") is None:
        environment.make(found, folder, job)
        job.sandbox.put(f"{folder}.complete", b"")
    if inputs.boolean("update-environment"):
        _update_environment(folder, job)
    job.set_output("python-version", version)
    job.set_output("python-path", f"{folder}/bin/python")
    if pip_version:
        job.log(f"pip-version input is specified. Installing pip version {pip_version}")
        _pip(job, folder, "--upgrade", f"pip=={pip_version}")
    if inputs.text("pip-install"):
        _pip(job, folder, *inputs.text("pip-install").split())
    job.log(f"Successfully set up CPython ({version}) from {found.executable}")


def _update_environment(folder: str, job: ActionJob) -> None:
    library = f"{folder}/lib"
    before = job.layout.env.get("LD_LIBRARY_PATH", "")
    job.set_env("pythonLocation", folder)
    job.set_env("PKG_CONFIG_PATH", f"{library}/pkgconfig")
    for name in ("Python_ROOT_DIR", "Python2_ROOT_DIR", "Python3_ROOT_DIR"):
        job.set_env(name, folder)
    if job.layout.os == "Linux":
        job.set_env("LD_LIBRARY_PATH", f"{library}:{before}" if before else library)
    job.add_path(folder)
    job.add_path(f"{folder}/bin")


def _pip(job: ActionJob, folder: str, *args: str) -> None:
    flags = ("--disable-pip-version-check", "--no-warn-script-location")
    if job.run([f"{folder}/bin/python", "-m", "pip", "install", *args, *flags]):
        raise ActionFailed(f"The process 'pip install {' '.join(args)}' failed.")


def _not_found(wish: Wish, interpreters: Interpreters, job: ActionJob) -> str:
    architecture = job.layout.arch.lower() + ("-freethreaded" if wish.free_threaded else "")
    first = (
        f"The version '{wish.text}' with architecture '{architecture}' was not found for "
        f"{_system(job)}."
    )
    message = [first]
    if wish.text == "3.1":
        message.append("Write '3.10' in quotes: without them YAML reads it as the number 3.1.")
    here = interpreters.versions()
    message.append(f"Versions of Python here: {', '.join(here) or 'none'}.")
    return "\n".join(message)


def _system(job: ActionJob) -> str:
    """Return the operating system's name and version, as the action tells them."""
    file = job.sandbox.get("/etc/os-release")
    if file is None:
        return "this operating system"
    with file:
        lines = file.read().decode(errors="replace").splitlines()
    facts = {name: value.strip('"') for name, _, value in (line.partition("=") for line in lines)}
    return f"{facts.get('ID', 'Linux')} {facts.get('VERSION_ID', '')}".strip()
