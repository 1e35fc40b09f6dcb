"""What the command prints and returns: plain lines, JSON records, verbs, exit codes, the environment."""

from __future__ import annotations

import json
import os
import pty
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.commands import COMMAND, PATIENCE, Place, assert_no_traceback, missing
from tests.repositories import repository, write

WORKFLOW = """
name: CI
on: push
jobs:
  good:
    name: A good job
    runs-on: ubuntu-latest
    outputs: {x: "${{ steps.s.outputs.x }}"}
    steps:
      - id: s
        run: |
          echo "hello $WHO"
          echo "x=1" >> "$GITHUB_OUTPUT"
          echo "# Done" >> "$GITHUB_STEP_SUMMARY"
      - run: echo "::warning file=a.txt,line=2::look here"
  bad:
    needs: good
    runs-on: ubuntu-latest
    steps:
      - name: Break
        run: |
          echo the reason
          exit 7
  left:
    needs: bad
    runs-on: ubuntu-latest
    steps: [run: echo never]
"""


@pytest.fixture
def root(place: Place) -> Path:
    return repository(place.root / "demo", {".github/workflows/ci.yml": WORKFLOW})


def test_plain_lines(place: Place, root: Path) -> None:
    done = place.run("run", "--env", "WHO=world", cwd=root)
    assert done.code == 1
    lines = done.out.splitlines()
    assert "A good job | hello world" in lines
    assert "bad | the reason" in lines
    assert "bad | ##[error]Process completed with exit code 7." in lines
    (run_id,) = place.runs()
    assert "trunkline" in lines[-1]
    assert run_id in lines[-1]
    assert not [line for line in lines if "\r" in line]
    assert_no_traceback(done)


def test_json_records(place: Place, root: Path) -> None:
    done = place.run("run", "--json", "--env", "WHO=world", cwd=root)
    assert done.code == 1
    records: list[dict[str, Any]] = [json.loads(line) for line in done.out.splitlines()]
    text = json.dumps(records)
    for event in ("RunStarted", "JobStarted", "StepStarted", "StepCompleted", "RunCompleted"):
        assert event in text
    assert "hello world" in text
    (run_id,) = place.runs()
    events = [record for record in records if record["event"]["type"] != "log"]
    numbers = [record["number"] for record in events]
    assert numbers == list(range(1, len(place.records(run_id)) + 1))
    assert done.err == ""


def test_nothing_but_results_when_quiet(place: Place, root: Path) -> None:
    done = place.run("run", "-q", cwd=root)
    assert done.code == 1
    assert "the reason" not in done.text
    assert "bad" in done.out


def test_ci_means_plain_and_a_terminal_gets_a_live_view(place: Place, root: Path) -> None:
    for env, plain in (({"CI": "true"}, True), ({}, False)):
        seen = on_a_terminal(place, root, env)
        assert (b"bad | the reason" in seen) is plain, seen
        assert b"the reason" in seen
        assert b"Traceback" not in seen


def on_a_terminal(place: Place, root: Path, env: dict[str, str]) -> bytes:
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "run"],
        cwd=root,
        env={**place.env, "TERM": "xterm-256color", **env},
        stdin=follower,
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    seen = b""
    while True:
        try:
            data = os.read(leader, 65536)
        except OSError:
            break
        if not data:
            break
        seen += data
    os.close(leader)
    assert process.wait(PATIENCE) == 1
    return seen


def test_what_was_run_can_be_asked_for(place: Place, root: Path) -> None:
    place.run("run", "-q", "--env", "WHO=world", cwd=root)
    (run_id,) = place.runs()
    listed = place.run("runs")
    assert run_id in listed.out
    assert "failure" in listed.out
    shown = place.run("show").out
    assert not missing(
        ["✓ A good job…", "…warning: a.txt:2: look here", "…# Done"], shown.splitlines()
    )
    assert not missing(["✗ bad…", "…Break…exit code 7", "- left…"], shown.splitlines())
    told = json.loads(place.run("show", "--json", run_id[-6:]).out)
    assert told["conclusion"] == "failure"
    assert set(told["jobs"]) == {"good", "bad", "left"}
    whole = place.run("logs").out
    assert "A good job | hello world" in whole
    one = place.run("logs", run_id, "-j", "bad").out.splitlines()
    assert "the reason" in one
    assert not [line for line in one if "hello" in line]
    step = place.run("logs", "-j", "bad", "--step", "2").out.splitlines()
    assert step[-2:] == ["the reason", "##[error]Process completed with exit code 7."]
    followed = place.run("logs", "-f", "-j", "good").out
    assert "hello world" in followed
    for args in (
        ("show", "1" * 20),
        ("logs", "-j", "nobody"),
        ("logs", "-j", "bad", "--step", "99"),
    ):
        done = place.run(*args)
        assert done.code == 2, done.text
        assert_no_traceback(done)


