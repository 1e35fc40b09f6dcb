"""Our model written as the template JSON of GitHub's own fixtures, calls expanded (tests only)."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from trunkline.base.diagnostics import Diagnostic, Severity
from trunkline.base.spans import NOWHERE, Span
from trunkline.document.limits import Limits
from trunkline.document.problems import Problems
from trunkline.document.scalars import Value
from trunkline.expr.template import Expression, Insert, Literal, Mapping, Token
from trunkline.workflow import reusable
from trunkline.workflow.model import (
    CallJob,
    CancelStep,
    Input,
    Job,
    ParallelStep,
    Permissions,
    RunStep,
    SessionStep,
    Step,
    Text,
    Trigger,
    UsesStep,
    WaitStep,
    Workflow,
)
from trunkline.workflow.parse import parse, read
from trunkline.workflow.permissions import levels
from trunkline.workflow.schema import WORKFLOW
from trunkline.workflow.tokens import fields

# The scopes that GitHub's `read-all` and `write-all` held when the fixtures were written.
SCOPES = (
    *("actions", "checks", "contents", "deployments", "discussions", "issues", "packages"),
    *("pages", "pull-requests", "repository-projects", "statuses", "security-events", "id-token"),
)
# These carry their place in the message, so GitHub does not put it in front.
_WHOLE_FILE = {"syntax", "limit"}


class Options(NamedTuple):
    """The options of a fixture that change what is written."""

    source: bool
    events: bool
    policy: str
    call: bool
    limits: Limits


class Failed(Exception):
    """The workflow, or one it calls, has errors; they are in GitHub's form."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__(messages)
        self.messages = messages


class _Scope(NamedTuple):
    """A file that is being written: its model, its tokens and its number."""

    workflow: Workflow
    tokens: dict[str, Token]
    number: int


