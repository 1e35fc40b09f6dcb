"""How whole runs ended, as scenario files write it down, and the comparison with what they expect."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.commands import Done, Place, assert_no_traceback, missing
from trunkline.run.events import (
    Annotated,
    ArtifactStored,
    JobCompleted,
    JobSkipped,
    Record,
    RunCompleted,
    RunStarted,
    StepCompleted,
    Summarized,
    Warned,
)

ENGINE_STEPS = {"Set up job", "Complete job"}


class Ending:
    """What is left of all runs, with nothing in it that changes from one time to the next."""

    def __init__(self, place: Place, done: Done) -> None:
        self._place = place
        self.code = done.code
        self.runs = {run_id: place.records(run_id) for run_id in place.runs()}

    def stable(self, text: str) -> str:
        for run_id in self.runs:
            text = text.replace(run_id, "RUN")
        text = text.replace(str(self._place.state), "STATE").replace(str(self._place.root), "ROOT")
        return re.sub(r"[0-9a-f]{32}", "GUID", re.sub(r"[0-9a-f]{40}", "SHA", text))

    def log(self) -> list[str]:
        lines: list[str] = []
        for run_id, records in self.runs.items():
            ended = (record.event for record in records)
            for key in sorted(event.key for event in ended if isinstance(event, JobCompleted)):
                lines += self._place.log(run_id, key)
        return [self.stable(line) for line in lines]

    def told(self) -> dict[str, Any]:
        return {"exit": self.code, "runs": [self._run(found) for found in self.runs.values()]}

    def _run(self, records: Sequence[Record]) -> dict[str, Any]:
        found: dict[str, Any] = {"workflow": "", "conclusion": "", "jobs": {}}
        jobs: dict[str, dict[str, Any]] = found["jobs"]
        for record in records:
            match record.event:
                case RunStarted() as event:
                    found["workflow"] = event.plan.name
                case RunCompleted(conclusion=conclusion):
                    found["conclusion"] = str(conclusion)
                case Warned() as event:
                    told = f"{event.key}: {event.message}" if event.key else event.message
                    found.setdefault("warnings", []).append(self.stable(told))
                case JobSkipped() as event:
                    jobs[event.key] = {"skipped": str(event.reason)}
                case JobCompleted() as event:
                    job = jobs.setdefault(event.key, {})
                    assert not event.workspace or Path(event.workspace).is_dir()
                    job["conclusion"] = str(event.conclusion)
                    job |= {"message": self.stable(event.message)} if event.message else {}
                    job |= {"outputs": dict(event.outputs)} if event.outputs else {}
                    job |= {"url": event.environment_url} if event.environment_url else {}
                case event:
                    self._take(jobs, event)
        found["jobs"] = {key: self._job(jobs[key]) for key in sorted(jobs)}
        return found

    def _take(self, jobs: dict[str, dict[str, Any]], event: object) -> None:
        match event:
            case StepCompleted():
                result = str(event.conclusion)
                if event.outcome is not event.conclusion:
                    result = f"{event.outcome} -> {result}"
                jobs.setdefault(event.key, {}).setdefault("steps", {})[event.number] = (
                    event.name,
                    result,
                )
            case Annotated():
                jobs.setdefault(event.key, {}).setdefault("annotations", []).append(
                    self._annotation(event)
                )
            case Summarized(key=key, markdown=markdown):
                jobs.setdefault(key, {}).setdefault("summaries", []).append(markdown)
            case ArtifactStored():
                jobs.setdefault(event.key, {}).setdefault("artifacts", []).append(
                    f"{event.name}: {event.files} files"
                )
            case _:
                pass

    def _annotation(self, event: Annotated) -> str:
        place = f"{event.file}:{event.line}" if event.file else ""
        place += f":{event.column}" if event.column else ""
        place += f"-{event.end_line}" if event.end_line > event.line else ""
        title = f" [{event.title}]" if event.title else ""
        return self.stable(f"{event.level} {place}{title} {event.message}".replace("  ", " "))

    def _job(self, job: dict[str, Any]) -> dict[str, Any]:
        steps = [
            f"{result}: {self.stable(name)}"
            for _, (name, result) in sorted(job.pop("steps", {}).items())
            if name not in ENGINE_STEPS or result != "success"
        ]
        return {**job, **({"steps": steps} if steps else {})}


def as_yaml(value: object) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=1000)


def assert_there(wanted: list[str], lines: list[str]) -> None:
    absent = missing(wanted, lines)
    if absent:
        pytest.fail("\n".join(["not there, in this order:", *absent, "in:", *lines])[:9999])


def read_case(path: Path, keys: set[str]) -> tuple[dict[str, Any], list[Any]]:
    """Return a scenario's case and what it expects: its first YAML document, and those after it."""
    case, *expected = yaml.safe_load_all(path.read_text(encoding="utf-8"))
    assert set(case) <= keys, set(case) - keys
    return case, expected


def compare(path: Path, told: Mapping[str, Any], expected: list[Any], *, update: bool) -> None:
    """Compare how it ended with what a scenario expects, or write that anew."""
    if update:
        written = path.read_text(encoding="utf-8").partition("\n---\n")[0].rstrip()
        path.write_text(f"{written}\n---\n{as_yaml(told)}", encoding="utf-8")
        return
    assert expected, "run with --update, then look at what was written"
    assert as_yaml(told) == as_yaml(expected[0])


def assert_told(case: Mapping[str, Any], ending: Ending, done: Done, place: Place) -> None:
    """Assert what a scenario says of logs and the screen, and that nothing was left behind."""
    log = ending.log()
    assert_there(case.get("says", []), log)
    shown = ending.stable(done.text).splitlines()
    assert_there(case.get("shows", []), shown)
    assert not [text for text in case.get("never", []) if text in "\n".join([*log, *shown])]
    assert_no_traceback(done)
    assert not place.processes()
    assert not place.leftovers()
