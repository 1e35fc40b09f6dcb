"""aws-actions/aws-codebuild-run-build: a build of a workflow's own repository, as a composite action.

Rules: that action's `action.yml` and `code-build.js`. A build that it starts at AWS has the
repository's source, the variables named, and GitHub's. Here its phases run in the job's workspace.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

import msgspec

from trunkline.base.diagnostics import Severity
from trunkline.base.errors import ActionUnavailable
from trunkline.buildspec.model import Buildspec, Task
from trunkline.buildspec.parse import parse
from trunkline.expr.template import Expression, Literal, Token
from trunkline.expr.template import Mapping as MappingToken
from trunkline.plan.codebuild import MANAGED, BuildSteps, build_env, mapping
from trunkline.plan.codebuild_variables import ID, PROJECT
from trunkline.workflow.encoding import decode
from trunkline.workflow.model import (
    Action,
    ActionInput,
    CompositeRuns,
    Output,
    RunStep,
    SessionStep,
    Step,
    UsesStep,
)

DEFAULT = "buildspec.yml"
# What an action does not see, at GitHub either, as the later choices of an expression.
_ABSENT = re.compile(r" \|\| (?:vars\.\w+|secrets\['(?:[^']|'')*'\])")
# What a build on this machine can't be given, and what is said of it.
REFUSED = {
    "source-version-override": "the job's own workspace is built, at the job's commit",
    "source-type-override": "the job's own workspace is built",
    "source-location-override": "the job's own workspace is built",
    "image-override": "the build runs where the job does: give the job a container of that image",
}
INPUTS = (
    "project-name",
    "buildspec-override",
    "compute-type-override",
    "environment-type-override",
    "image-override",
    "image-pull-credentials-type-override",
    "env-vars-for-codebuild",
    "update-interval",
    "update-back-off",
    "disable-source-override",
    "source-version-override",
    "source-type-override",
    "source-location-override",
    "hide-cloudwatch-logs",
    "disable-github-env-vars",
    "artifacts-type-override",
    "stop-on-signals",
)


def build_action(step: UsesStep, load: Callable[[str], bytes | None]) -> Action:
    """Return the action that a use of aws-codebuild-run-build stands for.

    `load` returns a file of the repository. Raises ActionUnavailable, with every mistake of the
    buildspec.
    """
    given = _given(step)
    if "project-name" not in given:
        raise ActionUnavailable("Input required and not supplied: project-name")
    for name, reason in REFUSED.items():
        value = given.get(name)
        if value is not None and not (isinstance(value, Literal) and _is_harmless(value)):
            raise ActionUnavailable(f"aws-codebuild-run-build: {name} can't be had here: {reason}")
    path, spec = _buildspec(given, load)
    return Action(
        file=path,
        runs=CompositeRuns(steps=tuple(_steps(spec, path, _names(given)))),
        name="AWS CodeBuild run build",
        inputs=tuple(ActionInput(id=name) for name in INPUTS),
        outputs=(Output(id="aws-build-id", value=Expression(ID)),),
    )


def _given(step: UsesStep) -> Mapping[str, Token]:
    if not isinstance(step.with_, MappingToken):
        return {}
    return {
        str(key.value).lower(): value
        for key, value in step.with_.entries
        if isinstance(key, Literal)
    }


def _is_harmless(value: Literal) -> bool:
    return value.value in {"", "GITHUB"} or str(value.value).startswith(MANAGED)


def _names(given: Mapping[str, Token]) -> frozenset[str]:
    """Return the variables that the build is given, which beat the buildspec's."""
    value = given.get("env-vars-for-codebuild")
    text = str(value.value) if isinstance(value, Literal) else ""
    return frozenset(name.strip() for name in text.split(",") if name.strip())


def _buildspec(
    given: Mapping[str, Token], load: Callable[[str], bytes | None]
) -> tuple[str, Buildspec]:
    """Return a buildspec and its path; an override may hold a whole one instead."""
    override = given.get("buildspec-override", Literal(""))
    if not isinstance(override, Literal):
        raise ActionUnavailable(
            "aws-codebuild-run-build: buildspec-override must be known before the job starts: "
            "an expression is not"
        )
    path = str(override.value or DEFAULT)
    if "\n" in path:
        return DEFAULT, _parsed(path, "buildspec-override")
    data = load(path)
    if data is None:
        raise ActionUnavailable(f"YAML_FILE_ERROR: stat {path}: no such file or directory")
    return path, _parsed(decode(data, path)[0], path)


def _parsed(text: str, file: str) -> Buildspec:
    spec, found = parse(text, file)
    errors = [one.text() for one in found if one.severity is Severity.ERROR]
    if spec is None or errors:
        raise ActionUnavailable("\n".join(f"YAML_FILE_ERROR: {error}" for error in errors))
    return spec


def _steps(
    spec: Buildspec, path: str, names: frozenset[str]
) -> Iterable[RunStep | UsesStep | SessionStep]:
    """Yield the build's steps, each with the build's variables; the source is there as a rule."""
    variables = {name: value for name, value in spec.env.variables.items() if name not in names}
    bare = msgspec.structs.replace(spec, env=msgspec.structs.replace(spec.env, variables={}))
    env = {**PROJECT, **build_env(bare, Task(identifier=""))}
    env = {name: _placed(token) for name, token in env.items()}
    env |= {name: Literal(value) for name, value in variables.items()}
    for step in BuildSteps(spec).all():
        yield _within(step, env, path)


def _placed(token: Token) -> Token:
    """Return a value that needs no variable of its own step, and no context that actions lack."""
    if not isinstance(token, Expression):
        return token
    source = token.source
    for name in ("AWS_REGION", "AWS_ACCOUNT_ID"):
        known = PROJECT[name]
        if isinstance(known, Expression) and source != known.source:
            source = source.replace(f"env.{name}", f"({known.source})")
    return Expression(_ABSENT.sub("", source))


def _within(step: Step, env: Mapping[str, Token], path: str) -> RunStep | UsesStep | SessionStep:
    if not isinstance(step, (UsesStep, SessionStep)):
        raise TypeError(step)
    own = dict(env)
    if isinstance(step.env, MappingToken):
        own |= {
            str(key.value): value for key, value in step.env.entries if isinstance(key, Literal)
        }
    found = msgspec.structs.replace(step, env=mapping(own))
    if isinstance(found, UsesStep) and isinstance(found.with_, MappingToken):
        inputs = {
            str(k.value): _placed(v) for k, v in found.with_.entries if isinstance(k, Literal)
        }
        found = msgspec.structs.replace(found, with_=mapping(inputs))
    if step.id == "download_source":
        there = Expression(f"hashFiles('{path.replace(chr(39), chr(39) * 2)}') == ''")
        found = msgspec.structs.replace(found, condition=there)
    return found
