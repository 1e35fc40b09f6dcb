"""Diagnostics written for people, for programs, and for services that show them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from unicodedata import east_asian_width

from trunkline import __version__
from trunkline.base.diagnostics import Diagnostic, Severity
from trunkline.base.spans import NOWHERE
from trunkline.base.words import counted
from trunkline.run.command_line import command_line

_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_SARIF_LEVELS = {Severity.NOTICE: "note"}

Sources = Mapping[str, Sequence[str]]


def as_text(found: Sequence[Diagnostic], sources: Sources) -> str:
    """Return each diagnostic with its line and a caret, and a closing count.

    `sources` holds the lines of every file that was looked at.
    """
    parts = [explain(one, sources.get(one.file, ())) for one in found]
    return "".join(f"{part}\n\n" for part in parts) + f"{_count(found, len(sources))}\n"


def explain(found: Diagnostic, lines: Sequence[str]) -> str:
    """Return a diagnostic in full: place, message, the line with a caret, and the hint."""
    place = found.file
    if found.span != NOWHERE:
        place += f":{found.span.line}:{found.span.column}"
    text = [f"{place}: {found.severity}: {found.message}" if place else found.message]
    number = found.span.line
    margin = " " * len(str(number))
    if 0 < number <= len(lines):
        line = lines[number - 1]
        text.append(f"  {number} | {line}")
        text.append(f"  {margin} | {_padding(line[: found.span.column - 1])}^")
    if found.hint:
        text.append(f"  {margin} = {found.hint}")
    return "\n".join(text)


def as_json(found: Sequence[Diagnostic], _sources: Sources) -> str:
    """Return a JSON list of {file, line, column, severity, rule, message, hint}."""
    return json.dumps([_record(one) for one in found], indent=2, ensure_ascii=False) + "\n"


def as_github(found: Sequence[Diagnostic], _sources: Sources) -> str:
    """Return GitHub's workflow commands, which a runner turns into annotations."""
    lines = []
    for one in found:
        properties = {"file": one.file, "title": one.rule}
        if one.span != NOWHERE:
            properties |= {"line": f"{one.span.line}", "col": f"{one.span.column}"}
        message = f"{one.message} {one.hint}".rstrip()
        lines.append(command_line(one.severity, properties, message) + "\n")
    return "".join(lines)


def as_sarif(found: Sequence[Diagnostic], _sources: Sources) -> str:
    """Return a SARIF 2.1.0 log."""
    rules = [{"id": rule} for rule in dict.fromkeys(one.rule for one in found)]
    driver = {"name": "trunkline", "version": __version__, "rules": rules}
    run = {"tool": {"driver": driver}, "results": [_sarif_result(one) for one in found]}
    log = {"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


FORMATS: dict[str, Callable[[Sequence[Diagnostic], Sources], str]] = {
    "text": as_text,
    "json": as_json,
    "sarif": as_sarif,
    "github": as_github,
}


def _count(found: Sequence[Diagnostic], files: int) -> str:
    counts = Counter(one.severity for one in found)
    told = [counted(counts[kind], kind.value) for kind in Severity if counts[kind]]
    return f"{', '.join(told) or 'no mistakes'} in {counted(files, 'file')}"


def _padding(text: str) -> str:
    """Return blanks as wide as `text`; tabs stay, so that the caret stands below its column."""
    return "".join(
        char if char == "\t" else "  " if east_asian_width(char) in "WF" else " " for char in text
    )


def _record(found: Diagnostic) -> dict[str, str | int]:
    return {
        "file": found.file,
        "line": found.span.line,
        "column": found.span.column,
        "severity": found.severity.value,
        "rule": found.rule,
        "message": found.message,
        "hint": found.hint,
    }


def _sarif_result(found: Diagnostic) -> dict[str, object]:
    place: dict[str, object] = {"artifactLocation": {"uri": found.file}}
    if found.span != NOWHERE:
        place["region"] = {"startLine": found.span.line, "startColumn": found.span.column}
    return {
        "ruleId": found.rule,
        "level": _SARIF_LEVELS.get(found.severity, found.severity.value),
        "message": {"text": f"{found.message} {found.hint}".rstrip()},
        "locations": [{"physicalLocation": place}],
    }
