"""What an event would start: from workflow files and a repository to plans, without running any."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from trunkline.base.diagnostics import Diagnostic, Severity
from trunkline.base.errors import NotFound, Unavailable, UsageError
from trunkline.base.words import nearest
from trunkline.document.kinds import is_buildspec
from trunkline.plan.binding import bind
from trunkline.plan.compile import Files, compile_workflow, file_name
from trunkline.plan.contexts import RunIdentity, github_context
from trunkline.plan.dispatch_inputs import HAND_STARTED, undeclared
from trunkline.plan.facts import RepositoryFacts
from trunkline.plan.model import FileRef, NeedFiles, Plan, Source
from trunkline.plan.occurrence import Occurrence
from trunkline.plan.rehearsal import occurrence_of
from trunkline.plan.selection import matrix_values, missing
from trunkline.plan.triggers import Decision, Triggered, decide_trigger
from trunkline.ports.forge import Forge
from trunkline.workflow.encoding import decode
from trunkline.workflow.model import Workflow
from trunkline.workflow.reading import Readers

NOT_FOUND = "workflow was not found."
SERVER_URL = r"(?i:https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?/?)"

Load = Callable[[str], bytes | None]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What the user asks: an event with its payload and inputs, as whom, for which jobs and legs.

    `payload` is laid over the one made from git. `repository` (`owner/name`) and `actor` replace
    what git says, when given; `server_url` is whose contexts and payloads are made, ''
    for GitHub. `committed` leaves uncommitted work out. `variables` are `vars`.
    """

    event: str = "push"
    payload: Mapping[str, Any] | None = None
    inputs: Mapping[str, str] = {}
    actor: str = ""
    repository: str = ""
    server_url: str = ""
    committed: bool = False
    jobs: tuple[str, ...] = ()
    matrix: tuple[tuple[str, str], ...] = ()
    variables: Mapping[str, str] = {}


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """One workflow file: whether the event starts it, and what that would be.

    `workflow` is None when the file is wrong. `plan` and `occurrence` (bound to the workflow: its
    inputs typed) are there when it is started and nothing is wrong; `diagnostics` tells all.
    """

    file: str
    workflow: Workflow | None = None
    decision: Decision | None = None
    occurrence: Occurrence | None = None
    plan: Plan | None = None
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """What stops this workflow."""
        return tuple(each for each in self.diagnostics if each.severity is Severity.ERROR)


