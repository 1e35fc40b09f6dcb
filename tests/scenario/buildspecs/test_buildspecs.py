"""Whole buildspecs, one file each, run on this machine by the command itself.

A file holds two YAML documents. The first is the case: `buildspec` (buildspec.yml, as text), `files`
(of the repository, committed), `before` (a shell script that prepares the repository),
`times` (how often it runs), `verb` (run,
unless it says lint or plan), `args` (after the verb), `env` (of the command; HERE is the repository);
`says`, `never` and
`shows` as in the workflows' scenarios. The second is how it ended, with the files of every artifact;
`--update` writes it anew.
"""

from __future__ import annotations

import stat
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.commands import NEEDS_NODE, Done, Place
from tests.endings import Ending, assert_told, compare, read_case
from tests.repositories import repository

FOLDER = Path(__file__).parent
CASES = [
    pytest.param(path, marks=[NEEDS_NODE] if "nodejs" in path.read_text(encoding="utf-8") else [])
    for path in sorted(FOLDER.glob("*.yml"))
]
KEYS = {"buildspec", "files", "before", "verb", "args", "env", "says", "never", "shows"} | {"times"}


def ran(case: dict[str, Any], place: Place) -> Done:
    """Make the repository and run the command."""
    files = {"buildspec.yml": case["buildspec"], **case.get("files", {})}
    root = repository(place.root / "demo", files)
    if "before" in case:
        subprocess.run(["sh", "-ec", case["before"]], cwd=root, check=True, timeout=120)
    for _ in range(1, case.get("times", 1)):
        place.run("run", "--plain", "-W", "buildspec.yml", cwd=root)
    verb = case.get("verb", "run")
    args = [str(each) for each in case.get("args", [])]
    if verb == "lint":
        return place.run("lint", *(args or ["buildspec.yml"]), cwd=root)
    plain = ["--plain"] if verb == "run" else []
    env = {
        name: value.replace("HERE", str(root)).replace("$PATH", place.env["PATH"])
        for name, value in case.get("env", {}).items()
    }
    return place.run(verb, *plain, "-W", "buildspec.yml", *args, cwd=root, env=env)


def stored(place: Place) -> dict[str, list[str]]:
    """Return the files of every artifact; a link is shown with where it leads."""
    return {
        path.stem: sorted(_shown(archive, each) for each in archive.infolist())
        for path in sorted(place.state.glob("runs/*/artifacts/*.zip"))
        for archive in [zipfile.ZipFile(path)]
    }


def _shown(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> str:
    if stat.S_ISLNK(entry.external_attr >> 16):
        return f"{entry.filename} -> {archive.read(entry).decode()}"
    return entry.filename


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_buildspec(path, tmp_path, request):
    case, expected = read_case(path, KEYS)
    place = Place(tmp_path)
    done = ran(case, place)
    ending = Ending(place, done)
    told = ending.told()
    if case.get("verb", "run") != "run":
        told = {"exit": done.code, "told": ending.stable(done.text).splitlines()}
    elif files := stored(place):
        told["artifacts"] = {ending.stable(name): found for name, found in files.items()}
    compare(path, told, expected, update=request.config.getoption("--update"))
    assert_told(case, ending, done, place)
