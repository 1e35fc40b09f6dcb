"""The jobs of a workflow."""

from __future__ import annotations

import re

from trunkline.document.problems import Problems
from trunkline.expr.template import Expression, Mapping, Token
from trunkline.workflow import ids
from trunkline.workflow.concurrency import concurrency
from trunkline.workflow.containers import check_container, check_runs_on, check_services
from trunkline.workflow.matrix import check_strategy
from trunkline.workflow.model import CallJob, Defaults, Environment, Job, Text
from trunkline.workflow.needs import check_needs
from trunkline.workflow.permissions import permissions
from trunkline.workflow.steps import SUCCESS, steps
from trunkline.workflow.tokens import entries, fields, items, string, text, texts
from trunkline.workflow.uses import check_workflow

_SNAPSHOT_VERSION = re.compile(r"[0-9]{1,9}\.\*")


def jobs(token: Token | None, problems: Problems, source: list[str]) -> tuple[Job | CallJob, ...]:
    """Return the jobs in the order written. `source` holds the lines of the file."""
    found: list[Job | CallJob] = []
    for name, span, value in entries(token):
        wrong = ids.mistake(name) if name else ""
        if wrong:
            problems.error(span, wrong, "id")
        if isinstance(value, Mapping):
            found.append(_job(Text(name, span), fields(value), problems, source))
    if isinstance(token, Mapping):
        _check_steps(tuple(found), token, problems)
        known = tuple(name for name, _, _ in entries(token))
        check_needs(tuple(found), known, token.span, problems)
    return tuple(found)


def _check_steps(found: tuple[Job | CallJob, ...], jobs: Mapping, problems: Problems) -> None:
    """Tell the jobs that have nothing to do, all in one, as GitHub's service does."""
    written = fields(jobs)
    idle = [
        job
        for job in found
        if isinstance(job, Job)
        and not items(fields(written[job.id]).get("steps"))
        and not problems.is_marked(written[job.id].span)
    ]
    if idle and problems.limits.need_steps:
        names = ", ".join(job.id for job in idle)
        message = (
            "No steps defined in `steps` and no workflow called in `uses` "
            f"for the following jobs: {names}"
        )
        problems.error(idle[0].span, message, "missing-key")


def _job(name: Text, job: dict[str, Token], problems: Problems, source: list[str]) -> Job | CallJob:
    check_strategy(job.get("strategy"), problems)
    uses = text(job.get("uses"))
    if uses is not None and "runs-on" not in job:
        return _call(name, job, uses, problems)
    check_runs_on(job.get("runs-on"), problems)
    check_container(job.get("container"), problems)
    check_services(job.get("services"), problems)
    _check_snapshot(job.get("snapshot"), problems)
    return Job(
        id=name.value,
        condition=_condition(job),
        name=_display_name(job),
        needs=texts(job.get("needs")),
        strategy=job.get("strategy"),
        permissions=permissions(job.get("permissions")),
        cache_mode=string(job.get("cache-mode")) or "",
        concurrency=concurrency(job.get("concurrency"), problems),
        runs_on=job.get("runs-on"),
        environment=_environment(job.get("environment")),
        env=job.get("env"),
        defaults=defaults(job.get("defaults")),
        container=job.get("container"),
        services=job.get("services"),
        outputs=job.get("outputs"),
        timeout_minutes=job.get("timeout-minutes"),
        cancel_timeout_minutes=job.get("cancel-timeout-minutes"),
        continue_on_error=job.get("continue-on-error"),
        snapshot=job.get("snapshot"),
        steps=steps(job.get("steps"), problems, source),
        span=name.span,
    )


def _call(name: Text, job: dict[str, Token], uses: Text, problems: Problems) -> CallJob:
    check_workflow(uses, problems)
    secrets = job.get("secrets")
    inherit = string(secrets) == "inherit"
    return CallJob(
        id=name.value,
        condition=_condition(job),
        uses=uses,
        name=_display_name(job),
        needs=texts(job.get("needs")),
        strategy=job.get("strategy"),
        permissions=permissions(job.get("permissions")),
        cache_mode=string(job.get("cache-mode")) or "",
        concurrency=concurrency(job.get("concurrency"), problems),
        with_=job.get("with"),
        secrets=None if inherit else secrets,
        inherit_secrets=inherit,
        span=name.span,
    )


def _condition(job: dict[str, Token]) -> Expression:
    found = job.get("if")
    return found if isinstance(found, Expression) else SUCCESS


def _display_name(job: dict[str, Token]) -> Token | None:
    """Return the name; an empty one is as good as none."""
    name = job.get("name")
    return None if string(name) == "" else name


def _environment(token: Token | None) -> Environment | None:
    if isinstance(token, Mapping):
        config = fields(token)
        name = config.get("name")
        if name is None or string(name) == "":
            return None
        return Environment(name, config.get("url"), config.get("deployment"), token.span)
    if token is None or string(token) == "":
        return None
    return Environment(token, span=token.span)


def defaults(token: Token | None) -> Defaults:
    """Return `defaults.run`; an expression for all of it is taken apart."""
    run = fields(token).get("run")
    if isinstance(run, Expression):
        return Defaults(
            Expression(f"({run.source}).shell", run.span),
            Expression(f"({run.source}).working-directory", run.span),
        )
    config = fields(run)
    return Defaults(config.get("shell"), config.get("working-directory"))


def _check_snapshot(token: Token | None, problems: Problems) -> None:
    if token is None:
        return
    version = string(fields(token).get("version"))
    if version is not None and not _SNAPSHOT_VERSION.fullmatch(version):
        message = f"Expected format '{{major-version}}.*' Actual '{version}'"
        problems.error(token.span, message, "snapshot")
    message = "'snapshot' has no local effect: only GitHub keeps images of its runners"
    problems.notice(token.span, message, "no-local-effect")
