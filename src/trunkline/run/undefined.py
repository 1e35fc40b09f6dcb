"""Variables that expressions read and nobody defined: GitHub makes them '' without a word."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from trunkline.expr.parse import parse
from trunkline.expr.template import Expression
from trunkline.expr.tree import Constant, ContextName, Index, Node, Or, children
from trunkline.expr.values import to_text
from trunkline.plan.model import PlannedCall, PlannedJob


def warning(name: str) -> str:
    """Return the sentence that names an undefined variable and what to do."""
    name = name.upper()
    return f"vars.{name} is not defined and becomes ''; define it with --var {name}=VALUE"


def undefined_in_condition(
    job: PlannedJob | PlannedCall, defined: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the variables that a job's `if` reads and nobody defined, each once."""
    return _undefined((job.condition,), defined)


def undefined_in_job(
    job: PlannedJob | PlannedCall, defined: Mapping[str, str], *, all_known: bool = False
) -> tuple[str, ...]:
    """Return the undefined variables that a job reads; the jobs that a call holds are not looked at.

    A job with an environment may get more variables from it: it is passed over unless `defined`
    has those too (`all_known`).
    """
    if isinstance(job, PlannedJob) and job.environment is not None and not all_known:
        return ()
    parts = (
        getattr(job, name)
        for name in job.__struct_fields__
        if name != "condition" and not (name == "jobs" and isinstance(job, PlannedCall))
    )
    return _undefined((found for part in parts for found in _expressions(part)), defined)


def _undefined(expressions: Iterable[Expression], defined: Collection[str]) -> tuple[str, ...]:
    known = {name.lower() for name in defined}
    read: dict[str, str] = {}
    for expression in expressions:
        if "vars" in expression.source.lower():
            for name in _read_without_default(parse(expression.source)):
                read.setdefault(name.lower(), name)
    return tuple(name for key, name in read.items() if key not in known)


def _expressions(part: Any) -> Iterator[Expression]:
    """Yield every expression in a part of a plan."""
    if isinstance(part, Expression):
        yield part
    elif isinstance(part, tuple):
        for each in part:
            yield from _expressions(each)
    elif isinstance(part, msgspec.Struct):
        for name in part.__struct_fields__:
            yield from _expressions(getattr(part, name))


def _read_without_default(root: Node) -> Iterator[str]:
    """Yield the variables that an expression reads, but not `vars.X` in `vars.X || 'default'`."""
    waiting: list[Node] = [root]
    while waiting:
        node = waiting.pop()
        name = _variable(node)
        if name is not None:
            yield name
        elif isinstance(node, Or):
            waiting += [each for each in node.operands[:-1] if _variable(each) is None]
            waiting.append(node.operands[-1])
        else:
            waiting += children(node)


def _variable(node: Node) -> str | None:
    match node:
        case Index(ContextName(key="vars"), Constant(name)):
            return to_text(name)
        case _:
            return None
