"""What the log and the annotations of a job say while it is set up."""

from __future__ import annotations

from collections.abc import Mapping

from trunkline.engine.job_context import JobContext
from trunkline.engine.output import StepOutput
from trunkline.engine.step_reports import Report
from trunkline.run.cache_access import is_trusted, may_write
from trunkline.run.events import Warned
from trunkline.run.job_request import JobRequest
from trunkline.run.undefined import undefined_in_job, warning

LOW_TRUST = (
    "cache-mode '{mode}' lets this run write the default branch's caches, though people without "
    "write permission can cause its event: what they put there, trusted runs would use."
)


def warn_of_undefined(request: JobRequest, variables: Mapping[str, str], report: Report) -> None:
    """Name the variables that a job with an environment lacks: only now all of its are known."""
    if request.environment:
        for name in undefined_in_job(request.job, variables, all_known=True):
            report(Warned(key=request.key, message=warning(name)))


def warn_of_cache_mode(request: JobRequest, mode: str, log: StepOutput) -> None:
    """Warn, as GitHub does, where a workflow gives strangers what their events are not given."""
    if may_write(mode) and not is_trusted(request.github):
        log.annotate("warning", LOW_TRUST.format(mode=mode))


def introduction(context: JobContext) -> list[str]:
    """Return the first lines of a job's log: where it runs and what it may do."""
    layout = context.layout
    granted = sorted(
        f"{name.title().replace('-', '')}: {level}"
        for name, level in context.access.permissions.items()
        if level != "none"
    )
    place = f"in the image '{context.image}'" if context.image else "on this machine"
    return [
        f"Runner: {layout.name} ({layout.os} {layout.arch}), {place}",
        f"Workspace: {layout.workspace}",
        "##[group]GITHUB_TOKEN Permissions",
        *granted,
        "##[endgroup]",
        f"Cache mode: {context.access.cache_mode}",
        *_environment(context.request.environment),
    ]


def _environment(name: str) -> list[str]:
    """Say what an environment adds here, and what a server would do besides."""
    if not name:
        return []
    added = f".secrets.{name} and .vars.{name} are added"
    return [f"Environment '{name}': {added}; a server would ask for its approvals and wait first"]
