"""actions/setup-python as a native action."""

from __future__ import annotations

import re
from pathlib import Path

from trunkline.adapters.actions.setup_python import environment, versions
from trunkline.adapters.actions.setup_python.caching import restore, system_name
from trunkline.adapters.actions.setup_python.interpreters import Interpreter, Interpreters
from trunkline.adapters.actions.setup_python.versions import Wish
from trunkline.adapters.toolchains.uv import UvToolchain
from trunkline.adapters.toolkit.caching import save_if_missed
from trunkline.adapters.toolkit.files import has_file
from trunkline.adapters.toolkit.groups import group
from trunkline.adapters.toolkit.inputs import Inputs, warn_of_unsupported
from trunkline.adapters.toolkit.matchers import add_matchers
from trunkline.adapters.toolkit.versioned_action import VersionedAction
from trunkline.base.errors import Unavailable
from trunkline.ports.actions import ActionCall, ActionFailed, ActionJob
from trunkline.ports.sandbox import Folder

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


class SetupPython(VersionedAction):
    """Gives the job an interpreter of this machine, in an environment of its own."""

    oldest, newest = 5, 7
    inputs = frozenset(
        {
            *("python-version", "python-version-file", "cache", "architecture", "check-latest"),
            *("token", "cache-dependency-path", "update-environment", "allow-prereleases"),
            *("freethreaded", "pip-version", "pip-install"),
        }
    )
    has_post = True
    post_condition = "success()"

    def main(self, call: ActionCall, job: ActionJob) -> None:
        """Set up the versions asked for; the last one is first on PATH. Raises ActionFailed."""
        inputs = Inputs(call, DEFAULTS)
        warn_of_unsupported(call, job, UNSUPPORTED)
        _pip_version(inputs)
        _check_architecture(inputs, job)
        if inputs.boolean("check-latest"):
            job.annotate(
                "warning",
                "Input 'check-latest' has no effect here: the newest version on this machine is "
                "taken.",
            )
        texts = versions.wanted(inputs, job, job.layout.workspace)
        places = self._world.environment if job.layout.host_paths else call.env
        uv = UvToolchain(
            Path(self._world.cache), self._world.environment, offline=self._world.offline
        )
        interpreters = Interpreters(job, places, uv.python_places())
        if not texts:
            job.annotate(
                "warning",
                "The `python-version` input is not set.  The version of Python currently in "
                "`PATH` will be used.",
            )
            texts = [interpreters.on_path(call.env.get("PATH", "")) or "x"]
        version = ""
        with group(job, "Installed versions"):
            for text in texts:
                wish = Wish(
                    text,
                    allow_prereleases=inputs.boolean("allow-prereleases"),
                    free_threaded=inputs.boolean("freethreaded"),
                )
                found = interpreters.find(wish) or _download(wish, uv, interpreters, job)
                version = _set_up(found, inputs, self._shared(job), job)
        if inputs.text("cache"):
            restore(inputs, version, self._world.caches, call, job)
        add_matchers(job, "python")

    def post(self, call: ActionCall, job: ActionJob) -> None:
        """Save the cache, when one was asked for and missed."""
        save_if_missed(self._world.caches, call, job)

    def _shared(self, job: ActionJob) -> str:
        """Return where unpacked packages are kept for other jobs of the same place."""
        root = self._world.cache if job.layout.host_paths else job.layout.tool_cache
        return f"{root}/python-packages"


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


def _set_up(found: Interpreter, inputs: Inputs, shared: str, job: ActionJob) -> str:
    version = f"{found.text}{'t' if found.free_threaded else ''}"
    architecture = job.layout.arch.lower() + ("-freethreaded" if found.free_threaded else "")
    folder = f"{job.layout.tool_cache}/Python/{found.version}/{architecture}"
    if not has_file(job, f"{folder}.complete"):
        environment.make(found, folder, shared, job)
        job.sandbox.put(f"{folder}.complete", b"")
    if inputs.boolean("update-environment"):
        _update_environment(folder, job)
    job.set_output("python-version", version)
    job.set_output("python-path", f"{folder}/bin/python")
    pip_version = _pip_version(inputs)
    if pip_version:
        job.log(f"pip-version input is specified. Installing pip version {pip_version}")
        _pip(job, folder, "--upgrade", f"pip=={pip_version}")
    if inputs.text("pip-install"):
        _pip(job, folder, *inputs.text("pip-install").split())
    job.log(f"Successfully set up CPython ({version}) from {found.executable}")
    return version


def _download(
    wish: Wish, uv: UvToolchain, interpreters: Interpreters, job: ActionJob
) -> Interpreter:
    """Install a version that is not here with uv. Raises ActionFailed."""
    job.log(f"Version {wish.text} was not found here")
    try:
        program = next(iter(uv.programs()), None) or uv.install("")
        python = uv.install_python(program.uv, wish.range, free_threaded=wish.free_threaded)
        interpreters.add(python if job.layout.host_paths else _brought(python, job))
    except Unavailable as error:
        raise ActionFailed(_not_found(wish, interpreters, error.message, job)) from error
    found = interpreters.find(wish)
    if found is None:
        raise ActionFailed(_not_found(wish, interpreters, "uv's does not start.", job))
    return found


def _brought(python: str, job: ActionJob) -> str:
    """Copy a Python of uv's, which may stand anywhere, to a place that does not see this machine."""
    root = Path(python).parent.parent.resolve()
    target = f"{job.layout.tool_cache}/uv-python/{root.name}"
    job.sandbox.put(target, Folder(path=str(root)))
    return f"{target}/bin/{Path(python).name}"


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


def _not_found(wish: Wish, interpreters: Interpreters, cause: str, job: ActionJob) -> str:
    architecture = job.layout.arch.lower() + ("-freethreaded" if wish.free_threaded else "")
    first = (
        f"The version '{wish.text}' with architecture '{architecture}' was not found for "
        f"{system_name(job)}."
    )
    message = [first]
    if wish.text == "3.1":
        message.append("Write '3.10' in quotes: without them YAML reads it as the number 3.1.")
    message.append(cause[0].upper() + cause[1:])
    here = interpreters.versions()
    message.append(f"Versions of Python here: {', '.join(here) or 'none'}.")
    return "\n".join(message)
