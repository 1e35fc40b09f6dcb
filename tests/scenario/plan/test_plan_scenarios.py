"""Scenarios of planning, one YAML file each; what is expected lies beside it, by kind of output.

A file is YAML: `workflows` (name -> text, in .github/workflows), and where they differ from the defaults
`event`, `payload`, `inputs`, `facts` (over those of the example repository), `files` (called workflows
of other repositories: `owner/name@ref` -> path -> text), `vars`, `jobs`, `matrix`, `platforms`.
Expected: `<name>.tree` (or `.refusal`, when the command line is refused), and `.json`, `.dot`, `.mermaid`,
`.svg` where such a file exists. `--update` writes them anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from tests.unit.plan.examples import FACTS
from trunkline.adapters.forges.memory import MemoryForge
from trunkline.base.errors import UsageError
from trunkline.plan.buildspec_file import read_buildspec
from trunkline.plan.facts import RepositoryFacts
from trunkline.plan.forecast import Choices
from trunkline.plan.runners import read_platforms
from trunkline.plan.triggers import Triggered
from trunkline.ports.forge import Fetched
from trunkline.services.forecasts import forecasts
from trunkline.services.plan_drawings import dot, mermaid, svg
from trunkline.services.plan_graph import graph
from trunkline.services.plan_record import record
from trunkline.services.plan_tree import tree
from trunkline.services.planning import Prospect, Request, prospect
from trunkline.workflow.parse import parse
from trunkline.workflow.reading import Readers

FOLDER = Path(__file__).parent
SCENARIOS = sorted(FOLDER.glob("*.yml"))
KINDS = ("tree", "json", "dot", "mermaid", "svg")


def facts_of(overrides: dict[str, Any]) -> RepositoryFacts:
    facts = msgspec.to_builtins(FACTS)
    for key, value in overrides.items():
        below = facts[key]
        facts[key] = {**below, **value} if isinstance(below, dict) else value
    return msgspec.convert(facts, RepositoryFacts)


def forge_of(files: dict[str, dict[str, str]], folder: Path) -> MemoryForge:
    repositories = {}
    for number, (spec, texts) in enumerate(files.items()):
        root = folder / str(number)
        repository, _, ref = spec.partition("@")
        repositories[spec] = Fetched(repository=repository, ref=ref, sha="e" * 40, path=str(root))
        for path, text in texts.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
    return MemoryForge({}, repositories)


def planned(scenario: dict[str, Any], folder: Path) -> Prospect:
    files = {
        f".github/workflows/{name}": text.encode() for name, text in scenario["workflows"].items()
    }
    request = Request(
        event=scenario.get("event", "push"),
        payload=scenario.get("payload"),
        inputs=scenario.get("inputs", {}),
        jobs=tuple(scenario.get("jobs", ())),
        variables=scenario.get("vars", {}),
    )
    forge = forge_of(scenario.get("files", {}), folder)
    readers = Readers(parse, read_buildspec)
    facts = facts_of(scenario.get("facts", {}))
    return prospect(forge, facts, files, request, files.get, readers)


def outputs(scenario: dict[str, Any], folder: Path) -> dict[str, str]:
    try:
        found = planned(scenario, folder)
    except UsageError as error:
        return {"refusal": f"{error.message}\n{error.hint}\n"}
    variables = scenario.get("vars", {})
    choices = Choices(
        jobs=tuple(scenario.get("jobs", ())),
        matrix=tuple((key, value) for key, value in scenario.get("matrix", [])),
        platforms=read_platforms(scenario.get("platforms", [])),
    )
    runs = forecasts(found, choices, variables)
    told = msgspec.json.encode(record(found, runs, variables))
    drawn = graph(found, runs)
    return {
        "tree": tree(found, runs, variables, f"trunkline run {found.occurrence.event}"),
        "json": msgspec.json.format(told, indent=2).decode() + "\n",
        "dot": dot(drawn),
        "mermaid": mermaid(drawn),
        "svg": svg(drawn),
    }


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario(path, tmp_path, request):
    shown = outputs(yaml.safe_load(path.read_text(encoding="utf-8")), tmp_path)
    kinds = [kind for kind in (*KINDS, "refusal") if path.with_suffix(f".{kind}").exists()]
    if request.config.getoption("--update"):
        for kind in {*kinds, next(iter(shown))}:
            path.with_suffix(f".{kind}").write_text(shown[kind], encoding="utf-8")
        return
    assert kinds, "run with --update, then look at what was written"
    for kind in kinds:
        assert shown[kind] == path.with_suffix(f".{kind}").read_text(encoding="utf-8"), kind


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_run_is_forecast_for_whatever_is_started(path, tmp_path):
    scenario = yaml.safe_load(path.read_text(encoding="utf-8"))
    if path.with_suffix(".refusal").exists():
        with pytest.raises(UsageError):
            planned(scenario, tmp_path)
        return
    found = planned(scenario, tmp_path)
    runs = forecasts(found, Choices(), scenario.get("vars", {}))
    for outlook in found.outlooks:
        started = isinstance(outlook.decision, Triggered) and not outlook.errors
        assert (outlook.file in runs) is started
