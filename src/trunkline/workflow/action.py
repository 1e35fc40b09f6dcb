"""An `action.yml`: text in, typed model and every mistake out."""

from __future__ import annotations

from trunkline.base.diagnostics import Diagnostic
from trunkline.document.limits import GITHUB, Limits
from trunkline.document.problems import Problems
from trunkline.expr.template import Expression, Mapping, Token
from trunkline.workflow.action_schema import ACTION, USING
from trunkline.workflow.inputs import outputs
from trunkline.workflow.model import (
    Action,
    ActionInput,
    CompositeRuns,
    DockerRuns,
    JavaScriptRuns,
    RunStep,
    UsesStep,
)
from trunkline.workflow.parse import read
from trunkline.workflow.steps import steps
from trunkline.workflow.tokens import entries, fields, flag, string

ALWAYS = Expression("always()")
_NEEDED = {"composite": "steps", "docker": "image"}


def parse_action(
    text: str, file: str, *, limits: Limits = GITHUB
) -> tuple[Action | None, tuple[Diagnostic, ...]]:
    """Return the action that the `action.yml` in `text` describes, and what is wrong with it.

    `file` is its path as the user knows it. With an error among the diagnostics there is no action.
    """
    problems = Problems(file, limits)
    token, _ = read(text, ACTION, problems)
    action = _action(fields(token), problems, text.splitlines()) if token is not None else None
    return (None if problems.failed else action), problems.found()


def _action(root: dict[str, Token], problems: Problems, source: list[str]) -> Action | None:
    runs = _runs(root.get("runs"), problems, source)
    if runs is None:
        return None
    return Action(
        file=problems.file,
        runs=runs,
        name=string(root.get("name")) or "",
        description=string(root.get("description")) or "",
        author=string(root.get("author")) or "",
        inputs=_inputs(root.get("inputs")),
        outputs=outputs(root.get("outputs")),
    )


def _inputs(token: Token | None) -> tuple[ActionInput, ...]:
    found: list[ActionInput] = []
    for name, span, value in entries(token):
        config = fields(value)
        required = config.get("required")
        found.append(
            ActionInput(
                id=name,
                default=config.get("default"),
                required=flag(required) or string(required) == "true",
                description=string(config.get("description")) or "",
                deprecation=string(config.get("deprecationMessage")) or "",
                span=span,
            )
        )
    return tuple(found)


def _runs(
    token: Token | None, problems: Problems, source: list[str]
) -> JavaScriptRuns | CompositeRuns | DockerRuns | None:
    if not isinstance(token, Mapping):
        return None
    runs = fields(token)
    written = string(runs.get("using")) or ""
    using = written.lower()
    needed = _NEEDED.get(using, "main" if using in USING else "using")
    if needed not in runs:
        problems.error(token.span, f"Required property is missing: {needed}", "missing-key")
    if using == "composite":
        found = steps(runs.get("steps"), problems, source)
        kept = tuple(one for one in found if isinstance(one, RunStep | UsesStep))
        return CompositeRuns(steps=kept)
    if using == "docker":
        return _docker(runs)
    if using in USING:
        return _javascript(runs, using)
    if written:
        message = (
            f"'using: {written}' is not supported, use 'docker', 'node12', 'node16', 'node20' "
            "or 'node24' instead."
        )
        problems.error(runs["using"].span, message, "using")
    return None


def _javascript(runs: dict[str, Token], using: str) -> JavaScriptRuns:
    return JavaScriptRuns(
        using=using,
        main=string(runs.get("main")) or "",
        pre=string(runs.get("pre")) or "",
        post=string(runs.get("post")) or "",
        pre_condition=_condition(runs.get("pre-if")),
        post_condition=_condition(runs.get("post-if")),
    )


def _docker(runs: dict[str, Token]) -> DockerRuns:
    return DockerRuns(
        image=string(runs.get("image")) or "",
        entrypoint=string(runs.get("entrypoint")) or "",
        pre_entrypoint=string(runs.get("pre-entrypoint")) or "",
        post_entrypoint=string(runs.get("post-entrypoint")) or "",
        args=runs.get("args"),
        env=runs.get("env"),
        pre_condition=_condition(runs.get("pre-if")),
        post_condition=_condition(runs.get("post-if")),
    )


def _condition(token: Token | None) -> Expression:
    return token if isinstance(token, Expression) else ALWAYS
