"""Runs real repositories' own workflows from clones: green as they are, red with one test broken.

    python -m tests.real.run DIR [--write FILE]

DIR holds clones by the names of `CASES`; one that is not there is told and left out.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.table import machine, table, write

# Four tests of requests wait for an address that never answers; where the network refuses at once
# (a closed machine) they fail without us too.
NO_BLACK_HOLE = "PYTEST_ADDOPTS=-k 'not test_connect_timeout and not test_total_timeout_connect'"
MARK = "real"
TRUNKLINE = Path(sysconfig.get_path("scripts"), "trunkline")
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


class Outcome(NamedTuple):
    """What a run came to: its exit code, its output and its wall seconds."""

    code: int
    output: str
    seconds: float

    def tell(self, *, code: int, shows: tuple[str, ...]) -> str:
        """Return the time if the run came out as it should, else what it lacked, in bold."""
        if self.code != code:
            return f"**exit code {self.code}, not {code}**"
        missing = [text for text in shows if text not in self.output]
        return f"**no {missing[0]!r} in its output**" if missing else f"{self.seconds:.0f} s"


def run(repository: Path, arguments: tuple[str, ...], log: Path) -> Outcome:
    """Run the push event of `repository`, writing what is printed to `log`."""
    argv = [str(TRUNKLINE), "run", "push", "--plain", *arguments]
    started = time.perf_counter()
    with log.open("wb") as sink:
        done = subprocess.run(
            argv, check=False, cwd=repository, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink
        )
    seconds = time.perf_counter() - started
    return Outcome(done.returncode, log.read_text(errors="replace"), seconds)


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
    green = run(clone, case.arguments, scratch / f"{number}-green.log")
    as_it_is = green.tell(code=0, shows=case.shows)
    with_one_broken = ""
    if case.test:
        copy = broken_copy(case, clone, scratch)
        red = run(copy, case.arguments, scratch / f"{number}-red.log")
        with_one_broken = red.tell(code=1, shows=("broken on purpose",))
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
    if not rows:
        return 2
    lines = table(HEADING, rows)
    report = f"{lines}\n{machine()}.\n"
    print(f"{report}\nLogs: {scratch}{os.sep}")
    if arguments.write:
        write(arguments.write, MARK, report)
    return 1 if any("**" in cell for cells in rows for cell in cells) else 0


if __name__ == "__main__":
    sys.exit(main())
