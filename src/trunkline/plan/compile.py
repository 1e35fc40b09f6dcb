"""A workflow and all it calls to a plan: frozen data, with what is known only late left as written.

A called workflow is loaded once for each place that calls it, so that every job knows its own
file, permissions and layers of `env` (a caller's `env` is not visible in what it calls).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from trunkline.base.diagnostics import Diagnostic, Severity
from trunkline.document.limits import GITHUB, Limits
from trunkline.plan.model import FileRef, NeedFiles, Plan, PlannedCall, PlannedJob, Source
from trunkline.plan.permissions import effective
from trunkline.workflow.cache_modes import narrowed
from trunkline.workflow.model import CallJob, Job, Permissions, Workflow
from trunkline.workflow.reading import ReadWorkflow
from trunkline.workflow.reusable import (
    Caller,
    call_trigger,
    check_call,
    check_depth,
    check_file_count,
    effective_permissions,
    in_called_workflow,
    limits_left,
)

_LOCAL = ("./", "$/")


class Files(msgspec.Struct, frozen=True):
    """The texts that were fetched so far, and why others can't be had (a sentence each)."""

    texts: Mapping[FileRef, str] = {}
    unavailable: Mapping[FileRef, str] = {}


NO_FILES = Files()


def compile_workflow(
    workflow: Workflow,
    *,
    event: str,
    source: Source,
    read: ReadWorkflow,
    files: Files = NO_FILES,
) -> Plan | NeedFiles | tuple[Diagnostic, ...]:
    """Return the plan of a run of `workflow`, started by `event`.

    `source` says where the workflow lies; `read` reads those it calls. Returns `NeedFiles` while
    called workflows are missing from `files`: fetch them all and call again. Returns diagnostics
    when a call is wrong (a workflow that can't be had, loops, too deep, inputs, secrets,
    permissions).
    """
    compiler = _Compiler(files, read)
    place = _Place(workflow, FileRef("", source.path, ""), source)
    compiler.left = limits_left(compiler.left, (workflow,))
    jobs = compiler.jobs(place)
    if compiler.problems:
        return tuple(compiler.problems)
    if compiler.missing:
        return NeedFiles(tuple(compiler.missing))
    return Plan(
        source=source,
        name=workflow.name or workflow.file,
        event=event,
        run_name=workflow.run_name,
        concurrency=workflow.concurrency,
        jobs=jobs,
        fail_fast=workflow.fail_fast,
        notes=tuple(compiler.notes),
    )


def called_file(uses: str, caller: FileRef) -> FileRef | None:
    """Return the file that a call's `uses` names, None when it names none.

    `./.github/workflows/x.yml` lies beside its caller: same repository, same commit.
    """
    if uses.startswith(_LOCAL):
        return FileRef(caller.repository, uses[2:], caller.ref)
    path, at, ref = uses.rpartition("@")
    parts = path.split("/", 2)
    if not at or not ref or len(parts) != 3:
        return None
    return FileRef("/".join(parts[:2]), parts[2], ref)


def file_name(ref: FileRef) -> str:
    """Return a file's name as people see it: its path, or `owner/name/path@ref`."""
    return f"{ref.repository}/{ref.path}@{ref.ref}" if ref.repository else ref.path


class _Place(msgspec.Struct, frozen=True):
    """A workflow where it is compiled: its file, and what its caller hands down."""

    workflow: Workflow
    file: FileRef
    source: Source
    granted: Permissions | None = None
    cache_mode: str = ""
    callers: tuple[FileRef, ...] = ()


