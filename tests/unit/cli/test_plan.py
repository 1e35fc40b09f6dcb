"""`trunkline plan` on real repositories."""

from __future__ import annotations

import json
import shlex
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from tests.repositories import commit, git, repository
from trunkline.base.errors import NotFound, UsageError
from trunkline.cli.plan import main

WORKFLOW = """
name: CI
on:
  push: {branches: [main], paths: ['src/**']}
  pull_request:
  workflow_dispatch: {inputs: {who: {required: true}}}
jobs:
  test:
    if: vars.SKIP != 'yes'
    runs-on: ubuntu-latest
    steps: [{run: make}]
  windows: {needs: test, runs-on: windows-latest, steps: [{run: make}]}
"""
FILES = {".github/workflows/ci.yml": WORKFLOW, "src/a.py": "1"}


@pytest.fixture
def here(tmp_path, monkeypatch):
    root = repository(tmp_path / "my répo", FILES)
    monkeypatch.chdir(root)
    monkeypatch.setenv("TRUNKLINE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("TRUNKLINE_CACHE", str(tmp_path / "cache"))
    return root


def told(capsys, *argv: str, code: int = 0) -> str:
    assert main(list(argv)) == code
    out, _ = capsys.readouterr()
    return str(out)


def record(capsys, *argv: str) -> Any:
    return json.loads(told(capsys, *argv, "--json"))


@pytest.mark.usefixtures("here")
def test_tree(capsys):
    text = told(capsys)
    assert "● CI  (.github/workflows/ci.yml)" in text
    assert "'src/a.py' matches paths" in text
    assert "├─ test  on host (ubuntu-latest); 1 step" in text
    assert "└─ windows  nowhere: no runner here for windows-latest" in text
    assert "warning: not defined, so empty: vars.SKIP" in text
    assert text.endswith("1 run: 1 to run, 1 nowhere.\nNext: trunkline run push\n")


def test_what_to_type_next_repeats_the_options_but_secrets(here, capsys):
    options = ["-W", ".github/workflows/ci.yml", "-j", "test", "-j", "windows", "--committed"]
    others = ["--var", "SKIP=no one", "-P", "windows-latest=host", "--env", "A=b"]
    text = told(capsys, "push", *options, *others, "-s", "TOKEN=hidden", "-C", str(here))
    words = shlex.split(text.rpartition("Next: ")[2])
    assert words[:3] == ["trunkline", "run", "push"]
    assert sorted(words[3:]) == sorted([*options, *others, "-C", str(here)])
    assert "hidden" not in text


def test_uncommitted_work_counts_unless_it_is_left_out(here, capsys):
    commit(here, {"README": "2"})
    assert "no changed file (1) matches paths: src/**" in told(capsys)
    (here / "src" / "b.py").write_text("new")
    assert "'src/b.py' matches paths" in told(capsys)
    assert "no changed file (1) matches paths: src/**" in told(capsys, "--committed")


def test_values_of_files_and_options(here, capsys):
    (here / ".vars").write_text("SKIP=yes\n")
    assert "skipped: if: vars.SKIP != 'yes' is false" in told(capsys)
    assert "skipped" not in told(capsys, "--var", "SKIP=no")
    (here / ".input").write_text("who=me\n")
    assert "input who: me" in told(capsys, "workflow_dispatch")
    assert "input who: you" in told(capsys, "workflow_dispatch", "--input", "who=you")
    assert "host (windows-latest)" in told(capsys, "-P", "windows-latest=host", "--var", "SKIP=")


@pytest.mark.usefixtures("here")
def test_a_missing_input_is_told_at_its_place(capsys):
    text = told(capsys, "workflow_dispatch", code=2)
    assert ".github/workflows/ci.yml:6:32: error: Required input 'who' not provided" in text


@pytest.mark.usefixtures("here")
def test_a_payload_in_a_file(capsys):
    Path("event.json").write_text('{"action": "labeled", "number": 7}')
    text = told(capsys, "pull_request", "-e", "event.json")
    assert "type 'labeled' is not one of the default types" in text
    assert "refs/pull/1/merge" in text


def test_json(here, capsys):
    found = record(capsys, "-a", "bob", "--repository", "o/r")
    assert found["repository"] == "o/r"
    assert found["sha"] == git(here, "rev-parse", "HEAD")
    (workflow,) = found["workflows"]
    assert workflow["started"] is True
    assert [job["verdict"] for job in workflow["run"]["jobs"]] == ["runs", "nowhere"]
    assert workflow["undefined_variables"] == ["SKIP"]


@pytest.mark.usefixtures("here")
def test_drawings(capsys):
    assert told(capsys, "--format", "dot").startswith("digraph plan {")
    assert "n2 --> n3" in told(capsys, "--format", "mermaid")
    drawing = ET.fromstring(told(capsys, "--format", "svg"))  # noqa: S314  # our own text
    titles = [title.text for title in drawing.iter("{http://www.w3.org/2000/svg}title")]
    assert titles == ["test: runs", "windows: nowhere (no runner here for windows-latest)"]


def test_from_a_folder_below_and_by_name(here, capsys):
    assert "● CI" in told(capsys, "-C", str(here))
    assert "● CI" in told(capsys, "-W", ".github/workflows/ci.yml")
    elsewhere = here.parent / "other.yml"
    elsewhere.write_text(WORKFLOW)
    assert str(elsewhere) in told(capsys, "-W", str(elsewhere))


def test_a_called_workflow_on_disk(here, capsys):
    commit(
        here,
        {
            ".github/workflows/ci.yml": "on: push\njobs: {x: {uses: ./.github/workflows/x.yml}}\n",
            ".github/workflows/x.yml": "on: workflow_call\njobs: {y: {runs-on: linux, steps: [{run: x}]}}\n",
        },
    )
    assert "x  calls ./.github/workflows/x.yml" in told(capsys)


def test_a_wrong_file(here, capsys):
    (here / ".github/workflows/bad.yml").write_bytes(b"on: push\njobs: \xff\n")
    assert "bad.yml:2:7: error: The file is not UTF-8 text" in told(capsys, code=2)


def test_repositories_in_every_state(tmp_path, capsys, monkeypatch):
    folder = tmp_path / "plain"
    (folder / ".github/workflows").mkdir(parents=True)
    (folder / ".github/workflows/ci.yml").write_text(WORKFLOW)
    monkeypatch.chdir(folder)
    assert "is not a git repository" in told(capsys)
    git(folder, "init", "-q", "-b", "main")
    assert "no commits yet" in told(capsys)
    commit(folder, {})
    git(folder, "checkout", "-q", "--detach")
    assert "push in " in told(capsys)
    git(folder, "worktree", "add", "-q", "../tree", "-b", "topic")
    assert "refs/heads/topic" in told(capsys, "-C", str(tmp_path / "tree"))


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("argv", "kind", "message"),
    [
        (["psh"], UsageError, "Unknown event 'psh'"),
        (["-j", "tset"], UsageError, "There is no job 'tset'"),
        (["-P", "x"], UsageError, "is not LABEL=WHERE"),
        (["--matrix", "x"], UsageError, "is not --matrix KEY:VALUE"),
        (["--var", "x"], UsageError, "is not --var K=V"),
        (["--input", "who=you"], UsageError, "push has no inputs"),
        (["--repository", "x"], UsageError, "is not OWNER/NAME"),
        (["-e", "none.json"], NotFound, "There is no file none.json"),
        (["-e", "src/a.py"], UsageError, "must be a JSON object"),
        (["-e", ".github/workflows/ci.yml"], UsageError, "is not JSON"),
        (["-W", "none"], NotFound, "There is no none"),
        (["-W", "src"], NotFound, "There are no workflow files"),
        (["-C", "none"], NotFound, "no folder"),
    ],
)
def test_refusals(argv, kind, message):
    with pytest.raises(kind, match=message):
        main(argv)