def test_runs_are_private_and_forgotten_when_old(place: Place, root: Path) -> None:
    place.run("run", "-q", cwd=root)
    (old,) = place.runs()
    for folder in (place.state, place.state / "runs", place.state / "runs" / old):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    journal = place.state / "runs" / old / "events.jsonl"
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600
    place.run("run", "-q", cwd=root, env={"TRUNKLINE_KEEP_DAYS": "0"})
    assert old not in place.runs()


def test_secrets_are_in_no_file_that_is_kept(place: Place, root: Path) -> None:
    write(
        root,
        {
            ".secrets": "TOKEN=hush-hush-hush\n",
            ".github/workflows/ci.yml": """
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    outputs: {o: "x ${{ secrets.TOKEN }}"}
    steps:
      - run: |
          echo "${{ secrets.TOKEN }}"
          echo "::error::${{ secrets.TOKEN }}"
          echo "${{ secrets.TOKEN }}" >> $GITHUB_STEP_SUMMARY
          echo "$T" > file
        env: {T: "${{ secrets.TOKEN }}"}
      - name: named ${{ secrets.TOKEN }}
        run: exit 1
""",
        },
    )
    for args in ((), ("--json",)):
        done = place.run("run", *args, cwd=root)
        assert done.code == 1
        assert "hush" not in done.text
    kept = [path for path in place.state.rglob("*") if path.is_file() and path.name != "file"]
    assert kept
    assert not [path for path in kept if b"hush-hush" in path.read_bytes()]


def test_a_dry_run_runs_nothing(place: Place, root: Path) -> None:
    done = place.run("run", "-n", cwd=root)
    assert done.code == 0, done.text
    assert "A good job" in done.out
    assert place.runs() == []


def test_help_and_version(place: Place) -> None:
    for args in ((), ("--help",), ("--version",), ("run", "--help"), ("plan", "--help")):
        done = place.run(*args)
        assert done.code == 0
        assert done.out
        assert_no_traceback(done)


def test_what_a_job_sees_of_its_caller(place: Place) -> None:
    workflow = "on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [run: 'env; ls -A ~']}}\n"
    root = repository(place.root / "demo", {".github/workflows/ci.yml": workflow})
    outer = {
        "SSH_AUTH_SOCK": "secret-agent",
        "GH_TOKEN": "secret-token",
        "AWS_ACCESS_KEY_ID": "secret-key",
        "TWINE_PASSWORD": "secret-twine",
        "UNRELATED": "secret-other",
        "HTTPS_PROXY": "http://proxy:3128",
        "PIP_INDEX_URL": "https://mirror/simple",
        "WANTED": "wanted",
    }
    write(Path(place.env["HOME"]), {".pypirc": "secret", ".npmrc": "secret", ".aws/x": "secret"})
    done = place.run("run", "--plain", "--pass-env", "WANTED", cwd=root, env=outer)
    assert done.code == 0, done.text
    lines = done.out.splitlines()
    assert "secret" not in done.text
    for line in ("WANTED=wanted", "HTTPS_PROXY=http://proxy:3128"):
        assert f"a | {line}" in lines
    assert "a | PIP_INDEX_URL=https://mirror/simple" in lines
    assert not [line for line in lines if line.startswith("a | TRUNKLINE_")]
    home = next(line for line in lines if line.startswith("a | HOME="))
    assert str(place.state) in home
    done = place.run("run", "--plain", "--pass-env", "HOME", cwd=root)
    assert f"a | HOME={place.env['HOME']}" in done.out.splitlines()
