"""Output that can't be written: told in one line, never as a bug, and a run goes on to its end."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.commands import COMMAND, PATIENCE, Place
from tests.repositories import repository

FULL = Path("/dev/full")
TOLD = "trunkline: Can't write to standard output: No space left on device.\n"
LINES = 5000
WORKFLOW = f"""
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - run: for i in $(seq {LINES}); do echo "line $i"; done
      - run: echo it ended
"""
VERBS = [
    *(["--help"], ["--version"], ["runs"], ["show"], ["show", "--json"], ["logs"], ["images"]),
    *(["plan"], ["plan", "--json"], ["lint", "--help"], ["registry", "gc", "--help"]),
]

pytestmark = pytest.mark.skipif(not FULL.exists(), reason="this machine has no /dev/full")


@pytest.fixture
def root(place: Place) -> Path:
    return repository(place.root / "demo", {".github/workflows/ci.yml": WORKFLOW})


def run_full(
    place: Place, root: Path, *args: str, unbuffered: bool = False, err: str = ""
) -> tuple[int, str]:
    """Run a command whose output goes to a full disk; return its code and what it told."""
    env = {**place.env, **({"PYTHONUNBUFFERED": "1"} if unbuffered else {})}
    with FULL.open("wb") as out, Path(err or place.root / "err").open("w") as told:
        done = subprocess.run(
            [*COMMAND, *args],
            cwd=root,
            env=env,
            stdout=out,
            stderr=told,
            timeout=PATIENCE,
            check=False,
        )
    return done.returncode, "" if err else (place.root / "err").read_text()


@pytest.mark.parametrize("unbuffered", [False, True])
def test_every_verb_tells_that_its_output_was_not_written(
    place: Place,
    root: Path,
    unbuffered: bool,  # noqa: FBT001
) -> None:
    place.run("run", cwd=root)
    for verb in VERBS:
        found = run_full(place, root, *verb, unbuffered=unbuffered)
        assert (verb, *found) == (verb, 3, TOLD)


@pytest.mark.parametrize("style", ["--plain", "--json", "--quiet"])
def test_a_run_goes_on_to_its_end(place: Place, root: Path, style: str) -> None:
    code, told = run_full(place, root, "run", style)
    assert code == 3
    assert told.startswith(TOLD)
    assert "`trunkline logs`" in told
    (run_id,) = place.runs()
    log = place.log(run_id, "test")
    assert f"line {LINES}" in log
    assert "it ended" in log
    assert place.processes() == {}


def test_nothing_can_be_told_where_messages_do_not_fit_either(place: Place, root: Path) -> None:
    assert run_full(place, root, "run", err=str(FULL)) == (3, "")
    assert run_full(place, root, "nonsense", err=str(FULL)) == (2, "")
    assert "it ended" in place.log(place.runs()[0], "test")


def test_a_reader_that_has_seen_enough_is_no_fault(place: Place, root: Path) -> None:
    for verb in (["run"], ["run", "--json"], ["logs"]):
        process = place.start(*verb, cwd=root)
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.wait(PATIENCE) == 0
        assert process.stderr.read() == b""
        process.stderr.close()
    assert all("it ended" in place.log(run_id, "test") for run_id in place.runs())
