"""One line of output as a workflow command: `::name key=value::data` or `##[name key=value]data`.

Source of the rules: the runner's ActionCommand (reference section 3.17 and appendix A10).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

REGISTERED = frozenset(
    {
        *("add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group"),
        *("notice", "remove-matcher", "save-state", "set-env", "set-output", "stop-commands"),
        "warning",
    }
)

# What stands for what, in the order of decoding; `%25` comes last.
DATA = (("%0D", "\r"), ("%0A", "\n"), ("%25", "%"))
PROPERTY = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))
OLD = (("%3B", ";"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]"), ("%25", "%"))


class Command(msgspec.Struct, frozen=True):
    """A command: its name and its property names in lower case, decoded values and data."""

    name: str
    properties: Mapping[str, str]
    data: str


def parse_command(line: str, registered: Collection[str] = REGISTERED) -> Command | None:
    """Return the command that `line` is, None for ordinary output.

    `registered` holds the names that count, in lower case. The `::` form is tried first.
    """
    return _parse_new(line, registered) or _parse_old(line, registered)


def command_line(name: str, properties: Mapping[str, str], data: str) -> str:
    """Return a command in the `::` form, which `parse_command` reads back."""
    told = ",".join(f"{key}={_encoded(value, PROPERTY)}" for key, value in properties.items())
    return f"::{name}{' ' if told else ''}{told}::{_encoded(data, DATA)}"


def _parse_new(line: str, registered: Collection[str]) -> Command | None:
    text = line.lstrip()
    end = text.find("::", 2) if text.startswith("::") else -1
    if end < 0:
        return None
    name, _, rest = text[2:end].partition(" ")
    if name.lower() not in registered:
        return None
    properties = _properties(rest.strip(), ",", PROPERTY)
    return Command(name.lower(), properties, _decoded(text[end + 2 :], DATA))


def _parse_old(line: str, registered: Collection[str]) -> Command | None:
    start = line.find("##[")
    end = line.find("]", start) if start >= 0 else -1
    if end < 0:
        return None
    name, _, rest = line[start + 3 : end].partition(" ")
    if name.lower() not in registered:
        return None
    properties = _properties(rest.strip(), ";", OLD)
    return Command(name.lower(), properties, _decoded(line[end + 1 :], OLD))


def _properties(text: str, separator: str, codes: tuple[tuple[str, str], ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in text.split(separator):
        key, equals, value = pair.partition("=")
        if equals:
            found[key.lower()] = _decoded(value, codes)
    return found


def _encoded(text: str, codes: tuple[tuple[str, str], ...]) -> str:
    for code, character in reversed(codes):
        text = text.replace(character, code)
    return text


def _decoded(text: str, codes: tuple[tuple[str, str], ...]) -> str:
    if "%" in text:
        for code, character in codes:
            text = text.replace(code, character)
    return text
