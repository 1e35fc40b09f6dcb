"""`phases`: commands, what follows a failure, and runtime versions."""

from __future__ import annotations

import re

from trunkline.base.words import did_you_mean
from trunkline.buildspec.fields import Fields, written
from trunkline.buildspec.model import PHASES, Command, OnFailure, Phase
from trunkline.document.problems import Problems
from trunkline.document.yaml import MappingNode, ScalarNode

ABORT, CONTINUE, RETRY = "ABORT", "CONTINUE", "RETRY"
RETRIES = 3
_MOST_RETRIES = 100
_RETRY = re.compile(r"RETRY(?:-(?P<rest>.+))?", re.IGNORECASE | re.DOTALL)
_COUNT = re.compile(r"(?P<count>[0-9]+)(?:-(?P<pattern>.+))?", re.DOTALL)


def phases(root: Fields, problems: Problems) -> tuple[Phase, ...]:
    """Read the phases, in the order in which they run."""
    root.require("phases")
    fields = root.section("phases")
    if fields is None:
        return ()
    found: dict[str, Phase] = {}
    for name in fields.names():
        if name in PHASES:
            section = fields.section(name)
            if section is not None:
                found[name] = _phase(name, section, problems)
            elif not fields.has(name):
                problems.warning(fields.place(name), f"The phase '{name}' is empty", "empty-phase")
        else:
            message = f"Invalid buildspec phase name: {name}. Expecting: {', '.join(PHASES)}"
            fields.error(name, message, "unknown-key", did_you_mean(name, PHASES))
    if not any(True for _ in fields.names()):
        fields.error("", "At least one phase is expected", "missing-key")
    return tuple(found[name] for name in PHASES if name in found)


def _phase(name: str, fields: Fields, problems: Problems) -> Phase:
    runtimes = fields.table("runtime-versions") if name == PHASES[0] else {}
    if name != PHASES[0] or not runtimes:
        needed = name != PHASES[0] or not fields.has("runtime-versions")
        if needed and not fields.has("commands") and not fields.has("finally"):
            fields.require("commands")
    found = Phase(
        name=name,
        commands=_commands(fields, "commands", "Commands", problems),
        finally_=_commands(fields, "finally", "Finally", problems),
        on_failure=_on_failure(fields),
        run_as=fields.text("run-as"),
        runtimes=runtimes,
        span=fields.span,
    )
    fields.finish()
    return found


def _commands(fields: Fields, key: str, title: str, problems: Problems) -> tuple[Command, ...]:
    """Read a list of commands; CodeBuild's own words for the colon that makes one a mapping."""
    found: list[Command] = []
    for number, node in enumerate(fields.nodes(key)):
        if isinstance(node, ScalarNode):
            if node.value is not None:
                found.append(Command(written(node), node.span))
            continue
        line = node.span.line
        kind = "subkeys" if isinstance(node, MappingNode) else "a list"
        message = (
            f"Expected {title}[{number}] to be of string type: found {kind} instead "
            f"at line {line}, value of the key tag on line {max(line - 1, 1)} might be empty"
        )
        hint = "A colon and a space make a mapping: put the whole command in quotation marks."
        problems.error(node.span, message, "structure", hint)
    return tuple(found)


def _on_failure(fields: Fields) -> OnFailure | None:
    text = fields.text("on-failure")
    if not text:
        return None
    if text.upper() in {ABORT, CONTINUE}:
        return OnFailure(action=text.upper())
    retry = _RETRY.fullmatch(text)
    if retry is None:
        message = (
            f"Invalid on-failure '{text}': ABORT, CONTINUE, RETRY, RETRY-count, RETRY-regex "
            "or RETRY-count-regex is expected"
        )
        fields.error("on-failure", message, "value")
        return None
    return _retry(fields, retry["rest"] or "")


def _retry(fields: Fields, rest: str) -> OnFailure | None:
    counted = _COUNT.fullmatch(rest)
    count = int(counted["count"]) if counted else RETRIES
    pattern = (counted["pattern"] if counted else rest) or ".*"
    if count > _MOST_RETRIES:
        message = f"Invalid on-failure: a retry count is from 0 to {_MOST_RETRIES}, not {count}"
        fields.error("on-failure", message, "value")
        return None
    try:
        re.compile(pattern)
    except re.error as error:
        message = f"Invalid on-failure: '{pattern}' is no regular expression: {error}"
        fields.error("on-failure", message, "value")
        return None
    return OnFailure(action=RETRY, count=count, pattern=pattern)
