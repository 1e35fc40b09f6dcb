"""Jobs with containers, services and Docker actions, one file each, on a scripted engine.

A file holds two YAML documents. The first is the case: `workflow`, `images` of the engine (see
`ScriptedImage`; `engine: false`: there is none), `rules` for processes (`match`: a regular expression
on the argv and script or on `docker run IMAGE ENTRYPOINT ARGS`; `prints`, `exit`, `writes`),
`repositories` (`owner/name@ref` -> files), `platforms` (label -> place), `secrets`, `vars`,
`cancel` (a text: the job is cancelled when its log shows it), `says` (log lines in this order, `…` is
any text), `never` (texts in no log). Without a rule, `echo`, `show NAME` (of
the environment) and `exit` lines of a script are carried out. The second is what came of it;
`--update` writes it anew.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.repositories import write
from tests.scripted_runs import ScriptedRun, plan_of, run_of
from trunkline.adapters.clock import FakeClock, FakeIds
from trunkline.adapters.file_search import digest_of
from trunkline.adapters.forges.memory import MemoryForge
from trunkline.adapters.logs.memory import MemoryLogStore
from trunkline.adapters.patterns import compile_pattern
from trunkline.adapters.sandboxes.scripted import (
    Call,
    Rule,
    Script,
    ScriptedEngine,
    ScriptedImage,
    ScriptedSandboxes,
)
from trunkline.adapters.secrets.memory import MemorySecrets
from trunkline.app.world import handler_of
from trunkline.engine.action_loader import Sources
from trunkline.engine.image_evidence import ImageEvidence
from trunkline.engine.job_worker import JobWorker
from trunkline.engine.world import World
from trunkline.ports.forge import Fetched
from trunkline.ports.toolchains import NodeProgram
from trunkline.run.events import Annotated, Event, JobCompleted, StepCompleted
from trunkline.run.facts import Reported
from trunkline.workflow.action import parse_action

FOLDER = Path(__file__).parent
CASES = sorted(FOLDER.glob("*.yml"))
KEYS = {
    *("workflow", "images", "engine", "rules", "repositories", "platforms", "secrets"),
    *("vars", "cancel", "says", "never"),
}


class NoNatives:
    """No action is built in here."""

    def find(self, repository: str) -> None:
        del repository


class Nodes:
    """Programs that are not there: the scripted sandbox starts none."""

    def node(self, major: int) -> str:
        assert major in {20, 24}
        return "/usr/bin/node"

    def nodes(self) -> tuple[NodeProgram, ...]:
        return ()

    def install_node(self, versions: str) -> NodeProgram:
        raise NotImplementedError(versions)

    def external_node(self, major: int, *, musl: bool) -> str:
        return f"node{major}_alpine" if musl else f"node{major}"


def carry_out(call: Call) -> Script:
    """Do what a script of a scenario says."""
    lines: list[str] = []
    for line in call.text.split("\n")[1:]:
        word, _, rest = line.strip().partition(" ")
        match word:
            case "echo":
                lines.append(rest)
            case "show":
                lines += [f"{name}={call.spec.env.get(name, '')}" for name in rest.split()]
            case "exit":
                return Script(output=_printed(lines), exit_code=int(rest))
            case _:
                lines.append(f"{word}: not found")
    return Script(output=_printed(lines))


def _printed(lines: list[str]) -> tuple[tuple[float, bytes], ...]:
    return ((0.0, "".join(f"{line}\n" for line in lines).encode()),) if lines else ()


def rule_of(case: Mapping[str, Any]) -> Rule:
    names: list[str] = case.get("shows", [])

    def act(call: Call) -> Script:
        shown = [f"{name}={call.spec.env.get(name, '(none)')}" for name in names]
        text = "".join(f"{line}\n" for line in shown) + case.get("prints", "")
        return Script(
            output=((0.0, text.encode()),) if text else (),
            exit_code=case.get("exit", 0),
            seconds=None if case.get("hangs") else 0.0,
            writes={name: value.encode() for name, value in case.get("writes", {}).items()},
        )

    return Rule(case["match"], act)


class Case:
    """A scenario being played."""

    def __init__(self, case: Mapping[str, Any], folder: Path) -> None:
        self.case = case
        self.clock = FakeClock(automatic=True)
        self.logs = MemoryLogStore()
        self.events: list[Event] = []
        images = {
            name: ScriptedImage(**(given or {})) for name, given in case.get("images", {}).items()
        }
        ids = FakeIds()
        self.engine = ScriptedEngine(images, ids) if case.get("engine", True) else None
        rules = [rule_of(rule) for rule in case.get("rules", [])]
        self.sandboxes = ScriptedSandboxes(
            [*rules, Rule(r"\.sh", carry_out)], self.clock, ids, engine=self.engine
        )
        repositories = {}
        for number, (spec, files) in enumerate(case.get("repositories", {}).items()):
            path = folder / str(number)
            write(path, files)
            name, _, ref = spec.partition("@")
            repositories[spec] = Fetched(repository=name, ref=ref, path=str(path), sha="1" * 40)
        self.world = World(
            sandboxes=self.sandboxes,
            logs=self.logs,
            secrets=MemorySecrets({"": case.get("secrets", {})}, {"": case.get("vars", {})}),
            clock=self.clock,
            ids=ids,
            sources=Sources(MemoryForge({}, repositories), NoNatives(), parse_action),
            toolchains=Nodes(),
            compile_pattern=compile_pattern,
            digest=digest_of,
            evidence=ImageEvidence,
            handler=handler_of,
            listen=self.hear,
        )
        self.worker: JobWorker | None = None

    def hear(self, _key: str, _step: int, lines: bytes) -> None:
        text = self.case.get("cancel", "")
        if text and text in lines.decode() and self.worker is not None:
            self.worker.cancel("user")

    def play(self) -> None:
        options = {"platforms": self.case.get("platforms", {})}
        started = run_of(
            plan_of(self.case["workflow"]),
            options=options,
            variables=self.case.get("vars", {}),
            github={"actor": "mona", "event": {"ref": "refs/heads/main"}},
        )
        run = ScriptedRun(started)
        while run.running:
            key = run.running.pop(0)
            self.worker = JobWorker(
                run.requests[key], self.world, lambda event: self.take(run, event)
            )
            self.worker.run()
            self.worker = None

    def take(self, run: ScriptedRun, event: Event) -> None:
        self.events.append(event)
        run.take(Reported(event))

    def told(self) -> dict[str, Any]:
        jobs: dict[str, Any] = {}
        for event in self.events:
            match event:
                case StepCompleted():
                    result = str(event.conclusion)
                    if event.outcome is not event.conclusion:
                        result = f"{event.outcome} -> {result}"
                    steps = jobs.setdefault(event.key, {}).setdefault("steps", [])
                    steps.append(f"{result}: {stable(event.name)}")
                case Annotated():
                    place = f"{event.file}:{event.line} " if event.file else ""
                    said = f"{event.level} {place}{event.message}"
                    jobs.setdefault(event.key, {}).setdefault("annotations", []).append(said)
                case JobCompleted():
                    job = jobs.setdefault(event.key, {})
                    jobs[event.key] = {"conclusion": str(event.conclusion), **job}
                    if event.outputs:
                        jobs[event.key]["outputs"] = dict(event.outputs)
                case _:
                    pass
        calls = [stable(call) for call in self.engine.calls] if self.engine else []
        return {"jobs": jobs, **({"engine": calls} if calls else {})}

    def log(self) -> list[str]:
        keys = [event.key for event in self.events if isinstance(event, JobCompleted)]
        lines: list[str] = []
        for key in keys:
            text = self.logs.read("7", key).decode()
            lines += [stable(line.partition(" ")[2]) for line in text.splitlines()]
        return lines


def stable(text: str) -> str:
    return re.sub(r"[0-9a-f]{32}", "GUID", text)


def as_yaml(value: object) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=1000)


def fits(text: str, line: str) -> bool:
    parts = (re.escape(part) for part in text.split("…"))
    return re.fullmatch(".*".join(parts), line) is not None


def assert_there(wanted: list[str], lines: list[str]) -> None:
    rest = iter(lines)
    for text in wanted:
        assert any(fits(text, line) for line in rest), "\n".join([f"not there: {text}", *lines])


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_containers(path: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    text = path.read_text(encoding="utf-8")
    given, *expected = yaml.safe_load_all(text)
    assert set(given) <= KEYS, set(given) - KEYS
    case = Case(given, tmp_path)
    case.play()
    if request.config.getoption("--update"):
        written = text.partition("\n---\n")[0].rstrip()
        path.write_text(f"{written}\n---\n{as_yaml(case.told())}", encoding="utf-8")
    else:
        assert expected, "run with --update, then look at what was written"
        assert as_yaml(case.told()) == as_yaml(expected[0])
    log = case.log()
    assert_there(given.get("says", []), log)
    assert not [word for word in given.get("never", []) if word in "\n".join(log)]
    if case.engine is not None:
        assert not case.engine.containers
        assert not case.engine.networks
