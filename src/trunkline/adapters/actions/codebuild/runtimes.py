"""`runtime-versions` that no action sets up: what is on PATH counts, and a difference is told."""

from __future__ import annotations

import re

from trunkline.adapters.actions.codebuild.build_action import BuildAction
from trunkline.adapters.toolkit.inputs import Inputs
from trunkline.ports.actions import ActionCall, ActionJob

# How a runtime tells its version; the first number in its answer counts.
_COMMANDS = {
    "android": ("sdkmanager", "--version"),
    "docker": ("docker", "--version"),
    "dotnet": ("dotnet", "--version"),
    "golang": ("go", "version"),
    "java": ("java", "-version"),
    "php": ("php", "--version"),
    "ruby": ("ruby", "--version"),
}
_NUMBER = re.compile(r"\d+(?:\.\d+)*")
_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")


class Runtimes(BuildAction):
    """Compares what is wanted with what is here; nothing here fails a build."""

    inputs = frozenset({"versions"})

    def main(self, call: ActionCall, job: ActionJob) -> None:
        """Tell every runtime that is missing or another one."""
        for line in Inputs(call, {}).lines("versions"):
            name, _, written = line.partition("=")
            variable = _VARIABLE.fullmatch(written)
            wanted = call.env.get(variable[1], "") if variable else written
            command = _COMMANDS.get(name)
            if command is None:
                job.annotate("warning", f"Unknown runtime named '{name}': what is on PATH is used")
                continue
            here = _version(command, call, job)
            if not here:
                message = f"{name} {wanted} is wanted, and there is no {command[0]} on PATH"
                job.annotate("warning", message)
            elif not fits(wanted, here):
                message = f"{name} {wanted} is wanted, and {here} is on PATH: that one is used"
                job.annotate("warning", message)
            else:
                job.log(f"Using {name} {here}")


def fits(wanted: str, here: str) -> bool:
    """Tell whether a version that is here is the one wanted (`3.x`, `latest`, `corretto17`)."""
    found = _NUMBER.search(wanted)
    if wanted == "latest" or found is None:
        return True
    parts, have = found[0].split("."), here.split(".")
    if have[:1] == ["1"] and parts[:1] != ["1"]:  # Java 8 calls itself 1.8
        have = have[1:]
    return have[: len(parts)] == parts


def _version(command: tuple[str, ...], call: ActionCall, job: ActionJob) -> str:
    if job.sandbox.find(command[0], call.env.get("PATH", "")) is None:
        return ""
    _, output = job.capture(command)
    found = _NUMBER.search(output)
    return found[0] if found else ""
