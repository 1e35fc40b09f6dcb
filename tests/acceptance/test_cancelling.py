"""Stopping: Ctrl-C once and twice, SIGTERM, `cancel`, kill -9, and groups across processes."""

from __future__ import annotations

import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.commands import NEEDS_NODE, Done, Place, assert_no_traceback, finish, until
from tests.repositories import repository
from trunkline.run.events import JobCompleted, RunCompleted, StepCompleted

LONG = """
on: push
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - run: |
          echo started > "$STARTED"
          sleep 300 >/dev/null 2>&1 & sleep 300
      - run: echo never
      - if: cancelled()
        run: echo told
      - if: always()
        run: echo cleaned up
      - if: always()
        uses: $/act
  after:
    needs: one
    if: always()
    runs-on: ubuntu-latest
    steps: [run: 'echo "one was ${{ needs.one.result }}"']
"""
STUBBORN = """
on: push
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - if: always()
        run: |
          trap '' INT TERM HUP
          echo started > "$STARTED"
          while true; do sleep 0.2; done
      - if: always()
        run: echo never
"""
ACTION = {
    "act/action.yml": "runs: {using: node20, main: m.js, post: p.js}",
    "act/m.js": "console.log('action')",
    "act/p.js": "console.log('post')",
}


class Running:
    """A run under way, in a step that has begun."""

    def __init__(self, place: Place, workflow: str, name: str = "demo", **files: str) -> None:
        self.place = place
        self.started = place.root / f"{name}-started"
        files = {".github/workflows/ci.yml": workflow, **ACTION, **files}
        self.root = place.root / name
        if not self.root.exists():
            repository(self.root, files)
        self.process = place.start(
            "run", "--plain", "--env", f"STARTED={self.started}", cwd=self.root
        )

    def wait(self) -> subprocess.Popen[bytes]:
        until(self.started.exists, self.process)
        return self.process


def said(place: Place, run_id: str, key: str) -> list[str]:
    return [line for line in place.log(run_id, key) if line in SAID]


SAID = {"never", "told", "cleaned up", "one was cancelled", "action", "post"}


@NEEDS_NODE
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_asked_once_to_stop_it_cancels_as_github_does(number: int, place: Place) -> None:
    process = Running(place, LONG).wait()
    process.send_signal(number)
    done = finish(process)
    assert done.code == 130, done.text
    (run_id,) = place.runs()
    assert said(place, run_id, "one") == ["told", "cleaned up", "action", "post"]
    assert said(place, run_id, "after") == ["one was cancelled"]
    assert_no_traceback(done)


def test_asked_twice_it_kills(place: Place) -> None:
    process = Running(place, STUBBORN).wait()
    process.send_signal(signal.SIGINT)
    (run_id,) = place.runs()
    until(lambda: len(cancellations(place, run_id)) > 0, process)
    process.send_signal(signal.SIGINT)
    done = finish(process)
    assert done.code == 130, done.text
    assert said(place, run_id, "one") == []
    assert_no_traceback(done)


def cancellations(place: Place, run_id: str) -> list[str]:
    names = [type(record.event).__name__ for record in place.records(run_id)]
    return [name for name in names if name == "CancelRequested"]


@NEEDS_NODE
def test_cancel_from_another_process(place: Place) -> None:
    # What a step leaves keeps its output open: it is not read for longer than five seconds.
    process = Running(place, LONG.replace(" >/dev/null 2>&1", "")).wait()
    asked = place.run("cancel")
    assert asked.code == 0, asked.text
    done = finish(process)
    assert done.code == 130, done.text
    (run_id,) = place.runs()
    assert said(place, run_id, "one") == ["told", "cleaned up", "action", "post"]
    again = place.run("cancel", run_id)
    assert again.code == 2
    assert "is not going on" in again.err


@NEEDS_NODE
def test_a_killed_engine_leaves_what_the_next_start_sweeps(place: Place) -> None:
    process = Running(place, LONG).wait()
    process.kill()
    process.communicate()
    assert place.processes(), "the test needs orphans"
    assert place.leftovers()
    (torn,) = place.runs()
    shown = place.run("runs")
    assert shown.code == 0
    assert f"{torn}  killed " in shown.out
    assert_no_traceback(shown)
    assert f"run {torn}: killed, its process ended before it did" in place.run("show", torn).out
    quick = repository(place.root / "quick", {".github/workflows/ci.yml": QUICK})
    done = place.run("run", "--plain", cwd=quick)
    assert done.code == 0, done.text
    assert not place.processes()
    assert not place.leftovers()
    for verb in ("show", "logs", "cancel"):
        asked = place.run(verb, torn)
        assert asked.code == (2 if verb == "cancel" else 0), asked.text
        assert_no_traceback(asked)


QUICK = "on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [run: echo quick]}}\n"
GROUPED = """
on: push
concurrency: {group: deploy, cancel-in-progress: CANCEL}
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - run: |
          echo started > "$STARTED"
          until [ -e "$STARTED.go" ]; do sleep 0.05; done
"""


