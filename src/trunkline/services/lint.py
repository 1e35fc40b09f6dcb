"""Every mistake of pipeline files at once: what `trunkline lint` does, without a disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from posixpath import basename, normpath

from trunkline.base.diagnostics import Diagnostic, Severity
from trunkline.document.kinds import is_buildspec
from trunkline.document.limits import ALL_ERRORS
from trunkline.plan.buildspec_file import read_buildspec
from trunkline.workflow.action import parse_action
from trunkline.workflow.encoding import decode
from trunkline.workflow.model import CallJob, Workflow
from trunkline.workflow.names import unknown_names, unknown_names_of_action
from trunkline.workflow.parse import parse
from trunkline.workflow.reusable import Caller, check_call, unusable

ACTION_FILES = frozenset({"action.yml", "action.yaml"})
_WORKFLOWS = ".github/workflows/"
_ORDER = (Severity.ERROR, Severity.WARNING, Severity.NOTICE)

Load = Callable[[str], bytes | None]


def check(files: Mapping[str, bytes], load: Load) -> tuple[Diagnostic, ...]:
    """Return what is wrong with `files` (path -> content), file by file, by line and column.

    A file named action.yml is read as an action, a buildspec as one, every other as a workflow.
    `load` gives the content of a file that one of them names, or None when it is not there.
    """
    found: list[Diagnostic] = []
    for path, data in files.items():
        found += _sorted(_check(path, data, load))
    return tuple(found)


def exit_code(found: Iterable[Diagnostic]) -> int:
    """Return 2 when there is an error, else 0."""
    return 2 if any(one.severity is Severity.ERROR for one in found) else 0


def _sorted(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Order by place; a mistake that an alias repeats is told once."""
    return sorted(dict.fromkeys(found), key=lambda one: (one.span, _ORDER.index(one.severity)))


def _check(path: str, data: bytes, load: Load) -> list[Diagnostic]:
    text, undecodable = decode(data, path)
    if undecodable is not None:
        return [undecodable]
    if basename(path) in ACTION_FILES:
        action, found = parse_action(text, path, limits=ALL_ERRORS)
        return [*found, *(unknown_names_of_action(action) if action is not None else ())]
    if is_buildspec(path, text):
        return list(read_buildspec(text, path, load)[1])
    workflow, found = parse(text, path, limits=ALL_ERRORS)
    if workflow is None:
        return list(found)
    return [*found, *unknown_names(workflow), *_check_calls(workflow, load)]


def _check_calls(workflow: Workflow, load: Load) -> list[Diagnostic]:
    """Check the calls of workflows in the same repository."""
    found: list[Diagnostic] = []
    for job in workflow.jobs:
        if isinstance(job, CallJob) and job.uses.value.startswith("./"):
            found += _check_call(workflow, job, load)
    return found


def _check_call(workflow: Workflow, job: CallJob, load: Load) -> tuple[Diagnostic, ...]:
    path = _beside(workflow.file, job.uses.value)
    data = load(path)
    if data is None:
        reason = "failed to fetch workflow: workflow was not found."
        return (_unusable(workflow, job, reason, f"There is no file {path}."),)
    callee, _ = parse(decode(data, path)[0], path)
    if callee is None:
        reason = "the workflow is not valid."
        return (_unusable(workflow, job, reason, f"Its mistakes: trunkline lint {path}"),)
    allowed = job.permissions or workflow.permissions
    caller = Caller(file=workflow.file, job=job, permissions=allowed)
    return check_call(caller, callee, ALL_ERRORS)


def _unusable(workflow: Workflow, job: CallJob, reason: str, hint: str) -> Diagnostic:
    return Diagnostic(
        rule="call",
        message=unusable(workflow.file, job.uses, reason),
        file=workflow.file,
        span=job.uses.span,
        hint=hint,
    )


def _beside(file: str, uses: str) -> str:
    """Return the path of a called workflow: `./` is the root of the calling file's repository."""
    at = file.rfind(_WORKFLOWS)
    return file[:at] + normpath(uses) if at > 0 else normpath(uses)
