"""A workflow file: text in, typed model and every mistake out."""

from __future__ import annotations

from trunkline.base.diagnostics import Diagnostic
from trunkline.document.limits import GITHUB, Limits
from trunkline.document.problems import Problems, TooMuch
from trunkline.document.yaml import load
from trunkline.expr.template import Mapping, Token
from trunkline.workflow.concurrency import check_deadlock, concurrency
from trunkline.workflow.jobs import defaults, jobs
from trunkline.workflow.model import Workflow
from trunkline.workflow.permissions import permissions
from trunkline.workflow.reader import Reader
from trunkline.workflow.schema import WORKFLOW
from trunkline.workflow.shapes import Shape
from trunkline.workflow.tokens import fields, string
from trunkline.workflow.triggers import triggers


def parse(
    text: str, file: str, *, limits: Limits = GITHUB
) -> tuple[Workflow | None, tuple[Diagnostic, ...]]:
    """Return the workflow in `text`, and what is wrong with it.

    `file` is its path as the user knows it. With an error among the diagnostics there is no
    workflow; warnings and notices leave it alone. Errors come in GitHub's order and wording.
    """
    problems = Problems(file, limits)
    tokens, size = read(text, WORKFLOW, problems)
    workflow = _workflow(fields(tokens), size, problems, text.splitlines()) if tokens else None
    return (None if problems.failed else workflow), problems.found()


def read(text: str, shape: Shape, problems: Problems) -> tuple[Mapping | None, int]:
    """Return the tokens of a file and GitHub's estimate of their size; None when it is no mapping."""
    reader = Reader(problems)
    try:
        token: Token = reader.read(load(text, problems.limits), shape)
    except TooMuch as limit:
        problems.error(limit.span, limit.message, limit.rule, limit.hint)
        return None, reader.size
    return (token if isinstance(token, Mapping) else None), reader.size


def _workflow(root: dict[str, Token], size: int, problems: Problems, source: list[str]) -> Workflow:
    group = concurrency(root.get("concurrency"), problems)
    found = jobs(root.get("jobs"), problems, source)
    for job in found:
        check_deadlock(group, job.concurrency, problems)
    return Workflow(
        file=problems.file,
        triggers=triggers(root.get("on"), problems),
        jobs=found,
        name=string(root.get("name")) or None,
        description=string(root.get("description")) or "",
        run_name=root.get("run-name"),
        env=root.get("env"),
        defaults=defaults(root.get("defaults")),
        permissions=permissions(root.get("permissions")),
        cache_mode=string(root.get("cache-mode")) or "",
        concurrency=group,
        size=size,
    )
