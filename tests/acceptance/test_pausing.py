"""`--pause-on-failure`: a shell in the place of a step that failed, on a real terminal."""

from __future__ import annotations

import codecs
import os
import select
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.commands import COMMAND, PATIENCE, Place
from tests.repositories import repository
from trunkline.run.events import Conclusion, RunCompleted, StepCompleted

WORKFLOW = """
on: push
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - run: |
          mkdir -p inner
          false
        continue-on-error: true
      - run: exit 3
        env: {COLOUR: 'light blue'}
        working-directory: inner
      - if: always()
        run: echo "FOUND is '$FOUND'"
"""
IN_CONTAINER = """
on: push
jobs:
  one:
    runs-on: ubuntu-latest
    container: {image: IMAGE}
    steps:
      - run: touch here; exit 3
        shell: sh
"""
COMPOSITE = """
on: push
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - uses: $/act
"""
ACTION = "runs: {using: composite, steps: [{run: exit 4, shell: sh}]}"
PROMPT = "one $ "


class Screen:
    """A terminal with somebody at it, and the command that runs on it."""

    def __init__(self, place: Place, cwd: Path) -> None:
        self._keys, terminal = os.openpty()
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *COMMAND, "run", "--pause-on-failure"],
            cwd=cwd,
            env={**place.env, "TERM": "xterm"},
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
        )
        os.close(terminal)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._shown = ""

    def until(self, text: str) -> str:
        """Return what is shown up to a text, once it is there."""
        end = time.monotonic() + PATIENCE
        while text not in self._shown:
            ready, _, _ = select.select([self._keys], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"'{text}' is not shown:\n{self._shown}"
            self._shown += self._read()
        before, _, self._shown = self._shown.partition(text)
        return before

    def type(self, text: str) -> None:
        os.write(self._keys, text.encode())

    def answer(self, command: str) -> list[str]:
        """Type a command; return the lines that it prints."""
        self.type(f"{command}\n")
        return self.until(PROMPT).replace("\r", "").splitlines()[1:]

    def end(self) -> int:
        """Wait for the command to end; return its exit code."""
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        """Leave the terminal, which ends what runs on it."""
        os.close(self._keys)
        self.process.wait(PATIENCE)

    def _read(self) -> str:
        try:
            data = os.read(self._keys, 65536)
        except OSError:  # nobody has the other side open any more
            data = b""
        assert data, f"it ended:\n{self._shown}"
        return self._decoder.decode(data)


Watch = Callable[[Place, Path], Screen]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return repository(
        tmp_path / "demo", {".github/workflows/ci.yml": WORKFLOW, "act/action.yml": ACTION}
    )


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Yield what runs the command on a terminal."""
    with ExitStack() as stack:

        def watched(place: Place, folder: Path) -> Screen:
            screen = Screen(place, folder)
            stack.callback(screen.close)
            return screen

        yield watched


def write(folder: Path, workflow: str) -> None:
    (folder / ".github/workflows/ci.yml").write_text(workflow)


def only_run(place: Place) -> str:
    (run_id,) = place.runs()
    return run_id


def test_a_shell_is_open_where_a_step_failed(place: Place, folder: Path, watch: Watch) -> None:
    screen = watch(place, folder)
    told = screen.until(PROMPT)
    assert "step 'Run exit 3': exit code 3" in told
    assert "one | Paused: a shell is open in this step's place" in told
    assert screen.answer("basename $PWD; echo $COLOUR") == ["inner", "light blue"]
    assert screen.answer("cd ..; word=kept") == []
    assert screen.answer('echo "$word in $(basename $PWD)"') == ["kept in demo"]
    assert screen.answer('echo FOUND=it >>"$GITHUB_ENV"') == []
    screen.type("exit 9\n")
    screen.until("FOUND is 'it'")
    screen.until("Next: trunkline")
    assert screen.end() == 1
    run_id = only_run(place)
    assert [
        (each.event.number, each.event.exit_code)
        for each in place.records(run_id)
        if isinstance(each.event, StepCompleted) and each.event.outcome is Conclusion.FAILURE
    ] == [(2, 1), (3, 3)]
    log = place.log(run_id, "one")
    assert log.count("Paused: a shell is open in this step's place") == 1
    assert not [line for line in log if "word=kept" in line or "light blue in" in line]


def test_a_command_is_cancelled_with_its_run(place: Place, folder: Path, watch: Watch) -> None:
    screen = watch(place, folder)
    screen.until(PROMPT)
    screen.type("echo begun; sleep 300\n")
    screen.until("\r\nbegun")
    screen.type("\x03")
    assert screen.end() == 130
    ends = [each.event for each in place.records(only_run(place))]
    assert isinstance(ends[-1], RunCompleted)
    assert ends[-1].conclusion is Conclusion.CANCELLED


def test_a_step_of_a_composite_action_is_looked_at_once(
    place: Place, folder: Path, watch: Watch
) -> None:
    write(folder, COMPOSITE)
    screen = watch(place, folder)
    assert "step 'Run exit 4': exit code 4" in screen.until(PROMPT)
    screen.type("\x04")
    assert PROMPT not in screen.until("Next: trunkline")
    assert screen.end() == 1


def test_without_a_terminal_nothing_runs(place: Place, folder: Path) -> None:
    done = subprocess.run(
        ["setsid", "--wait", *COMMAND, "run", "--pause-on-failure"],
        cwd=folder,
        env=place.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 2
    assert "There is no terminal to open a shell on" in done.stderr
    assert place.runs() == []


def test_the_shell_is_in_the_container_of_the_job(
    docked: Place, folder: Path, busybox_image: str, watch: Watch
) -> None:
    write(folder, IN_CONTAINER.replace("IMAGE", busybox_image))
    screen = watch(docked, folder)
    screen.until(PROMPT)
    assert screen.answer("ls; pwd") == ["here", "/__w/demo/demo"]
    screen.type("exit\n")
    screen.until("The job goes on.")
    screen.until("Next: trunkline")
    assert screen.end() == 1
