"""Workflow commands: what a step asks for on its output (reference section 3.17, appendix A11)."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from trunkline.run.annotations import Annotation, annotation
from trunkline.run.command_line import REGISTERED, Command, parse_command
from trunkline.run.step_files import REFUSED_VARIABLES

COMMANDS_HELP = (
    "https://docs.github.com/actions/learn-github-actions/workflow-commands-for-github-actions"
    "#example-stopping-and-starting-workflow-commands"
)
REFUSED_TOKEN = (
    "You cannot use a endToken that is an empty string, the string 'pause-logging', or another "
    f"workflow command. For more information see: {COMMANDS_HELP} or opt into insecure command "
    "execution by setting the `ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS` environment variable "
    "to `true`."
)
DISABLED = (
    "The `{}` command is disabled. Please upgrade to using Environment Files or opt into unsecure "
    "command execution by setting the `ACTIONS_ALLOW_UNSECURE_COMMANDS` environment variable to "
    "`true`. For more information see: https://github.blog/changelog/"
    "2020-10-01-github-actions-deprecating-set-env-and-add-path-commands/"
)


class Print(msgspec.Struct, frozen=True):
    """Put this text into the log."""

    text: str


class Debug(msgspec.Struct, frozen=True):
    """Put this text into the log when debug lines are wanted."""

    text: str


class AddMask(msgspec.Struct, frozen=True):
    """Never show these values again."""

    values: tuple[str, ...]


class SetOutput(msgspec.Struct, frozen=True):
    """Set an output of the step."""

    name: str
    value: str


class SaveState(msgspec.Struct, frozen=True):
    """Keep a value for the action's later stages."""

    name: str
    value: str


class SetEnv(msgspec.Struct, frozen=True):
    """Set a variable for the steps that follow."""

    name: str
    value: str


class AddPath(msgspec.Struct, frozen=True):
    """Put a folder in front of PATH for the steps that follow."""

    path: str


class AddMatcher(msgspec.Struct, frozen=True):
    """Use the problem matchers of this file. `line` is the command as it was printed."""

    path: str
    line: str


class RemoveMatcher(msgspec.Struct, frozen=True):
    """Stop using a problem matcher: by owner, or all owners that a file names."""

    owner: str
    path: str
    line: str


class Failed(msgspec.Struct, frozen=True):
    """The command could not be processed: the errors to tell. The step fails."""

    messages: tuple[str, ...]


Effect = (
    Print
    | Debug
    | AddMask
    | SetOutput
    | SaveState
    | SetEnv
    | AddPath
    | AddMatcher
    | RemoveMatcher
    | Annotation
    | Failed
)


class CommandError(Exception):
    """A command lacks something, or is not allowed."""


class Allowed(msgspec.Struct, frozen=True):
    """What the step's environment opts into (`ACTIONS_ALLOW_UNSECURE_...`)."""

    commands: bool = False
    stop_tokens: bool = False


