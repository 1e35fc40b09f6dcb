"""Dockerfiles, as far as they say what images a build starts from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

_DIRECTIVE = re.compile(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*")
_HEREDOC = re.compile(r"<<(-?)\s*([\"']?)([A-Za-z_][A-Za-z0-9_]*)\2")
_VARIABLE = re.compile(r"\\\$|\$(?:(\w+)|\{(\w+)(?:(:?[-+])([^{}]*))?\})")
_WITH_HEREDOCS = frozenset({"RUN", "COPY", "ADD"})
SCRATCH = "scratch"


class Stage(NamedTuple):
    """A build stage: the image or stage it starts from, and its name ('' for none)."""

    source: str
    name: str


def base_image(text: str, target: str, arguments: Mapping[str, str]) -> str:
    """Return the image that the target (default: the last) stage is built on in the end.

    `arguments` are those of the build, for `ARG`s before the first stage. '' for `scratch`, and
    where the file does not tell.
    """
    stages = read_stages(text, arguments)
    position = _find(stages, target)
    while position >= 0:
        source = stages[position].source
        before = _find(stages[:position], source) if source else -1
        if before < 0:
            return "" if source.lower() == SCRATCH else source
        position = before
    return ""


def read_stages(text: str, arguments: Mapping[str, str]) -> list[Stage]:
    """Return the stages of a Dockerfile, in order."""
    values: dict[str, str] = {}
    stages: list[Stage] = []
    for instruction, rest in _instructions(text):
        if instruction == "ARG" and not stages:
            for word in _words(rest):
                name, equals, default = word.partition("=")
                if name in arguments:
                    values[name] = arguments[name]
                elif equals:
                    values[name] = _expanded(default, values)
        elif instruction == "FROM":
            stages.append(_stage(rest, values))
    return stages


def _find(stages: Sequence[Stage], wanted: str) -> int:
    """Return the position of a stage by name or number ('': the last), -1 for none."""
    if not wanted:
        return len(stages) - 1
    for position in reversed(range(len(stages))):
        if stages[position].name.lower() == wanted.lower():
            return position
    if wanted.isdecimal() and int(wanted) < len(stages):
        return int(wanted)
    return -1


def _stage(rest: str, values: Mapping[str, str]) -> Stage:
    words = [word for word in _words(rest) if not word.startswith("--")]
    source = _expanded(words[0], values) if words else ""
    named = len(words) == 3 and words[1].upper() == "AS"
    return Stage(source, words[2] if named else "")


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yield instructions with what follows them; continued lines are joined, heredocs skipped."""
    lines = iter(text.replace("\r\n", "\n").split("\n"))
    escape = _escape(text)
    for line in lines:
        whole = line.strip()
        if not whole or whole.startswith("#"):
            continue
        while whole.endswith(escape):
            following = next(lines, None)
            if following is None:
                break
            if not following.strip().startswith("#"):
                whole = whole[:-1] + following.strip() if following.strip() else whole
        instruction, rest = (*whole.split(None, 1), "")[:2]
        if instruction.upper() in _WITH_HEREDOCS:
            _skip_heredocs(rest, lines)
        yield instruction.upper(), rest


def _escape(text: str) -> str:
    """Return the character that continues lines; directives stand before everything else."""
    for line in text.split("\n"):
        found = _DIRECTIVE.fullmatch(line.strip())
        if not found:
            return "\\"
        if found[1].lower() == "escape":
            return found[2]
    return "\\"


def _skip_heredocs(rest: str, lines: Iterator[str]) -> None:
    for found in _HEREDOC.finditer(rest):
        for line in lines:
            if (line.lstrip("\t") if found[1] else line) == found[3]:
                break


def _words(text: str) -> list[str]:
    """Return the words of a line, quotes taken away."""
    found = re.findall(r"(?:\"[^\"]*\"|'[^']*'|\S)+", text)
    return [re.sub(r"\"([^\"]*)\"|'([^']*)'", lambda m: m[1] or m[2] or "", word) for word in found]


def _expanded(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its variables replaced, `${X:-default}` and `${X:+other}` too."""

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if name is None:
            return "$"
        here = values.get(name)
        operator, word = found[3] or "", found[4] or ""
        is_set = bool(here) if operator.startswith(":") else here is not None
        if operator.endswith("-"):
            return (here or "") if is_set else word
        if operator.endswith("+"):
            return word if is_set else ""
        return here or ""

    return _VARIABLE.sub(value, text)