def conclusions(place: Place) -> list[str]:
    found = []
    for run_id in place.runs():
        events = [record.event for record in place.records(run_id)]
        found += [str(event.conclusion) for event in events if isinstance(event, RunCompleted)]
    return found


def test_a_group_is_waited_for_across_processes(place: Place) -> None:
    workflow = GROUPED.replace("CANCEL", "false")
    first = Running(place, workflow)
    process = first.wait()
    second = place.start("run", "--plain", "--env", f"STARTED={place.root}/second", cwd=first.root)
    until(lambda: len(place.runs()) == 2, second)
    until(lambda: waits(place), second)
    assert not (place.root / "second").exists()
    third = place.start("run", "--plain", "--env", f"STARTED={place.root}/third", cwd=first.root)
    superseded = finish(second)
    assert superseded.code == 1, superseded.text
    Path(f"{first.started}.go").touch()
    Path(f"{place.root}/third.go").touch()
    assert finish(process).code == 0
    assert finish(third).code == 0
    assert conclusions(place) == ["success", "cancelled", "success"]


def waits(place: Place) -> bool:
    newest = place.records(place.runs()[-1])
    return any(type(record.event).__name__ == "RunPending" for record in newest)


def test_a_group_cancels_in_another_process(place: Place) -> None:
    first = Running(place, GROUPED.replace("CANCEL", "true"))
    process = first.wait()
    Path(f"{place.root}/second.go").touch()
    second = place.start("run", "--plain", "--env", f"STARTED={place.root}/second", cwd=first.root)
    assert finish(process).code == 1
    assert finish(second).code == 0
    assert conclusions(place) == ["cancelled", "success"]


def test_a_dead_engine_holds_no_group(place: Place) -> None:
    first = Running(place, GROUPED.replace("CANCEL", "false"))
    process = first.wait()
    process.kill()
    process.communicate()
    Path(f"{place.root}/second.go").touch()
    done = place.run("run", "--plain", "--env", f"STARTED={place.root}/second", cwd=first.root)
    assert done.code == 0, done.text


def test_what_a_step_leaves_running_is_ended_and_told(place: Place) -> None:
    workflow = LEAVES.replace("SETSID", "setsid nohup sleep 301 >/dev/null 2>&1 &")
    root = repository(place.root / "demo", {".github/workflows/ci.yml": workflow})
    done = place.run("run", "--plain", cwd=root)
    assert done.code == 0, done.text
    (run_id,) = place.runs()
    assert [line for line in place.log(run_id, "a") if line.startswith("Terminate orphan process")]
    assert not place.processes()


LEAVES = "on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: 'SETSID'}, {run: echo on}]}}\n"


FETCHES = """
on: push
jobs:
  one: {runs-on: ubuntu-latest, steps: [uses: octo/slow@v1]}
  two: {needs: one, if: always(), runs-on: ubuntu-latest, steps: [run: echo cleaned up]}
"""
CALLS = "on: push\njobs: {a: {uses: octo/slow/.github/workflows/x.yml@v1}}\n"


def stopped_while_fetching(place: Place, workflow: str, number: int) -> Done:
    """Stop a run that fetches from a server that never answers."""
    root = repository(place.root / "demo", {".github/workflows/ci.yml": workflow})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        proxy = f"http://127.0.0.1:{silent.getsockname()[1]}"
        env = {"HTTPS_PROXY": proxy, "https_proxy": proxy}
        process = place.start("run", "--plain", cwd=root, env=env)
        silent.settimeout(60)
        connection, _ = silent.accept()
        process.send_signal(number)
        done = finish(process)
        left = place.processes()
        connection.close()
    assert done.code == 130, done.text
    assert not left
    assert_no_traceback(done)
    return done


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_fetch_that_hangs_is_given_up(number: int, place: Place) -> None:
    done = stopped_while_fetching(place, FETCHES, number)
    (run_id,) = place.runs()
    assert said(place, run_id, "two") == ["cleaned up"]
    assert "Unable to resolve action `octo/slow@v1`: it was cancelled." in done.out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_fetch_before_the_run_is_given_up(number: int, place: Place) -> None:
    stopped_while_fetching(place, CALLS, number)
    assert place.runs() == []


@NEEDS_NODE
def test_steps_of_a_cancelled_run_are_in_the_journal(place: Place) -> None:
    process = Running(place, LONG).wait()
    process.send_signal(signal.SIGINT)
    finish(process)
    (run_id,) = place.runs()
    events = [record.event for record in place.records(run_id)]
    ended = [str(event.conclusion) for event in events if isinstance(event, StepCompleted)]
    assert "cancelled" in ended
    assert isinstance(events[-1], RunCompleted)
    assert {event.key for event in events if isinstance(event, JobCompleted)} == {"one", "after"}
