"""A shell that is fed command after command: its driver, and where one's output ends.

The driver reads commands from its standard input: a count of lines and the lines, or 0 for what lies
in the session's file `command` (long ones; a new file for each would be dear). It runs them in its own
process, so that folders, variables and functions last. After each it writes the state that outlives an
`exit` and, on a line of its own, a mark with the exit code. The mark goes to where output went at first,
whatever a command does with its own (`exec >file`, `set -x`).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping

import msgspec

STATE, FOLDER, COMMAND = "state", "folder", "command"
# A shell reads its input byte by byte: up to here that is quicker than a file (in bytes).
SHORT = 2048
_NAME = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"


def driver(folder: str, mark: str) -> str:
    """Return the script of a session whose files lie in `folder`; `mark` is a random word."""
    place = shlex.quote(folder)
    return "\n".join(
        (
            "exec 3<&0 4>&1 </dev/null",
            "while { IFS= read -r trunkline_lines <&3; } 2>/dev/null; do",
            "  { trunkline_text=",
            '    [ "$trunkline_lines" = 0 ] || IFS= read -r trunkline_text <&3',
            '    while [ "$trunkline_lines" -gt 1 ]; do',
            "      IFS= read -r trunkline_line <&3",
            "      trunkline_text=$trunkline_text'\n'$trunkline_line",
            "      trunkline_lines=$((trunkline_lines - 1))",
            "    done",
            "  } 2>/dev/null",
            "  case $trunkline_lines in",
            f"    0) . {place}/{COMMAND} 3<&- 4>&- ;;",
            '    *) eval "$trunkline_text" 3<&- 4>&- ;;',
            "  esac",
            "  { trunkline_code=$?",
            f"    export -p >{place}/{STATE}; pwd >{place}/{FOLDER}",
            f"    printf '\\n%s:%s\\n' {mark} \"$trunkline_code\" >&4",
            "  } 2>/dev/null",
            "done",
            "",
        )
    )


def spoken(command: bytes) -> bytes | None:
    """Return what a driver reads for a command; None when that is better put in its file."""
    if len(command) > SHORT or b"\0" in command:
        return None
    return b"%d\n%s\n" % (command.count(b"\n") + 1, command)


def restore(folder: str) -> str:
    """Return the command that brings a new shell to where the one before it was."""
    place = shlex.quote(folder)
    return (
        f"if [ -f {place}/{STATE} ]; then . {place}/{STATE}; "
        f'cd "$(cat {place}/{FOLDER})" || :; fi\n'
    )


def exports(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Return the command that gives a shell what changed in its environment since it was told."""
    lines = [
        f"export {name}={shlex.quote(value)}"
        for name, value in now.items()
        if before.get(name) != value and _is_name(name)
    ]
    lines += [f"unset {name}" for name in before if name not in now and _is_name(name)]
    return "".join(f"{line}\n" for line in lines)


def tell(folder: str, names: Iterable[str]) -> str:
    """Return the command that writes variables to files `out.NAME` of the session's folder."""
    place = shlex.quote(folder)
    return "".join(
        f'if [ "${{{name}+set}}" ]; then printf %s "${name}" >{place}/out.{name}; fi\n'
        for name in names
        if _is_name(name)
    )


def _is_name(name: str) -> bool:
    return bool(name) and not name[0].isdigit() and all(letter in _NAME for letter in name)


class Piece(msgspec.Struct, frozen=True):
    """What came of a chunk: output, and the exit code when the command has ended."""

    output: bytes
    code: int | None = None


class MarkedOutput:
    """Splits a session's output at the marks: what a mark might begin with is held back."""

    def __init__(self, mark: str) -> None:
        self._mark = b"\n" + mark.encode() + b":"
        self._held = b""
        self._at_line_start = True

    def feed(self, data: bytes) -> Piece:
        """Take a chunk of output. After a mark a session is silent until it is fed again."""
        held = self._held + data
        at = held.find(self._mark)
        if at >= 0:
            end = held.find(b"\n", at + len(self._mark))
            if end >= 0:
                self._held = b""
                output = held[:at]
                fresh = self._at_line_start if not output else output.endswith(b"\n")
                self._at_line_start = True
                code = int(held[at + len(self._mark) : end])
                return Piece(output if fresh else output + b"\n", code)
            keep = at
        else:
            keep = self._beginning(held)
        self._held = held[keep:]
        return self._passed(held[:keep])

    def rest(self) -> bytes:
        """Return what is held back, once the session has ended."""
        held, self._held = self._held, b""
        self._at_line_start = True
        return held

    def _passed(self, output: bytes) -> Piece:
        if output:
            self._at_line_start = output.endswith(b"\n")
        return Piece(output)

    def _beginning(self, held: bytes) -> int:
        """Return where a mark may have begun at the end of a text."""
        start = max(0, len(held) - len(self._mark) + 1)
        while (found := held.find(b"\n", start)) >= 0:
            if self._mark.startswith(held[found:]):
                return found
            start = found + 1
        return len(held)
