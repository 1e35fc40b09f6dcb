"""The command as users have it: a process of its own, with folders of its own, and what it leaves."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from trunkline.adapters.clock import SystemClock
from trunkline.adapters.journals.files import FileJournals
from trunkline.adapters.logs.files import FileLogStore
from trunkline.run.events import JobCompleted, Record

COMMAND = (sys.executable, "-m", "trunkline")
# What a busy machine takes at most for a run; only a command that hangs is waited for that long.
PATIENCE = 300
STAMP = len("2026-01-02T03:04:05.0000000Z ")
TRACEBACK = "Traceback (most recent call last)"
# What a job's own program could print: those lines are the job's, not ours.
_OF_A_JOB = re.compile(r"^[^|]* \| ")


NEEDS_NODE = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed here")


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


class Place:
    """A user's machine: a home, a state folder and a cache, all below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.state = root / "state"
        self.cache = root / "cache"
        home = root / "home"
        home.mkdir(parents=True, exist_ok=True)
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "TRUNKLINE_STATE": str(self.state),
            "TRUNKLINE_CACHE": str(self.cache),
            "GIT_CONFIG_NOSYSTEM": "1",
        }

    def start(
        self, *args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start the command; the caller ends it."""
        return subprocess.Popen(
            [*COMMAND, *args],
            cwd=cwd or self.root,
            env={**self.env, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(
        self,
        *args: str,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        patience: float = PATIENCE,
    ) -> Done:
        """Run the command to its end."""
        return finish(self.start(*args, cwd=cwd, env=env), patience)

    # --- what it left -------------------------------------------------------------------

    @property
    def journals(self) -> FileJournals:
        return FileJournals(str(self.state), SystemClock())

    def runs(self) -> list[str]:
        return self.journals.runs()

    def records(self, run_id: str) -> Sequence[Record]:
        return self.journals.open(run_id).read()

    def log(self, run_id: str, key: str) -> list[str]:
        """Return a job's lines without their timestamps."""
        data = FileLogStore(str(self.state)).read(run_id, key)
        return [line[STAMP:] for line in data.decode().split("\n")[:-1]]

    def processes(self) -> dict[int, str]:
        """Return the processes that know this place's state folder: pid -> command line."""
        return processes_that_know(self.state)

    def leftovers(self) -> list[str]:
        """Return what lies in the work folder besides the workspaces that runs kept."""
        work = self.state / "work"
        kept = {
            Path(record.event.workspace)
            for run_id in self.runs()
            for record in self.records(run_id)
            if isinstance(record.event, JobCompleted) and record.event.workspace
        }
        belong = {path for workspace in kept for path in (workspace, *workspace.parents)}
        found = sorted(path for path in work.rglob("*") if path not in belong)
        return [
            str(path.relative_to(work))
            for path in found
            if not any(path.is_relative_to(workspace) for workspace in kept)
        ]


def finish(process: subprocess.Popen[bytes], patience: float = PATIENCE) -> Done:
    """Wait for a command; return its code and what it said."""
    try:
        out, err = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"it did not end:\n{_text(out)}\n{_text(err)}") from None
    return Done(process.returncode, _text(out), _text(err))


def until(holds: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    """Wait until something holds, as long as a command lives and does not seem to hang."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, finish(process, 0)
        time.sleep(0.02)


def processes_that_know(path: Path) -> dict[int, str]:
    """Return the processes in whose environment a path stands."""
    found: dict[int, str] = {}
    wanted = os.fsencode(path)
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            if wanted in (entry / "environ").read_bytes():
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
                found[int(entry.name)] = command.decode(errors="replace")
        except OSError:
            continue
    return found


def assert_no_traceback(done: Done) -> None:
    """Assert that Trunkline itself showed no traceback; a job's own Python may."""
    ours = [line for line in done.text.splitlines() if not _OF_A_JOB.match(line)]
    assert not [line for line in ours if TRACEBACK in line], done.text
    assert "bug of ours" not in done.text, done.text


def missing(wanted: Iterable[str], lines: Sequence[str]) -> list[str]:
    """Return the wanted lines that are not there in this order; `…` stands for any text."""
    at = 0
    absent = []
    for each in wanted:
        found = next((at + n for n, line in enumerate(lines[at:]) if fits(each, line)), None)
        if found is None:
            absent.append(each)
        else:
            at = found + 1
    return absent


def fits(pattern: str, line: str) -> bool:
    """Tell whether a line is the pattern; `…` stands for any text."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("…"))), line) is not None


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