class _Compiler:
    """One compilation: what it has read, misses and refuses."""

    def __init__(self, files: Files, read: ReadWorkflow, limits: Limits = GITHUB) -> None:
        self.files = files
        self.reader = read
        self.limits = limits
        self.left = limits
        self.read: dict[FileRef, Workflow | None] = {}
        self.missing: dict[FileRef, None] = {}
        self.problems: list[Diagnostic] = []
        self.notes: list[str] = []

    def jobs(self, place: _Place) -> tuple[PlannedJob | PlannedCall, ...]:
        """Return the jobs of a workflow; those whose file is missing or wrong are left out."""
        ids = {job.id.lower(): job.id for job in place.workflow.jobs}
        planned: list[PlannedJob | PlannedCall] = []
        for job in place.workflow.jobs:
            needs = tuple(ids.get(need.value.lower(), need.value) for need in job.needs)
            if isinstance(job, Job):
                planned.append(self._job(job, needs, place))
            elif (call := self._call(job, needs, place)) is not None:
                planned.append(call)
        return tuple(planned)

    def _job(self, job: Job, needs: tuple[str, ...], place: _Place) -> PlannedJob:
        workflow = place.workflow
        if job.snapshot is not None:
            self.notes.append(
                f"job '{job.id}': snapshot has no effect here, it makes images at GitHub"
            )
        return PlannedJob(
            id=job.id,
            condition=job.condition,
            source=place.source,
            permissions=effective(effective_permissions(job, workflow, place.granted)),
            cache_mode=_cache_mode(job, place),
            name=job.name,
            needs=needs,
            strategy=job.strategy,
            concurrency=job.concurrency,
            runs_on=job.runs_on,
            environment=job.environment,
            env=tuple(layer for layer in (workflow.env, job.env) if layer is not None),
            workflow_defaults=workflow.defaults,
            defaults=job.defaults,
            container=job.container,
            services=job.services,
            outputs=job.outputs,
            timeout_minutes=job.timeout_minutes,
            cancel_timeout_minutes=job.cancel_timeout_minutes,
            continue_on_error=job.continue_on_error,
            snapshot=job.snapshot,
            steps=job.steps,
            span=job.span,
        )

    def _call(self, job: CallJob, needs: tuple[str, ...], place: _Place) -> PlannedCall | None:
        below = self._called(job, place)
        trigger = call_trigger(below.workflow) if below else None
        if below is None or trigger is None:
            return None
        return PlannedCall(
            id=job.id,
            condition=job.condition,
            source=place.source,
            called=below.source,
            uses=job.uses.value,
            name=job.name,
            needs=needs,
            strategy=job.strategy,
            concurrency=job.concurrency,
            with_=job.with_,
            secrets=job.secrets,
            inherit_secrets=job.inherit_secrets,
            inputs=trigger.inputs,
            declared_secrets=trigger.secrets,
            outputs=trigger.outputs,
            called_concurrency=below.workflow.concurrency,
            jobs=self.jobs(below),
            span=job.span,
        )

    def _called(self, job: CallJob, place: _Place) -> _Place | None:
        """Return the called workflow in its place, None when it is missing or wrong."""
        file = called_file(job.uses.value, place.file)
        chain = (*place.callers, place.file)
        if file is None:
            self._refuse(job, place, f"Invalid workflow reference '{job.uses.value}'")
            return None
        if file in chain:
            path = " -> ".join(file_name(step) for step in (*chain, file))
            self._refuse(job, place, f"Workflows may not call each other in a loop: {path}")
            return None
        too_deep = check_depth(len(chain), self.limits)
        if too_deep:
            self._refuse(job, place, too_deep)
            return None
        workflow = self._read(file, job, place)
        if workflow is None:
            return None
        granted = effective_permissions(job, place.workflow, place.granted)
        caller = Caller(file=place.workflow.file, job=job, permissions=granted)
        self.problems += check_call(caller, workflow, self.limits)
        mode = _cache_mode(job, place)
        return _Place(workflow, file, _source(file, place.source), granted, mode, chain)

    def _read(self, file: FileRef, job: CallJob, place: _Place) -> Workflow | None:
        """Return a called workflow, parsed once; None when it is missing or wrong."""
        if file in self.files.unavailable:
            why = self.files.unavailable[file]
            self._refuse(job, place, f'error parsing called workflow "{job.uses.value}": {why}')
            return None
        if file in self.read:
            return self._again(self.read[file], job, place)
        text = self.files.texts.get(file)
        if text is None:
            self.missing[file] = None
            return None
        too_many = check_file_count(len(self.read) + 2, self.limits)
        if too_many:
            self._refuse(job, place, too_many)
            return None
        workflow, found = self.reader(text, file_name(file), limits=self.left)
        self.problems += [
            in_called_workflow(each, place.workflow.file, job.uses)
            for each in found
            if each.severity is Severity.ERROR
        ]
        self.left = limits_left(self.left, (workflow,) if workflow else ())
        self.read[file] = workflow
        return workflow

    def _again(self, workflow: Workflow | None, job: CallJob, place: _Place) -> Workflow | None:
        """Count a file that is called once more; every call takes its size, without its name."""
        if workflow is None:
            return None
        both = limits_left(self.left, (workflow, workflow))
        self.left = msgspec.structs.replace(both, max_size=both.max_size + workflow.size)
        if self.left.max_size >= 0:
            return workflow
        message = f"Error from called workflow {job.uses.value}: Maximum object size exceeded"
        self._refuse(job, place, message)
        return None

    def _refuse(self, job: CallJob, place: _Place, message: str) -> None:
        self.problems.append(
            Diagnostic(rule="call", message=message, file=place.workflow.file, span=job.uses.span)
        )


def _source(file: FileRef, caller: Source) -> Source:
    """Return where a called file lies: beside its caller, or at the ref that was named."""
    beside = FileRef(caller.repository, file.path, caller.ref)
    if not file.repository or file == beside:
        return msgspec.structs.replace(caller, path=file.path)
    return Source(path=file.path, repository=file.repository, ref=file.ref)


def _cache_mode(job: Job | CallJob, place: _Place) -> str:
    """Return what a job may do with caches: its own word, its workflow's, within its caller's."""
    return narrowed(job.cache_mode or place.workflow.cache_mode, place.cache_mode)
