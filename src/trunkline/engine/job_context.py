"""Everything that the steps of one job share, and the contexts their expressions see."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from trunkline.engine.git_lead import GitLead
from trunkline.engine.scopes import Scope, SharedEnvironment
from trunkline.engine.services_access import JobAccess
from trunkline.expr.errors import ExpressionError
from trunkline.expr.evaluate import evaluate, evaluate_token
from trunkline.expr.template import Expression, Token
from trunkline.expr.values import CaseSensitive, Value, is_truthy, to_text
from trunkline.plan.model import PlannedJob
from trunkline.ports.containers import Begun, Running
from trunkline.ports.sandbox import Layout, Sandbox
from trunkline.run.events import Conclusion
from trunkline.run.job_request import JobRequest

# Workflows ask `env.ACT` whether they run locally.
LOCAL = {"ACT": "true"}


# Makes one digest, in hexadecimal, of those of several files.
Digest = Callable[[Iterable[bytes]], str]


class StepPlace(msgspec.Struct, frozen=True):
    """Where an expression stands: its scope, its step's environment, and what `github` adds."""

    scope: Scope
    env: Mapping[str, str]
    github: Mapping[str, Value]


class TemplateError(Exception):
    """An expression failed while the job ran; the message names its place, as GitHub's does."""


def placed(job: PlannedJob, token: Token, message: str) -> str:
    """Return the message of a TemplateError about a token of the job's file."""
    file, span = job.source.path, token.span
    return f"The template is not valid. {file} (Line: {span.line}, Col: {span.column}): {message}"


