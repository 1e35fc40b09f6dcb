"""`trunkline lint`: which files it looks at, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trunkline.base.errors import NotFound
from trunkline.cli.lint import main

GOOD = "on: push\njobs: {a: {runs-on: x, steps: [{run: y}]}}\n"
BAD = "on: pusch\njobs: {a: {runs-on: x, steps: [{run: y}]}}\n"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository, in which we stand."""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".github/workflows").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_folder_of_workflows_by_default(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = repository / ".github/workflows"
    (folder / "a.yml").write_text(GOOD)
    (folder / "b.yaml").write_text(BAD)
    (folder / "notes.txt").write_text("no")
    assert main(["--format", "json"]) == 2
    (record,) = json.loads(capsys.readouterr().out)
    assert record["file"] == ".github/workflows/b.yaml"
    assert record["hint"] == "Did you mean 'push'?"


def test_it_is_found_from_deeper_inside(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / ".github/workflows/a.yml").write_text(BAD)
    (repository / "src/deep").mkdir(parents=True)
    monkeypatch.chdir(repository / "src/deep")
    assert main([]) == 2
    assert capsys.readouterr().out.startswith("../../.github/workflows/a.yml:1:5: error: ")


def test_files_and_folders_by_name(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "größe 1").mkdir()
    (repository / "größe 1/a.yml").write_text(GOOD)
    (repository / "action.yml").write_text("runs: {using: node20}")
    assert main(["größe 1", "action.yml"]) == 2
    assert "in 2 files" in capsys.readouterr().out
    assert main(["-C", str(repository), "größe 1/a.yml"]) == 0


def test_calls_are_looked_up_in_the_repository(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = repository / ".github/workflows"
    (folder / "a.yml").write_text("on: push\njobs: {a: {uses: ./.github/workflows/b.yml}}\n")
    (folder / "b.yml").write_text(GOOD.replace("push", "workflow_call"))
    assert main([".github/workflows/a.yml"]) == 0
    (folder / "b.yml").unlink()
    assert main([".github/workflows/a.yml"]) == 2
    assert "workflow was not found." in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["nothing.yml"], ["empty"], []])
def test_nothing_to_look_at_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotFound):
        main(arguments)
