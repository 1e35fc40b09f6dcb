"""Runs a command in a fresh home and tells its wall time and its peak memory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import NamedTuple

BIN = Path(sysconfig.get_path("scripts"))


class Runner(NamedTuple):
    """A program that runs workflows, and the flags with which it does so on the host."""

    name: str
    program: Path
    flags: tuple[str, ...]

    def argv(self, repository: Path) -> list[str]:
        verb = ("run", "push") if self.name == "trunkline" else ("push",)
        return [str(self.program), *verb, "-C", str(repository), *self.flags]


TRUNKLINE = Runner("trunkline", BIN / "trunkline", ("--plain",))
ACT = Runner("act", BIN / "act", ("-P", "ubuntu-latest=-self-hosted"))


class Sample(NamedTuple):
    """One measured run: wall seconds, and the largest resident set of the runner in KiB."""

    seconds: float
    peak_kib: int
    output: str


def make_repository(place: Path, workflow: str, secrets: dict[str, str]) -> Path:
    """Make a committed git repository in `place` that holds `workflow` and a `.secrets` file."""
    folder = place / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "bench.yml").write_text(workflow)
    (place / ".gitignore").write_text(".secrets\n")
    if secrets:
        lines = [f"{name}={value}\n" for name, value in secrets.items()]
        (place / ".secrets").write_text("".join(lines))
    git = ["git", "-C", str(place), "-c", "user.name=bench", "-c", "user.email=bench@localhost"]
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "bench"]):
        subprocess.run([*git, *command], check=True)
    return place


def run(runner: Runner, repository: Path, scratch: Path) -> Sample:
    """Run the push event of `repository` once, with `scratch` as an empty home.

    Raises SystemExit with the end of the output when the runner fails: there is nothing to measure.
    """
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    # The survey that act starts with is about container images; an empty file answers it.
    (scratch / ".actrc").touch()
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    log = scratch / "output"
    with log.open("wb") as sink:
        started = time.perf_counter()
        process = subprocess.Popen(
            runner.argv(repository),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env={**kept, "HOME": str(scratch)},
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    output = log.read_text(errors="replace")
    if process.returncode:
        sys.exit(f"{runner.name} ended with {process.returncode}:\n{output[-2000:]}")
    return Sample(seconds, usage.ru_maxrss, output)