class Template:
    """Writes one workflow and what it calls."""

    def __init__(self, files: dict[str, str], options: Options) -> None:
        self._files = files
        self._options = options
        self._table: list[str] = []
        self._read: list[Workflow] = []
        self._jobs = 0

    def write(self, text: str, file: str) -> dict[str, Any]:
        """Return the template, or `{"errors": [...]}`."""
        try:
            return self._template(text, file)
        except Failed as failed:
            return {"errors": [{"Message": message} for message in failed.messages]}

    def _template(self, text: str, file: str) -> dict[str, Any]:
        scope = self._parse(text, file)
        workflow = scope.workflow
        result: dict[str, Any] = {}
        if self._options.events:
            result["events"] = {t.event: _event(t) for t in workflow.triggers}
        kinds = _input_types(workflow)
        if kinds and not self._options.events:
            result["input-types"] = kinds
        for key in ("env", "defaults", "concurrency"):
            if key in scope.tokens:
                result[key] = self._token(scope.tokens[key], scope)
        if workflow.permissions is not None:
            result["permissions"] = _permissions(workflow.permissions)
        jobs = [self._job(job, scope, None, 1) for job in workflow.jobs]
        too_many = reusable.check_job_count(self._jobs, self._options.limits)
        if too_many:
            raise Failed([too_many])
        result["jobs"] = jobs
        if self._options.source:
            result["file-table"] = list(self._table)
        return result

    def _parse(self, text: str, file: str) -> _Scope:
        limits = reusable.limits_left(self._options.limits, self._read)
        workflow, found = parse(text, file, limits=limits)
        errors = [d for d in found if d.severity is Severity.ERROR]
        if workflow is None:
            raise Failed([_message(error) for error in errors])
        assert not errors
        self._read.append(workflow)
        if file not in self._table:
            self._table.append(file)
        root, _ = read(text, WORKFLOW, Problems(file, limits))
        return _Scope(workflow, fields(root), self._table.index(file) + 1)

    # --- jobs -----------------------------------------------------------------------------

    def _job(
        self, job: Job | CallJob, scope: _Scope, granted: Permissions | None, depth: int
    ) -> dict[str, Any]:
        self._jobs += 1
        permissions = reusable.effective_permissions(job, scope.workflow, granted)
        written = fields(fields(scope.tokens["jobs"])[job.id])
        name = written.get("name")
        id_ = self._text(Text(job.id, job.span), scope)
        result: dict[str, Any] = {
            "id": id_,
            "name": id_ if job.name is None or name is None else self._token(name, scope),
            "if": self._token(job.condition, scope),
        }
        if permissions is not None:
            result["permissions"] = _permissions(permissions)
        for key in ("strategy", "concurrency"):
            if key in written:
                result[key] = self._token(written[key], scope)
        needs = [self._text(need, scope) for need in job.needs]
        if isinstance(job, Job):
            result |= self._steps_job(job, written, scope)
            if needs:
                result["needs"] = needs
        else:
            result["needs"] = needs
            result |= self._call(job, permissions, scope, depth)
        return result

    def _steps_job(self, job: Job, written: dict[str, Token], scope: _Scope) -> dict[str, Any]:
        tokens = {
            "runs-on": job.runs_on,
            "env": job.env,
            "container": job.container,
            "services": job.services,
            "outputs": job.outputs,
            "timeout-minutes": job.timeout_minutes,
            "cancel-timeout-minutes": job.cancel_timeout_minutes,
            "continue-on-error": job.continue_on_error,
            "snapshot": job.snapshot,
            "environment": written.get("environment"),
            "defaults": written.get("defaults"),
        }
        result = {"type": "job", **self._given(tokens, scope)}
        if job.steps:
            result["steps"] = [self._step(step, scope) for step in job.steps]
        return result

    def _step(self, step: Step, scope: _Scope) -> dict[str, Any]:
        result: dict[str, Any] = {"id": step.id}
        match step:
            case RunStep() | UsesStep():
                result["if"] = self._token(step.condition, scope)
                result |= self._given(
                    {
                        "name": step.name,
                        "env": step.env,
                        "continue-on-error": step.continue_on_error,
                        "timeout-minutes": step.timeout_minutes,
                    },
                    scope,
                )
                if step.background:
                    result["background"] = True
                result |= self._work(step, scope)
            case WaitStep(targets=None):
                result |= {"name": "Wait for all", "wait-all": True}
            case WaitStep():
                targets = step.targets or ()
                result |= {"name": "Wait", "wait": [self._text(t, scope) for t in targets]}
            case CancelStep():
                result |= {"name": "Cancel", "cancel": self._text(step.target, scope)}
            case ParallelStep():
                steps = [self._step(one, scope) for one in step.steps]
                result |= {"name": "Parallel group", "parallel": steps}
            case SessionStep():
                raise TypeError(step)  # no workflow file can write one
        return result

    def _work(self, step: RunStep | UsesStep, scope: _Scope) -> dict[str, Any]:
        if isinstance(step, UsesStep):
            uses = {"uses": self._text(step.uses, scope)}
            return uses | self._given({"with": step.with_}, scope)
        return self._given(
            {"run": step.run, "shell": step.shell, "working-directory": step.working_directory},
            scope,
        )

    # --- calls ----------------------------------------------------------------------------

    def _call(
        self, job: CallJob, permissions: Permissions | None, scope: _Scope, depth: int
    ) -> dict[str, Any]:
        result: dict[str, Any] = {
            "type": "reusableWorkflowJob",
            "ref": self._text(job.uses, scope),
            "jobs": [],
            **self._given({"input-values": job.with_, "secret-values": job.secrets}, scope),
        }
        if job.inherit_secrets:
            result["inherit-secrets"] = True
        if not self._options.call:
            return result
        too_deep = reusable.check_depth(depth, self._options.limits)
        if too_deep:
            raise Failed([too_deep])
        callee = self._callee(job, permissions, scope)
        call = fields(fields(callee.tokens["on"]).get("workflow_call"))
        result |= self._given(
            {
                "input-definitions": call.get("inputs"),
                "secret-definitions": call.get("secrets"),
                "outputs": call.get("outputs"),
            },
            callee,
        )
        asked = callee.workflow.permissions
        if asked is not None:
            result["permissions"] = _permissions(asked)
        result["jobs"] = [
            self._job(inner, callee, asked or permissions, depth + 1)
            for inner in callee.workflow.jobs
        ]
        return result

    def _callee(self, job: CallJob, permissions: Permissions | None, scope: _Scope) -> _Scope:
        file = job.uses.value
        try:
            callee = self._parse(self._files[file], file)
        except Failed as failed:
            place = f"(Line: {job.uses.span.line}, Col: {job.uses.span.column})"
            start = f"In {scope.workflow.file} {place}: Error from called workflow"
            raise Failed([f"{start} {message}" for message in failed.messages]) from None
        caller = reusable.Caller(
            file=scope.workflow.file,
            job=job,
            permissions=permissions,
            policy=self._options.policy,
            scopes=SCOPES,
        )
        wrong = reusable.check_call(caller, callee.workflow, self._options.limits)
        if wrong:
            raise Failed([_message(one) for one in wrong])
        return callee

    # --- tokens ---------------------------------------------------------------------------

    def _given(self, tokens: dict[str, Token | None], scope: _Scope) -> dict[str, Any]:
        return {
            name: self._token(token, scope) for name, token in tokens.items() if token is not None
        }

    def _place(self, span: Span, scope: _Scope) -> dict[str, Any]:
        if not self._options.source or span == NOWHERE:
            return {}
        return {"file": scope.number, "line": span.line, "col": span.column}

    def _text(self, text: Text, scope: _Scope) -> Any:
        return self._token(Literal(text.value, text.span), scope)

    def _token(self, token: Token, scope: _Scope) -> Any:
        place = self._place(token.span, scope)
        match token:
            case Literal(value):
                return _literal(value, place, source=self._options.source)
            case Expression(source):
                return {"type": 3, **place, "expr": source}
            case Insert():
                return {"type": 4, **place, "directive": "insert"}
            case Mapping(entries):
                pairs = [
                    {"Key": self._token(key, scope), "Value": self._token(value, scope)}
                    for key, value in entries
                ]
                return {"type": 2, **place, "map": pairs}
            case _:
                items = [self._token(item, scope) for item in token.items]
                return {"type": 1, **place, "seq": items}