def test_a_project_inside_a_repository_is_told_where_workflows_lie(here):
    commit(here, {"sub/.github/workflows/x.yml": WORKFLOW})
    (here / ".github/workflows/ci.yml").unlink()
    with pytest.raises(NotFound) as refused:
        main(["-C", "sub"])
    assert refused.value.hint.startswith("The repository begins at ")


MATRIX = """
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    strategy: {matrix: {Python: ["3.11", "3.12"], include: [{os: linux}]}}
    steps: [{run: make}]
"""


@pytest.mark.parametrize(
    ("wanted", "message", "hint"),
    [
        ("pyhton:3.11", "No matrix has the key 'pyhton'", "python, os"),
        ("python:3.1", "No leg of a matrix has '3.1' for python", "3.11, 3.12"),
    ],
)
def test_legs_that_there_are_not(here, wanted, message, hint):
    (here / ".github/workflows/ci.yml").write_text(MATRIX, encoding="utf-8")
    with pytest.raises(UsageError, match=message) as error:
        main(["--matrix", wanted])
    assert hint in error.value.hint


def test_a_called_workflow_that_cannot_be_had(here, capsys):
    calls = "jobs: {a: {uses: octo/tools/.github/workflows/w.yml@v1}}"
    (here / ".github/workflows/ci.yml").write_text(f"on: push\n{calls}\n", encoding="utf-8")
    text = told(capsys, "--offline", code=2)
    assert "octo/tools@v1`: it is not in the cache, and --offline was given. --local-rep" in text


def test_names_stay_in_their_lines(here, capsys):
    workflow = MATRIX.replace("test:", 'test:\n    name: "a\\nb\\e[31m"')
    file = here / ".github/workflows/ci.yml"
    file.write_text('name: "C\\nI"\nrun-name: "r\\tn"\n' + workflow, encoding="utf-8")
    text = told(capsys)
    assert "● C I  (.github/workflows/ci.yml)" in text
    assert "run name: r n" in text
    assert "a b [31m (3.11)" in text
    assert "\x1b" not in text


def test_legs_that_may_be_there(here, capsys):
    file = here / ".github/workflows/ci.yml"
    file.write_text(MATRIX, encoding="utf-8")
    assert "1 to run" in told(capsys, "--matrix", "PYTHON:3.12", "--matrix", "os:Linux")
    late = 'Python: ["3.11", "3.12"]', "Python: '${{ fromJSON(github.run_id) }}'"
    file.write_text(MATRIX.replace(*late), encoding="utf-8")
    assert "fails" in told(capsys, "--matrix", "anything:3.12")
    file.write_text(WORKFLOW, encoding="utf-8")
    with pytest.raises(UsageError, match="No matrix has the key 'os'") as error:
        main(["--matrix", "os:x"])
    assert error.value.hint == "There are no matrices."
