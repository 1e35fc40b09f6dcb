"""The end of a job, its step "Complete job": what it hands on, and what is left of its place."""

from __future__ import annotations

from trunkline.engine.job_context import JobContext
from trunkline.engine.output import JobOutput, StepOutput
from trunkline.ports.sandbox import Sandbox
from trunkline.run.job_outputs import check_job_outputs


def job_outputs(context: JobContext, output: JobOutput, log: StepOutput) -> dict[str, str]:
    """Evaluate the job's outputs; drop those that hold a secret (reference section 3.6).

    Raises TemplateError, TrunklineError, OutputsTooLarge.
    """
    found: dict[str, str] = {}
    for name, value in context.texts(context.request.job.outputs, context.job_place()).items():
        if not value:
            continue
        if output.masked(value) != value:
            log.line(f"##[warning]Skip output '{name}' since it may contain secret.")
        else:
            found[name] = value
    check_job_outputs(found)
    return found


def environment_url(context: JobContext) -> str:
    """Evaluate the address of the job's environment, '' for none. Raises TemplateError."""
    environment = context.request.job.environment
    if environment is None or environment.url is None:
        return ""
    return context.text(environment.url, context.job_place())


def tear_down(sandbox: Sandbox, context: JobContext | None, log: StepOutput, *, keep: bool) -> None:
    """End what still runs and remove the job's folders, but for the workspace where `keep` says so.

    `context` is None for a job that was not set up. Raises Unavailable when something stays.
    """
    for session in context.sessions.values() if context is not None else ():
        session.end()
    for pid, name in sandbox.tear_down(keep=keep):
        log.line(f"Terminate orphan process: pid ({pid}) ({name})")


def kept_workspace(context: JobContext | None) -> str:
    """Return where this machine has a job's workspace, '' for a job that was not set up."""
    if context is None:
        return ""
    layout = context.layout
    return layout.outside(layout.workspace) or layout.workspace
