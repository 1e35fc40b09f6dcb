"""Runs real repositories' own workflows from clones: green as they are, red with one test broken.

    python -m tests.real.repositories_run DIR [--write FILE]

DIR holds clones by the names of `CASES`; one that is not there is told and left out.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.real.runs import Outcome, report, run

# Four tests of requests wait for an address that never answers; where the network refuses at once
# (a closed machine) they fail without us too.
NO_BLACK_HOLE = "PYTEST_ADDOPTS=-k 'not test_connect_timeout and not test_total_timeout_connect'"
MARK = "real"
PYTHON_TEST = "\n\ndef test_broken_on_purpose():\n    assert 'this' == 'broken on purpose'\n"
NODE_TEST = "\nit('is broken', function () { throw new Error('broken on purpose') })\n"
HEADING = ["repository", "commit", "command", "as it is: green", "one test broken: red"]


class Case(NamedTuple):
    """A part of a repository's workflows, and the test to break in it.

    `clone` is the folder's name, `shows` what a green run must print, `broken` the text appended
    to the file `test`; a case without `test` is run green alone.
    """

    clone: str
    arguments: tuple[str, ...]
    shows: tuple[str, ...] = ()
    test: str = ""
    broken: str = ""


CASES = [
    Case(
        "requests",
        (
            *("-W", ".github/workflows/run-tests.yml", "-j", "build"),
            *("--matrix", "python-version:3.11", "--env", NO_BLACK_HOLE),
        ),
        ("passed",),
        "tests/test_structures.py",
        PYTHON_TEST,
    ),
    Case("express", ("-W", ".github/workflows/ci.yml", "-j", "lint")),
    Case(
        "express",
        ("-W", ".github/workflows/ci.yml", "-j", "test", "--matrix", "node-version:20"),
        ("passing", "coverage-node-20-ubuntu-latest"),
        "test/app.js",
        NODE_TEST,
    ),
    Case(
        "itsdangerous",
        ("-W", ".github/workflows/tests.yaml", "-j", "tests", "--matrix", "python:3.11"),
        ("passed",),
        "tests/test_itsdangerous/test_signer.py",
        PYTHON_TEST,
    ),
]


def tell(outcome: Outcome, *, code: int, shows: tuple[str, ...]) -> str:
    """Return the time if the run came out as it should, else what it lacked, in bold."""
    if outcome.code != code:
        return f"**exit code {outcome.code}, not {code}**"
    missing = [text for text in shows if text not in outcome.output]
    return f"**no {missing[0]!r} in its output**" if missing else f"{outcome.seconds:.0f} s"


def broken_copy(case: Case, clone: Path, scratch: Path) -> Path:
    """Return a copy of `clone` in which one test fails; the change is not committed."""
    copy = Path(tempfile.mkdtemp(dir=scratch)) / case.clone
    shutil.copytree(clone, copy, symlinks=True)
    with (copy / case.test).open("a", encoding="utf-8") as file:
        file.write(case.broken)
    return copy


def commit(clone: Path) -> str:
    argv = ["git", "-C", str(clone), "rev-parse", "--short=10", "HEAD"]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


def row(number: int, case: Case, clone: Path, scratch: Path) -> list[str]:
    """Run a case green and red; keep both logs in `scratch`."""
    print(f"running {case.clone}: {' '.join(case.arguments)}", file=sys.stderr, flush=True)
    green = run(clone, ("push", *case.arguments), scratch / f"{number}-green.log")
    as_it_is = tell(green, code=0, shows=case.shows)
    with_one_broken = ""
    if case.test:
        copy = broken_copy(case, clone, scratch)
        red = run(copy, ("push", *case.arguments), scratch / f"{number}-red.log")
        with_one_broken = tell(red, code=1, shows=("broken on purpose",))
        shutil.rmtree(copy.parent)
    command = f"`trunkline run {' '.join(case.arguments)}`"
    return [case.clone, commit(clone), command, as_it_is, with_one_broken]


def main() -> int:
    parser = argparse.ArgumentParser(description="Run real repositories' workflows from clones.")
    parser.add_argument("repositories", type=Path, metavar="DIR", help="the folder of the clones")
    parser.add_argument("--only", metavar="NAME", help="this repository alone")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into FILE")
    arguments = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="trunkline-real-"))
    rows = []
    for number, case in enumerate(CASES):
        clone = arguments.repositories / case.clone
        if arguments.only not in (None, case.clone):
            continue
        if not clone.is_dir():
            print(f"left out: there is no clone at {clone}", file=sys.stderr)
            continue
        rows.append(row(number, case, clone.resolve(), scratch))
    return report(HEADING, rows, scratch, (arguments.write, MARK))


if __name__ == "__main__":
    sys.exit(main())
