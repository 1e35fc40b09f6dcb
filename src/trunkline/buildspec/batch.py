"""`batch`: a list, a graph, a matrix or a fan-out of builds (batch-build-buildspec)."""

from __future__ import annotations

import re

from trunkline.base.dependencies import unmet
from trunkline.base.words import did_you_mean
from trunkline.buildspec.fields import Fields
from trunkline.buildspec.model import Batch, Fanout, Matrix, Overrides, Task
from trunkline.document.problems import Problems

LIST, GRAPH, MATRIX, FANOUT = "build-list", "build-graph", "build-matrix", "build-fanout"
KINDS = (LIST, GRAPH, MATRIX, FANOUT)
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,128}")
_MOST_BUILDS = 100


def batch(fields: Fields | None, problems: Problems) -> Batch | None:
    """Read `batch`: exactly one kind of it."""
    if fields is None:
        return None
    fast_fail = fields.flag("fast-fail")
    kinds = [kind for kind in KINDS if fields.has(kind)]
    fields.finish()
    if len(kinds) != 1:
        given = " and ".join(kinds) or "none"
        message = f"A batch is one of {', '.join(KINDS)}: found {given}"
        problems.error(fields.span, message, "structure")
        return None
    kind = kinds[0]
    if kind == MATRIX:
        return Batch(kind=kind, fast_fail=fast_fail, matrix=_matrix(fields.section(kind)))
    if kind == FANOUT:
        return Batch(kind=kind, fast_fail=fast_fail, fanout=_fanout(fields.section(kind)))
    tasks = _tasks(fields, kind, problems)
    if kind == GRAPH:
        _check_graph(tasks, problems)
    return Batch(kind=kind, fast_fail=fast_fail, tasks=tasks)


def _tasks(fields: Fields, kind: str, problems: Problems) -> tuple[Task, ...]:
    found: list[Task] = []
    known: set[str] = set()
    for number, node in enumerate(fields.nodes(kind)):
        section = fields.inner(node, f"batch/{kind}[{number}]")
        if section is None:
            continue
        section.require("identifier")
        identifier = section.text("identifier")
        if identifier and not _IDENTIFIER.fullmatch(identifier):
            message = f"Invalid identifier '{identifier}': letters, digits, _ and - are allowed"
            section.error("identifier", message, "value")
        if identifier in known:
            message = f"The identifier '{identifier}' is already defined"
            section.error("identifier", message, "duplicate")
        known.add(identifier)
        found.append(
            Task(
                identifier=identifier,
                buildspec=section.text("buildspec"),
                env=_overrides(section.section("env")),
                depends_on=section.texts("depend-on") if kind == GRAPH else (),
                ignore_failure=section.flag("ignore-failure"),
                debug_session=section.flag("debug-session"),
                span=section.span,
            )
        )
        section.finish()
    if not found:
        problems.error(fields.place(kind), f"batch/{kind} has no builds", "missing-key")
    return tuple(found)


def _check_graph(tasks: tuple[Task, ...], problems: Problems) -> None:
    """Tell dependencies on builds that are not there, and circles."""
    known = {task.identifier: task for task in tasks}
    for task in tasks:
        for name in task.depends_on:
            if name not in known:
                message = f"'{task.identifier}' depends on the unknown build '{name}'"
                hint = "" if problems.full else did_you_mean(name, known)
                problems.error(task.span, message, "needs", hint)
    waiting = unmet({name: known.keys() & task.depends_on for name, task in known.items()})
    if waiting:
        first = known[next(iter(waiting))]
        message = f"The builds {', '.join(waiting)} depend on each other"
        problems.error(first.span, message, "needs")


def _overrides(fields: Fields | None) -> Overrides:
    if fields is None:
        return Overrides()
    found = Overrides(
        variables=fields.table("variables"),
        image=fields.text("image"),
        compute_type=fields.text("compute-type"),
        fleet=fields.text("fleet"),
        type=fields.text("type"),
        privileged_mode=fields.flag("privileged-mode"),
    )
    if found.compute_type and found.fleet:
        fields.error("fleet", "compute-type and fleet can't be given together", "structure")
    fields.finish()
    return found


def _matrix(fields: Fields | None) -> Matrix | None:
    if fields is None:
        return None
    static, dynamic = fields.section("static"), fields.section("dynamic")
    fields.finish()
    lists = dynamic.section("env") if dynamic is not None else None
    variables = lists.section("variables") if lists is not None else None
    found = Matrix(
        static=_overrides(static.section("env")) if static is not None else Overrides(),
        static_buildspec=static.text("buildspec") if static is not None else "",
        ignore_failure=static.flag("ignore-failure") if static is not None else False,
        buildspecs=dynamic.texts("buildspec") if dynamic is not None else (),
        images=lists.texts("image") if lists is not None else (),
        compute_types=lists.texts("compute-type") if lists is not None else (),
        variables={name: variables.texts(name) for name in variables.names()} if variables else {},
        span=fields.span,
    )
    for section in (static, dynamic, lists):
        if section is not None:
            section.finish()
    if not (found.buildspecs or found.images or found.compute_types or found.variables):
        fields.error("dynamic", "batch/build-matrix/dynamic has nothing to combine", "missing-key")
    return found


def _fanout(fields: Fields | None) -> Fanout | None:
    if fields is None:
        return None
    fields.require("parallelism")
    found = Fanout(
        parallelism=fields.number("parallelism", 1, _MOST_BUILDS),
        ignore_failure=fields.flag("ignore-failure"),
        span=fields.span,
    )
    fields.finish()
    return found
