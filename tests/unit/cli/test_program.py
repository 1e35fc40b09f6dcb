"""What people are told to type for this program."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from trunkline.cli.program import program


def installed(folder: Path) -> Path:
    folder.mkdir()
    path = folder / "trunkline"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_a_name_on_the_search_path_is_enough(tmp_path, monkeypatch: pytest.MonkeyPatch):
    path = installed(tmp_path / "bin")
    monkeypatch.setattr(sys, "argv", [str(path), "run"])
    monkeypatch.setenv("PATH", f"/nowhere:{path.parent}")
    assert program() == "trunkline"


def test_elsewhere_the_whole_path_is_told(tmp_path, monkeypatch: pytest.MonkeyPatch):
    path = installed(tmp_path / "bin")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["bin/trunkline", "run"])
    monkeypatch.setenv("PATH", "/nowhere")
    assert program() == str(path)


def test_as_a_module_it_has_its_name(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "argv", ["/somewhere/trunkline/__main__.py", "run"])
    assert program() == "trunkline"
