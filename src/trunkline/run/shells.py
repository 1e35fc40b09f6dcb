"""Which program runs a `run` step's script, and how (reference section 3.8)."""

from __future__ import annotations

import re

import msgspec

# A step that names no shell gets the first of these that is on its PATH: (program, shell).
DEFAULT_SHELLS = (("bash", "bash -e {0}"), ("sh", "sh -e {0}"))

# In a job container nobody looks: not every image has bash.
CONTAINER_SHELL = "sh -e {0}"

INVALID_SHELL = (
    "Invalid shell option. Shell must be a valid built-in (bash, sh, cmd, powershell, pwsh) "
    "or a format string containing '{0}'"
)
POWERSHELL_START = "$ErrorActionPreference = 'stop'"
POWERSHELL_END = r"if ((Test-Path -LiteralPath variable:\LASTEXITCODE)) { exit $LASTEXITCODE }"


class ShellError(Exception):
    """The `shell` of a step can't be used; the step fails with this message."""


class ShellPlan(msgspec.Struct, frozen=True):
    """How a script runs: the program to look for, its arguments, and what the script becomes.

    `{0}` in `template` stands for the script's path; `before` and `after` go around the script.
    """

    program: str
    template: str
    extension: str = ""
    before: str = ""
    after: str = ""

    def arguments(self, path: str) -> list[str]:
        """Return the program's arguments for the script at `path`. Raises ShellError."""
        return [
            part.replace(PLACE, path) for part in split_arguments(_format(self.template, PLACE))
        ]

    def fix_up(self, script: str) -> str:
        """Return the script as it is written to its file."""
        return "\n".join(part for part in (self.before, script, self.after) if part)


BUILT_IN = {
    "bash": ShellPlan("bash", "--noprofile --norc -e -o pipefail {0}", ".sh"),
    "sh": ShellPlan("sh", "-e {0}", ".sh"),
    "pwsh": ShellPlan("pwsh", "-command \". '{0}'\"", ".ps1", POWERSHELL_START, POWERSHELL_END),
    "powershell": ShellPlan(
        "powershell", "-command \". '{0}'\"", ".ps1", POWERSHELL_START, POWERSHELL_END
    ),
    "python": ShellPlan("python", "{0}", ".py"),
    "cmd": ShellPlan("cmd", '/D /E:ON /V:OFF /S /C "CALL "{0}""', ".cmd", "@echo off"),
}

# Stands for the script's path until the arguments are split: a path may hold blanks and quotes.
PLACE = "\0"

_PIECE = r"([ \t])|(\\*)(\")|([^ \t\"\\]+|\\+)"
_FIELD = r"\{\{|\}\}|\{0(?:,-?\d+)?(?::[^{}]*)?\}|[{}]"


def shell_command(shell: str) -> ShellPlan:
    """Return how to run a script with `shell`: a built-in name or a template with `{0}`.

    A template around a built-in program keeps that program's extension and fix-up, as in the
    runner's script handler. Raises ShellError for anything else, with GitHub's sentence.
    """
    program, _, template = shell.partition(" ")
    template = template.lstrip()
    found = BUILT_IN.get(program)
    if found is not None and not template:
        return found
    if not program or "{0}" not in template:
        raise ShellError(INVALID_SHELL)
    plan = msgspec.structs.replace(found or ShellPlan(program, ""), template=template)
    plan.arguments(PLACE)
    return plan


def _format(template: str, path: str) -> str:
    """Do what .NET's String.Format does with one argument: `{{` and `}}` are braces."""

    def replaced(found: re.Match[str]) -> str:
        match found[0]:
            case "{{":
                return "{"
            case "}}":
                return "}"
            case "{" | "}":
                raise ShellError(
                    f"Invalid shell option '{template}': a brace that stands for itself is doubled"
                )
            case _:
                return path

    return re.sub(_FIELD, replaced, template)


def split_arguments(arguments: str) -> list[str]:
    """Split a command line as .NET, and so GitHub's runner, does.

    At blanks outside double quotes; a backslash counts before a quote only; line breaks stay.
    """
    found: list[str] = []
    part, quoted, begun = "", False, False
    for blank, slashes, quote, other in re.findall(_PIECE, arguments):
        if blank and not quoted:
            if begun:
                found.append(part)
            part, begun = "", False
            continue
        begun = True
        part += blank + other + "\\" * (len(slashes) // 2)
        if quote and len(slashes) % 2:
            part += quote
        elif quote:
            quoted = not quoted
    return [*found, part] if begun else found
