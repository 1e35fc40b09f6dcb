"""What jobs print, made fit for a terminal: colours may pass, nothing else may steer it."""

from __future__ import annotations

import re
from collections.abc import Callable

# Escape sequences by ECMA-48: control sequences, strings up to their terminator (title changes,
# links, graphics), other escapes, and lone control characters. Tabs and newlines are text.
_CONTROL = re.compile(
    r"""
    (?P<colour>\x1b\[[0-9;:]*m)
    | (?:\x1b\[|\x9b) [0-?]* [\ -/]* [@-~]?
    | (?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f]) [^\x07\x1b\x9c\n]* (?:\x07|\x1b\\|\x9c)?
    | \x1b [\ -/]* [0-~]?
    | [\x00-\x08\x0b-\x1f\x7f-\x9f]
    """,
    re.VERBOSE,
)
_MARKER = re.compile(
    r"^##\[(group|endgroup|error|warning|notice|debug|command|section)\]([^\n]*)(?:\n|\Z)",
    re.MULTILINE,
)
# GitHub's markers as its log viewer shows them: what stands in front, and its colour.
_MARKS = {
    "error": ("Error: ", "31"),
    "warning": ("Warning: ", "33"),
    "notice": ("Notice: ", "36"),
    "debug": ("", "2"),
    "command": ("", "34"),
    "section": ("", "32"),
}
RESET = "\x1b[0m"


def tame(text: str, *, colours: bool) -> str:
    """Return text without anything that steers a terminal; `colours`: SGR sequences may stay."""
    if not _CONTROL.search(text):
        return text

    def kept(found: re.Match[str]) -> str:
        return found["colour"] or "" if colours else ""

    return _CONTROL.sub(kept, text)


def readable(text: str, *, colours: bool, arrow: str) -> str:
    """Return lines tamed and with GitHub's markers (`##[error]...`) put into words.

    `arrow` stands before the title of a group; the lines that end groups go.
    """
    tamed = tame(text, colours=colours)
    if "##[" not in tamed:
        return tamed
    return _MARKER.sub(_worded(arrow, colours=colours), tamed)


def _worded(arrow: str, *, colours: bool) -> Callable[[re.Match[str]], str]:
    def word(found: re.Match[str]) -> str:
        kind, text = found.groups()
        if kind == "endgroup":
            return ""
        before, colour = (f"{arrow} ", "1") if kind == "group" else _MARKS[kind]
        end = "\n" if found[0].endswith("\n") else ""
        if not colours:
            return f"{before}{text}{end}"
        return f"\x1b[{colour}m{before}{text}{RESET}{end}"

    return word
