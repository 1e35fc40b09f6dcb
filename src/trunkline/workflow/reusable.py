"""What a call of a reusable workflow must keep to: inputs, secrets, permissions, depth, size."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from trunkline.base.diagnostics import Diagnostic
from trunkline.document.limits import Limits
from trunkline.document.problems import Problems
from trunkline.expr.characters import fold
from trunkline.expr.memory import text_size
from trunkline.expr.template import Literal, Token
from trunkline.workflow.inputs import fits, shown
from trunkline.workflow.model import CallJob, Job, Permissions, Text, Trigger, Workflow
from trunkline.workflow.permissions import ORDER, default_levels, excess, levels
from trunkline.workflow.tokens import entries, string


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls: the job, its file, and the most its token may do.

    `permissions` are those of the job, else of its workflow, else of the job that called it in
    turn; None leaves the repository's `policy` (`Write` or `LimitedRead`).
    """

    file: str
    job: CallJob
    permissions: Permissions | None = None
    policy: str = "Write"
    scopes: tuple[str, ...] = ORDER


def call_trigger(callee: Workflow) -> Trigger | None:
    """Return the callee's `workflow_call`, or None when it may not be called."""
    return next((t for t in callee.triggers if t.event == "workflow_call"), None)


def unusable(file: str, uses: Text, reason: str) -> str:
    """Return the message of GitHub's service for a workflow that can't be called."""
    return f'error parsing called workflow "{file}" -> "{uses.value}" : {reason}'


def check_call(caller: Caller, callee: Workflow, limits: Limits) -> tuple[Diagnostic, ...]:
    """Return what is wrong with one call, in GitHub's words, at its place in the caller's file."""
    problems = Problems(caller.file, limits)
    trigger = call_trigger(callee)
    if trigger is None:
        reason = "workflow is not reusable as it is missing a `on.workflow_call` trigger"
        hint = f"Add 'workflow_call:' under 'on' in {callee.file}."
        message = unusable(caller.file, caller.job.uses, reason)
        problems.error(caller.job.uses.span, message, "call", hint)
    else:
        _check_inputs(caller.job, trigger, problems)
        _check_secrets(caller.job, trigger, problems)
    _check_permissions(caller, callee, problems)
    return problems.found()


def effective_permissions(
    job: Job | CallJob, workflow: Workflow, granted: Permissions | None
) -> Permissions | None:
    """Return what a job's token may do: its own permissions, its workflow's, or its caller's."""
    return job.permissions or workflow.permissions or granted


def check_depth(depth: int, limits: Limits) -> str:
    """Return GitHub's message when a call at `depth` (1 for the first) is too deep, or ''."""
    if depth <= limits.max_call_depth:
        return ""
    return f"Nested reusable workflow depth exceeded {limits.max_call_depth}."


def check_job_count(count: int, limits: Limits) -> str:
    """Return GitHub's message when there are more jobs in all files than allowed, or ''."""
    if not limits.max_jobs or count <= limits.max_jobs:
        return ""
    return f"The workflow may not contain more than {limits.max_jobs} jobs"


def check_file_count(count: int, limits: Limits) -> str:
    """Return GitHub's message when more files than allowed are read, or ''."""
    if not limits.max_files or count <= limits.max_files:
        return ""
    return f"The maximum file count of {limits.max_files} has been exceeded"


def limits_left(limits: Limits, read: Iterable[Workflow]) -> Limits:
    """Return the limits for the next file after the files in `read` (one that is called twice, twice).

    GitHub counts the size of all files together, but the name of each file once.
    """
    used = 0
    names: set[str] = set()
    for workflow in read:
        used += workflow.size
        if workflow.file in names:
            used -= text_size(workflow.file)
        names.add(workflow.file)
    return msgspec.structs.replace(limits, max_size=limits.max_size - used)


def in_called_workflow(found: Diagnostic, caller_file: str, uses: Text) -> Diagnostic:
    """Return a mistake of a called file with the place of the call added to its hint."""
    place = f"Called from {caller_file}, line {uses.span.line}."
    hint = f"{found.hint} {place}" if found.hint else place
    return msgspec.structs.replace(found, hint=hint)


def _check_inputs(job: CallJob, trigger: Trigger, problems: Problems) -> None:
    given = {fold(name): value for name, _, value in entries(job.with_)}
    for declared in trigger.inputs:
        value = given.get(fold(declared.id))
        if value is None:
            if declared.required:
                message = f"Input {declared.id} is required, but not provided while calling."
                problems.error(job.uses.span, message, "call")
        elif isinstance(value, Literal) and not fits(value, declared.type):
            hint = f"The input '{declared.id}' is a {declared.type}."
            problems.error(value.span, f"Unexpected value '{shown(value)}'", "call", hint)
    _check_known(job.with_, {fold(i.id) for i in trigger.inputs}, "input", problems)


def _check_secrets(job: CallJob, trigger: Trigger, problems: Problems) -> None:
    if job.inherit_secrets:
        return
    given = {fold(name) for name, _, _ in entries(job.secrets)}
    for declared in trigger.secrets:
        if declared.required and fold(declared.id) not in given:
            message = f"Secret {declared.id} is required, but not provided while calling."
            hint = "Pass it under 'secrets', or all of them with 'secrets: inherit'."
            problems.error(job.uses.span, message, "call", hint)
    _check_known(job.secrets, {fold(s.id) for s in trigger.secrets}, "secret", problems)


def _check_known(values: Token | None, known: set[str], what: str, problems: Problems) -> None:
    for name, _, value in entries(values):
        if fold(name) not in known:
            message = f"Invalid {what}, {name} is not defined in the referenced workflow."
            problems.error(value.span, message, "call")


def _check_permissions(caller: Caller, callee: Workflow, problems: Problems) -> None:
    allowed = _allowed(caller)
    uses = caller.job.uses.value
    who = [(f"The workflow '{uses}'", callee.permissions)]
    who += [
        (f"The nested job '{string(job.name) or job.id}'", job.permissions) for job in callee.jobs
    ]
    for name, requested in who:
        over = excess(levels(requested, caller.scopes), allowed) if requested else ()
        if over:
            asked = ", ".join(f"{scope}: {level}" for scope, level, _ in over)
            granted = ", ".join(f"{scope}: {level}" for scope, _, level in over)
            message = (
                f"Error calling workflow '{uses}'. {name} is requesting '{asked}', "
                f"but is only allowed '{granted}'."
            )
            problems.error(caller.job.span, message, "permissions")


def _allowed(caller: Caller) -> dict[str, str]:
    """Return the most a called workflow may ask for; the policy `Write` lets it ask for a token."""
    if caller.permissions is not None:
        return levels(caller.permissions, caller.scopes)
    allowed = default_levels(caller.policy, caller.scopes)
    return {**allowed, "id-token": "write"} if caller.policy == "Write" else allowed