class Commands:
    """The commands of one stage of one step. Not thread-safe: a step's output has one reader.

    `workspace` makes the files of annotations relative; `echo` prints commands (on when debugging).
    """

    def __init__(
        self, *, workspace: str = "", echo: bool = False, allowed: Allowed | None = None
    ) -> None:
        self.workspace = workspace
        self.echo = echo
        self.allowed = allowed or Allowed()
        self._token = ""

    def process(self, line: str) -> list[Effect] | None:
        """Return what a line asks for; None when it is ordinary output (and is to be printed)."""
        if self._token:
            return self._stopped(line)
        command = parse_command(line)
        if command is None:
            return None
        is_silent = command.name in SILENT
        echoed: list[Effect] = [Print(line)] if self.echo and not is_silent else []
        try:
            return [*echoed, *HANDLERS[command.name](self, command, line)]
        except CommandError as error:
            return [*echoed, failed(command.name if is_silent else line, str(error))]

    def _stopped(self, line: str) -> list[Effect] | None:
        if parse_command(line, {self._token.lower()}) is None:
            return None
        self._token = ""
        return [Print(line), Debug("Resume processing commands")]

    def stop(self, command: Command, line: str) -> list[Effect]:
        """Pause until a line is the token as a command; long tokens are masked."""
        token = command.data
        refused = {"", "pause-logging", *REGISTERED}
        if token.lower() in refused and not (token and self.allowed.stop_tokens):
            raise CommandError(REFUSED_TOKEN)
        self._token = token
        masks: list[Effect] = [AddMask((token,))] if len(token) > 6 else []
        paused = "Paused processing commands until the token you called ::stopCommands:: with is received"
        return [*masks, Print(line), Debug(paused)]

    def set_echo(self, command: Command, _line: str) -> list[Effect]:
        """Switch the echo of commands."""
        wanted = command.data.strip().lower()
        if wanted not in {"on", "off"}:
            raise CommandError(
                "Invalid echo command value. Possible values can be: 'on', 'off'. "
                f"Current value is: '{command.data}'."
            )
        self.echo = wanted == "on"
        return [Debug(f"Setting echo command value to '{wanted}'")]

    def add_mask(self, command: Command, _line: str) -> list[Effect]:
        """Mask a value, and each of its lines."""
        value = command.data
        if not value.strip():
            return [
                Annotation(
                    "warning", "Can't add secret mask for empty string in ##[add-mask] command."
                )
            ]
        echoed: list[Effect] = [Print("::add-mask::***")] if self.echo else []
        lines = value.replace("\r", "\n").split("\n")
        return [AddMask((value, *(line for line in lines if line.strip()))), *echoed]

    def set_env(self, command: Command, _line: str) -> list[Effect]:
        """Set a variable, where the step opted into this old command."""
        if not self.allowed.commands:
            raise CommandError(DISABLED.format("set-env"))
        name = _required(command, "name")
        for refused in REFUSED_VARIABLES:
            if name.upper() == refused:
                message = f"Can't update {refused} environment variable using ::set-env:: command."
                return [Annotation("error", message)]
        return [SetEnv(name, command.data)]

    def add_path(self, command: Command, _line: str) -> list[Effect]:
        """Put a folder in front of PATH, where the step opted into this old command."""
        if not self.allowed.commands:
            raise CommandError(DISABLED.format("add-path"))
        if not command.data:
            raise CommandError("Required field 'path' is missing in ##[add-path] command.")
        return [AddPath(command.data)]

    def annotate(self, command: Command, _line: str) -> list[Effect]:
        """Tell an error, warning or notice."""
        found, complaint = annotation(
            command.name, command.data, command.properties, self.workspace
        )
        return [Debug(complaint), found] if complaint else [found]


def failed(shown: str, message: str) -> Failed:
    """Return the errors that GitHub tells when a command can't be processed."""
    return Failed((f"Unable to process command '{shown}' successfully.", message))


def _required(command: Command, field: str) -> str:
    value = command.properties.get(field, "")
    if not value:
        raise CommandError(f"Required field '{field}' is missing in ##[{command.name}] command.")
    return value


def _set_output(_commands: Commands, command: Command, _line: str) -> list[Effect]:
    return [SetOutput(_required(command, "name"), command.data)]


def _save_state(_commands: Commands, command: Command, _line: str) -> list[Effect]:
    return [SaveState(_required(command, "name"), command.data)]


def _group(_commands: Commands, command: Command, _line: str) -> list[Effect]:
    return [Print(f"##[{command.name}]{command.data}")]


def _end_group(_commands: Commands, _command: Command, _line: str) -> list[Effect]:
    return [Print("##[endgroup]")]


def _debug(_commands: Commands, command: Command, _line: str) -> list[Effect]:
    return [Debug(command.data)]


def _add_matcher(_commands: Commands, command: Command, line: str) -> list[Effect]:
    if not command.data:
        return [Annotation("warning", "File path must be specified.")]
    return [AddMatcher(command.data, line)]


def _remove_matcher(_commands: Commands, command: Command, line: str) -> list[Effect]:
    owner, path = command.properties.get("owner", ""), command.data
    if owner and path:
        return [
            Annotation(
                "warning",
                "Either specify an owner name or a file path in ##[remove-matcher] command. "
                "Both values cannot be set.",
            )
        ]
    if not owner and not path:
        return [
            Annotation(
                "warning",
                "Either an owner name or a file path must be specified in ##[remove-matcher] "
                "command.",
            )
        ]
    return [RemoveMatcher(owner, path, line)]


HANDLERS: dict[str, Callable[[Commands, Command, str], list[Effect]]] = {
    "add-mask": Commands.add_mask,
    "add-matcher": _add_matcher,
    "add-path": Commands.add_path,
    "debug": _debug,
    "echo": Commands.set_echo,
    "endgroup": _end_group,
    "error": Commands.annotate,
    "group": _group,
    "notice": Commands.annotate,
    "remove-matcher": _remove_matcher,
    "save-state": _save_state,
    "set-env": Commands.set_env,
    "set-output": _set_output,
    "stop-commands": Commands.stop,
    "warning": Commands.annotate,
}

# Never echoed: they print what they mean themselves, or hold a secret.
SILENT = frozenset({"add-mask", "debug", "error", "notice", "stop-commands", "warning"})
