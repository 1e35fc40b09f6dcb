"""Whole workflows, one file each, run on this machine by the command itself.

A file holds two YAML documents. The first is the case: `workflow` (.github/workflows/ci.yml), `files`
(of the repository, committed), `uncommitted`, `repositories` (`owner/name[@ref]` -> files, given as
`--local-repository`), `args` (after `run`), `env` (of the command); `says`: lines of the jobs' logs in
this order (jobs sorted by key, `…` is any text), `never`: texts in no log line and nowhere else,
`shows`: lines of the command's own output. The second is how it ended; `--update` writes it anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.commands import NEEDS_NODE, Done, Place
from tests.endings import Ending, assert_told, compare, read_case
from tests.repositories import repository, write

FOLDER = Path(__file__).parent
CASES = [
    pytest.param(path, marks=[NEEDS_NODE] if "node20" in path.read_text(encoding="utf-8") else [])
    for path in sorted(FOLDER.glob("*/*.yml"))
]
KEYS = {
    *("workflow", "files", "uncommitted", "repositories", "args", "env"),
    *("says", "never", "shows"),
}


def ran(case: dict[str, Any], place: Place) -> Done:
    """Make the repositories and run the command."""
    files = dict(case.get("files", {}))
    if "workflow" in case:
        files[".github/workflows/ci.yml"] = case["workflow"]
    root = repository(place.root / "demo", files)
    write(root, case.get("uncommitted", {}))
    args = ["run", "--plain", *case.get("args", [])]
    for number, (spec, texts) in enumerate(case.get("repositories", {}).items()):
        other = place.root / f"other-{number}"
        write(other, texts)
        args += ["--local-repository", f"{spec}={other}"]
    return place.run(*args, cwd=root, env=case.get("env"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_workflow(path, tmp_path, request):
    case, expected = read_case(path, KEYS)
    place = Place(tmp_path)
    done = ran(case, place)
    ending = Ending(place, done)
    compare(path, ending.told(), expected, update=request.config.getoption("--update"))
    assert_told(case, ending, done, place)