class Prospect(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an event would start in a repository, and what it would not.

    `sources` holds the lines of every file that was read, by the name diagnostics give it.
    """

    facts: RepositoryFacts
    occurrence: Occurrence
    outlooks: tuple[Outlook, ...]
    sources: Mapping[str, Sequence[str]] = {}

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """What is wrong in any of the files."""
        return tuple(each for outlook in self.outlooks for each in outlook.errors)


def repository_facts(forge: Forge, directory: str, request: Request) -> RepositoryFacts:
    """Return the facts of the repository, as the request has them. Raises what the forge raises."""
    facts = forge.facts(directory, committed=request.committed, event=request.event)
    owner, slash, name = request.repository.partition("/")
    if request.repository and not (slash and owner and name and "/" not in name):
        raise UsageError(f"'{request.repository}' is not OWNER/NAME.")
    if request.server_url and not re.fullmatch(SERVER_URL, request.server_url):
        raise UsageError(
            f"'{request.server_url}' is not the address of a server.",
            hint="Give its scheme and host, as in https://git.example.com:8443.",
        )
    return msgspec.structs.replace(
        facts,
        actor=request.actor or facts.actor,
        owner=owner or facts.owner,
        name=name or facts.name,
        server_url=request.server_url.rstrip("/") or facts.server_url,
    )


def prospect(
    forge: Forge,
    facts: RepositoryFacts,
    files: Mapping[str, bytes],
    request: Request,
    load: Load,
    read: Readers,
) -> Prospect:
    """Return what `request.event` would start of the workflow `files` (path -> content).

    Paths are from the repository's root; `load` returns other files there, None when they are not;
    `read` reads workflows, and buildspecs, which every event starts.
    Raises UsageError for an unknown event, job or input. What is wrong in files is in the outlooks.
    """
    made = occurrence_of(request.event, facts, given=request.payload, inputs=request.inputs)
    if not isinstance(made, Occurrence):
        raise _usage(made)
    reader = _Reader(_Origin(forge, load, read), facts, made, request.variables)
    outlooks = tuple(reader.outlook(path, data) for path, data in files.items())
    found = Prospect(facts=facts, occurrence=made, outlooks=outlooks, sources=reader.sources)
    _check_names(found, request)
    return found


def run_contexts(
    found: Prospect, outlook: Outlook, identity: RunIdentity, variables: Mapping[str, str]
) -> dict[str, Any]:
    """Return `github`, `inputs` and `vars` of a run of a workflow that was started."""
    if outlook.workflow is None or outlook.occurrence is None:
        raise ValueError(outlook.file)
    occurrence = outlook.occurrence
    return {
        "github": github_context(occurrence, found.facts, outlook.workflow, identity),
        "inputs": dict(occurrence.inputs),
        "vars": dict(variables),
    }


class _Origin(msgspec.Struct, frozen=True):
    """Where the files of a repository come from, and what reads them."""

    forge: Forge
    load: Load
    read: Readers


class _Reader:
    """Reads workflow files of one repository for one occurrence."""

    def __init__(
        self,
        origin: _Origin,
        facts: RepositoryFacts,
        occurrence: Occurrence,
        variables: Mapping[str, str],
    ) -> None:
        self.forge, self.load, self.read = origin.forge, origin.load, origin.read
        self.facts = facts
        self.occurrence = occurrence
        self.variables = variables
        self.sources: dict[str, Sequence[str]] = {}

    def outlook(self, path: str, data: bytes) -> Outlook:
        """Return what the event does with one file."""
        text, undecodable = decode(data, path)
        self.sources[path] = text.splitlines()
        if undecodable is not None:
            return Outlook(file=path, diagnostics=(undecodable,))
        if is_buildspec(path, text):
            workflow, found = self.read.buildspec(text, path, self._kept)
        else:
            workflow, found = self.read.workflow(text, path)
        if workflow is None:
            return Outlook(file=path, diagnostics=found)
        decision = decide_trigger(workflow, self.occurrence)
        outlook = Outlook(file=path, workflow=workflow, decision=decision, diagnostics=found)
        return self._started(outlook, workflow) if isinstance(decision, Triggered) else outlook

    def _started(self, outlook: Outlook, workflow: Workflow) -> Outlook:
        github = github_context(self.occurrence, self.facts, workflow, RunIdentity())
        contexts = {"github": github, "vars": dict(self.variables)}
        bound = bind(self.occurrence, workflow, contexts)
        plan = self._plan(workflow)
        problems = [each for part in (bound, plan) if isinstance(part, tuple) for each in part]
        if isinstance(bound, tuple) or isinstance(plan, tuple):
            diagnostics = (*problems, *outlook.diagnostics)
            return msgspec.structs.replace(outlook, diagnostics=diagnostics)
        return msgspec.structs.replace(outlook, occurrence=bound, plan=plan)

    def _plan(self, workflow: Workflow) -> Plan | tuple[Diagnostic, ...]:
        """Compile, fetching what is called until nothing is missing."""
        source = Source(
            path=workflow.file,
            repository=self.facts.full_name,
            ref=self.occurrence.ref,
            sha=self.occurrence.sha,
        )
        texts: dict[FileRef, str] = {}
        unavailable: dict[FileRef, str] = {}
        while True:
            made = compile_workflow(
                workflow,
                event=self.occurrence.event,
                source=source,
                files=Files(texts, unavailable),
                read=self.read.workflow,
            )
            if not isinstance(made, NeedFiles):
                return made
            for ref in made.refs:
                try:
                    texts[ref] = self._text(ref)
                    self.sources[file_name(ref)] = texts[ref].splitlines()
                except (NotFound, Unavailable) as error:
                    unavailable[ref] = f"{error.message} {error.hint}".rstrip()

    def _kept(self, path: str) -> bytes | None:
        """Load another buildspec; its lines are shown beside what is wrong in it."""
        data = self.load(path)
        if data is not None:
            self.sources[path] = decode(data, path)[0].splitlines()
        return data

    def _text(self, ref: FileRef) -> str:
        if ref.repository:
            return self.forge.workflow_file(ref)
        data = self.load(ref.path)
        if data is None:
            raise NotFound(NOT_FOUND)
        return decode(data, ref.path)[0]


def _usage(problems: Sequence[Diagnostic]) -> UsageError:
    return UsageError("\n".join(each.text() for each in problems), hint=problems[0].hint)


def _check_names(found: Prospect, request: Request) -> None:
    """Refuse jobs and inputs that no started workflow has."""
    started = [each for each in found.outlooks if isinstance(each.decision, Triggered)]
    if found.errors or not started:
        return
    if request.event in HAND_STARTED:
        workflows = [each.workflow for each in started if each.workflow is not None]
        unknown = undeclared(found.occurrence.given_inputs, workflows, request.event)
        if unknown:
            raise _usage(unknown)
    plans = [each.plan for each in started if each.plan is not None]
    absent = missing(plans, request.jobs)
    if absent:
        known = [job.id for plan in plans for job in plan.jobs]
        slip = nearest(absent[0], known)
        hint = f"Did you mean '{slip}'?" if slip else f"The jobs are: {', '.join(known)}."
        raise UsageError(
            f"There is no job '{absent[0]}' in what {request.event} starts.", hint=hint
        )
    if request.matrix:
        _check_legs(plans, request.matrix)


def _check_legs(plans: Sequence[Plan], wanted: Sequence[tuple[str, str]]) -> None:
    """Refuse keys and values that no leg has, as far as the matrices are known."""
    values = matrix_values(plans)
    if values is None:
        return
    for key, value in wanted:
        known = values.get(key.lower())
        if known is None:
            hint = f"The keys are: {', '.join(values)}." if values else "There are no matrices."
            raise UsageError(f"No matrix has the key '{key}'.", hint=hint)
        if value.lower() not in map(str.lower, known):
            hint = f"The values are: {', '.join(known)}."
            raise UsageError(f"No leg of a matrix has '{value}' for {key}.", hint=hint)