def _literal(value: Value, place: dict[str, Any], *, source: bool) -> Any:
    if isinstance(value, float) and not isinstance(value, bool):
        value = _number(value)
    if not source:
        return value
    if value is None:
        return {"type": 7, **place}
    if isinstance(value, bool):
        return {"type": 5, **place, "bool": value}
    if isinstance(value, str):
        return {"type": 0, **place, "lit": value}
    return {"type": 6, **place, "num": value}


def _number(value: float) -> float | str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return int(value) if value.is_integer() else value


def _permissions(permissions: Permissions) -> dict[str, str]:
    return {s: level for s, level in levels(permissions, SCOPES).items() if level != "none"}


def _message(error: Diagnostic) -> str:
    if error.rule in _WHOLE_FILE:
        return f"{error.file}: {error.message}"
    return error.text()


def _input_types(workflow: Workflow) -> dict[str, str]:
    return {
        i.id: i.type for t in workflow.triggers if t.event == "workflow_dispatch" for i in t.inputs
    }


def _event(trigger: Trigger) -> dict[str, Any]:
    filters = {
        "types": trigger.types,
        "branches": trigger.branches,
        "branches-ignore": trigger.branches_ignore,
        "tags": trigger.tags,
        "tags-ignore": trigger.tags_ignore,
        "paths": trigger.paths,
        "paths-ignore": trigger.paths_ignore,
        "workflows": trigger.workflows,
        "names": trigger.names,
        "versions": trigger.versions,
    }
    if trigger.schedules:
        return [{"cron": one.cron} for one in trigger.schedules]  # type: ignore[return-value]
    result: dict[str, Any] = {k: list(v) for k, v in filters.items() if v is not None}
    if trigger.inputs:
        result["inputs"] = {one.id: _input(one) for one in trigger.inputs}
    return result


def _input(declared: Input) -> dict[str, Any]:
    result: dict[str, Any] = {"type": declared.type}
    if declared.description:
        result["description"] = declared.description
    if declared.required:
        result["required"] = True
    if isinstance(declared.default, Literal):
        result["default"] = declared.default.value
    if declared.options:
        result["options"] = list(declared.options)
    return result