class JobContext:
    """One job's sandbox, secrets, environment and status. Shared by its background steps."""

    def __init__(
        self,
        request: JobRequest,
        sandbox: Sandbox,
        layout: Layout,
        digest: Digest,
        access: JobAccess,
    ) -> None:
        self.request = request
        self.sandbox = sandbox
        self.spent: deque[str] = deque()
        # Their kind of step loads them (engine/sessions.py).
        self.sessions: dict[tuple[str, str, int], Any] = {}
        self.layout = layout
        self._digest = digest
        self.secrets: dict[str, Value] = {}
        self.variables: dict[str, str] = {}
        self.token = ""
        self.status = Conclusion.SUCCESS
        self.shared = SharedEnvironment({})
        self.scope = Scope(self.shared)
        self.runner: dict[str, Value] = {
            "name": layout.name,
            "os": layout.os,
            "arch": layout.arch,
            "temp": layout.temp,
            "tool_cache": layout.tool_cache,
            "workspace": layout.runner_workspace,
            "environment": "self-hosted",
        }
        self.begun: Begun | None = None
        self.image = ""
        self.nodes: dict[int, str] = {}
        self.lent: dict[str, None] = {}
        self._github: dict[str, Value] = {}
        self.access = access
        self.git = GitLead(sandbox, layout)

    def open(self, secrets: Mapping[str, str], variables: Mapping[str, str]) -> None:
        """Take secrets and the environment's variables in; `GITHUB_TOKEN` becomes `github.token`."""
        self.secrets = dict(secrets)
        self.variables = {**self.request.variables, **variables}
        self.token = secrets.get("GITHUB_TOKEN", "")
        self._github = {
            **self.request.github,
            "job": self.request.job.id,
            "workspace": self.layout.workspace,
            "event_path": self.layout.event_path,
            "token": self.token,
        }
        if self.is_debug():
            self.runner["debug"] = "1"

    def export(self, variables: Mapping[str, str]) -> None:
        """Join variables to the base environment of every process from now on."""
        self.layout = replace(self.layout, env={**self.layout.env, **variables})

    def begin(self, begun: Begun) -> None:
        """Take in that the job's containers are up: `job`, and the environment of its container."""
        self.begun = begun
        if self.layout.in_container:
            self.export({**begun.env, "HOME": self.layout.home})

    def not_found(self, program: str) -> str:
        """Return how to say that a program is not where the steps run."""
        where = f" in the image '{self.image}'" if self.image else ""
        return f"{program}: command not found{where}"

    def is_debug(self) -> bool:
        """Tell whether ACTIONS_STEP_DEBUG asks for debug lines (a secret or a variable)."""
        wanted = self.secrets.get("ACTIONS_STEP_DEBUG") or self.variables.get("ACTIONS_STEP_DEBUG")
        return wanted == "true"

    def job_place(self) -> StepPlace:
        """Return the place of expressions of the job itself (env, outputs)."""
        return StepPlace(self.scope, self.shared.variables, {})

    def github(self, place: StepPlace) -> dict[str, Value]:
        """Return the `github` context as a step sees it."""
        found = {**self._github, **self.access.github, **place.github}
        action = place.scope.action
        if action is not None:
            found["action_path"] = action.path
            found["action_status"] = (place.scope.status or Conclusion.SUCCESS).value
        return found

    def contexts(self, place: StepPlace) -> dict[str, Value]:
        """Return all contexts at a place; inside a composite action some are missing."""
        request = self.request
        found: dict[str, Value] = {
            "github": self.github(place),
            "env": CaseSensitive({**LOCAL, **place.env}),
            **request.leg.contexts(),
            "job": self.job(),
            "runner": dict(self.runner),
            "steps": place.scope.steps,
        }
        if place.scope.inputs is not None:
            found["inputs"] = place.scope.inputs
            return found
        found["inputs"] = dict(request.inputs)
        found["vars"] = dict(self.variables)
        found["needs"] = dict(request.needs)
        found["secrets"] = self.secrets
        return found

    def job(self) -> dict[str, Value]:
        """Return the `job` context."""
        source = self.request.job.source
        path = source.path
        return {
            "status": self.status.value,
            **_containers(self.begun),
            "workflow_ref": f"{source.repository}/{path}@{source.ref}",
            "workflow_sha": source.sha,
            "workflow_repository": source.repository,
            "workflow_file_path": path,
        }

    def functions(self, place: StepPlace) -> dict[str, Callable[[list[Value]], Value]]:
        """Return the functions that ask about this job, and `hashFiles`."""
        status = place.scope.status or self.status
        return {
            "always": lambda _: True,
            "cancelled": lambda _: self.status is Conclusion.CANCELLED,
            "success": lambda _: status is Conclusion.SUCCESS,
            "failure": lambda _: status is Conclusion.FAILURE,
            "hashfiles": self._hash_files,
        }

    def holds(self, condition: Expression, place: StepPlace) -> bool:
        """Tell whether an `if` holds. Raises TemplateError."""
        return is_truthy(self.value(condition, place))

    def value(self, token: Token, place: StepPlace) -> Value:
        """Return a token's value. Raises TemplateError."""
        try:
            if isinstance(token, Expression):
                return evaluate(token.source, self.contexts(place), self.functions(place))
            return evaluate_token(token, self.contexts(place), self.functions(place))
        except ExpressionError as error:
            raise TemplateError(self._placed(token, error.message)) from error

    def text(self, token: Token | None, place: StepPlace) -> str:
        """Return a token's value as text, '' for none. Raises TemplateError."""
        return "" if token is None else to_text(self.value(token, place))

    def number(self, token: Token, place: StepPlace, what: str) -> float:
        """Return a token's value as a number. Raises TemplateError for anything else."""
        found = self.value(token, place)
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise TemplateError(
                self._placed(
                    token, f"Unexpected value '{to_text(found)}' for {what}: a number is needed"
                )
            )
        return float(found)

    def boolean(self, token: Token, place: StepPlace, what: str) -> bool:
        """Return a token's value as a boolean. Raises TemplateError for anything else."""
        found = self.value(token, place)
        if not isinstance(found, bool):
            raise TemplateError(
                self._placed(
                    token,
                    f"Unexpected value '{to_text(found)}' for {what}: true or false is needed",
                )
            )
        return found

    def texts(self, token: Token | None, place: StepPlace) -> dict[str, str]:
        """Return a mapping token as name -> text. Raises TemplateError."""
        if token is None:
            return {}
        found = self.value(token, place)
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise TemplateError(self._placed(token, "A mapping was expected"))
        return {name: to_text(value) for name, value in found.items()}

    def _placed(self, token: Token, message: str) -> str:
        return placed(self.request.job, token, message)

    def _hash_files(self, arguments: list[Value]) -> Value:
        patterns = [to_text(argument) for argument in arguments]
        root = self.layout.workspace
        found = self.sandbox.search(root, patterns, digests=True)
        files = [file for file in found if not file.is_folder and file.path.startswith(root + "/")]
        if not files:
            return ""
        return self._digest(file.sha256 for file in files)


def _containers(begun: Begun | None) -> dict[str, Value]:
    """Return what the `job` context says of the job's containers (reference section 4.1)."""
    if begun is None:
        return {}
    found: dict[str, Value] = {}
    if begun.job is not None:
        found["container"] = {"id": begun.job.id, "network": begun.job.network}
    if begun.services:
        found["services"] = {name: _service(one) for name, one in begun.services.items()}
    return found


def _service(running: Running) -> dict[str, Value]:
    return {"id": running.id, "network": running.network, "ports": dict(running.ports)}
