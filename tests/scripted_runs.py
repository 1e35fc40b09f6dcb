"""Runs without workers: a workflow's text, what its jobs end with, and the events that follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from trunkline.plan.buildspec_file import read_buildspec
from trunkline.plan.compile import Files, compile_workflow
from trunkline.plan.model import FileRef, Plan, Source
from trunkline.run.decide import react
from trunkline.run.events import (
    Annotated,
    CancelRequested,
    Conclusion,
    Event,
    JobCompleted,
    JobExpanded,
    JobPending,
    JobSkipped,
    Options,
    RunCompleted,
    RunGranted,
    RunPending,
    RunStarted,
    Warned,
)
from trunkline.run.facts import (
    Begun,
    CancelAsked,
    CancelJob,
    Command,
    Decision,
    EnterGroup,
    Fact,
    GroupGranted,
    LeaveGroups,
    Reported,
    StartJob,
)
from trunkline.run.fold import fold
from trunkline.run.job_request import JobRequest
from trunkline.run.state import RunState
from trunkline.workflow.parse import parse

FILE = ".github/workflows/ci.yml"
GITHUB: Mapping[str, Any] = {
    "repository": "octo/repo",
    "event_name": "push",
    "ref": "refs/heads/main",
    "run_attempt": "1",
    "workflow": "CI",
}


def plan_of(text: str, files: Mapping[str, str] | None = None) -> Plan:
    """Compile a workflow; `files` are the called ones, by path."""
    workflow, diagnostics = parse(text, FILE)
    assert workflow is not None, [diagnostic.text() for diagnostic in diagnostics]
    texts = {FileRef("", path, ""): content for path, content in (files or {}).items()}
    source = Source(path=FILE, repository="octo/repo", ref="refs/heads/main")
    plan = compile_workflow(
        workflow, event="push", source=source, read=parse, files=Files(texts=texts)
    )
    assert isinstance(plan, Plan), plan
    return plan


def plan_of_buildspec(text: str) -> Plan:
    """Compile a buildspec."""
    workflow, diagnostics = read_buildspec(text, "buildspec.yml", lambda _: None)
    assert workflow is not None, [diagnostic.text() for diagnostic in diagnostics]
    source = Source(path="buildspec.yml", repository="octo/repo", ref="refs/heads/main")
    plan = compile_workflow(workflow, event="push", source=source, read=parse, files=Files())
    assert isinstance(plan, Plan), plan
    return plan


def run_of(plan: Plan, **given: Any) -> RunStarted:
    """Return how a run of the plan begins."""
    options = msgspec.convert(given.pop("options", {}), Options, str_keys=True)
    if not options.architecture:
        options = msgspec.structs.replace(options, architecture="x64")
    github = {**GITHUB, **given.pop("github", {})}
    return RunStarted(run_id="7", number=1, plan=plan, github=github, options=options, **given)


class ScriptedRun:
    """Drives the machine. A job ends as `script` says, at once unless it says `hold`."""

    def __init__(self, started: RunStarted, script: Mapping[str, Any] | None = None) -> None:
        self.state = RunState()
        self.events: list[Event] = []
        self.commands: list[Command] = []
        self.requests: dict[str, JobRequest] = {}
        self.running: list[str] = []
        self.script = dict(script or {})
        self.peak = 0
        self.take(Begun(started))

    def take(self, fact: Fact) -> Decision:
        """Give the machine a fact; remember what it answers."""
        decision = react(self.state, fact)
        self.events += decision.events
        self.commands += decision.commands
        for command in decision.commands:
            match command:
                case StartJob(request):
                    self.requests[request.key] = request
                    self.running.append(request.key)
                case CancelJob(key):
                    self.script.setdefault(key, "cancelled")
                case _:
                    pass
        self.peak = max(self.peak, len(self.running))
        return decision

    def end(self, key: str, result: str = "success", **outputs: str) -> None:
        """Let a running job end."""
        self.running.remove(key)
        self.take(Reported(JobCompleted(key=key, conclusion=Conclusion(result), outputs=outputs)))

    def finish(self) -> None:
        """End the jobs that are not held, in the order of their start, until none is left."""
        while (key := self._next()) is not None:
            said = self.script.get(key, "success")
            said = {"result": said} if isinstance(said, str) else said
            self.end(key, said.get("result", "success"), **said.get("outputs", {}))

    def _next(self) -> str | None:
        return next((key for key in self.running if self.script.get(key) != "hold"), None)

    def perform(self, action: Mapping[str, Any]) -> None:
        """Do one thing of a scenario's `then` list."""
        match dict(action):
            case {"end": str(key), **rest}:
                self.end(key, rest.get("result", "success"), **rest.get("outputs", {}))
            case {"cancel": str(by), **rest}:
                self.take(CancelAsked(by, rest.get("key", ""), force=rest.get("force", False)))
            case {"grant": str(group), **rest}:
                self.take(GroupGranted(rest.get("key", ""), group))
            case unknown:
                raise AssertionError(f"no such action: {unknown}")
        self.finish()

    def check(self) -> None:
        """Assert what holds for every run that has come to its end."""
        assert fold(self.events) == self.state
        assert isinstance(self.events[-1], RunCompleted)
        ended = [event.key for event in self.events if isinstance(event, JobCompleted | JobSkipped)]
        assert len(ended) == len(set(ended))
        jobs = [key for key, node in self.state.jobs.items() if not node.legs]
        assert sorted(ended) == sorted([*self.state.legs, *jobs])


def told(event: Event) -> str:
    """Return an event as one short line: its kind, what it is about, what it says."""
    about = getattr(event, "job", "") or getattr(event, "key", "")
    said = ""
    match event:
        case JobExpanded(legs=legs):
            said = ", ".join(leg.key for leg in legs)
        case JobCompleted(conclusion=conclusion, outputs=outputs, message=message):
            said = "".join([conclusion, *(f" {name}={value}" for name, value in outputs.items())])
            said += f" ({message})" if message else ""
        case JobSkipped(reason=reason, detail=detail):
            said = reason + (f" ({detail})" if detail else "")
        case CancelRequested(by=by, key=key, force=force):
            about = key or "run"
            said = by + (" by force" if force else "")
        case JobPending(group=said) | RunPending(group=said) | RunGranted(group=said):
            pass
        case Annotated(level=level, message=message):
            said = f"{level}: {message}"
        case Warned(message=said) | RunCompleted(conclusion=said):
            pass
        case _:
            pass
    head = f"{type(event).__name__} {about}".strip()
    return f"{head}: {said}" if said else head


def commanded(commands: Iterable[Command]) -> list[str]:
    """Return the commands about cancelling and groups as short lines."""
    lines = []
    for command in commands:
        match command:
            case CancelJob(key, by, force):
                lines.append(f"cancel {key}: {by}" + (" by force" if force else ""))
            case EnterGroup(key, group):
                lines.append(f"enter {key or 'run'}: {group.name}")
            case LeaveGroups(key):
                lines.append(f"leave {key or 'run'}")
            case _:
                continue
    return lines
