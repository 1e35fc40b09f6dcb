"""Runs a command in a fresh home and tells its wall time and its peak memory."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import NamedTuple

BIN = Path(sysconfig.get_path("scripts"))


class Runner(NamedTuple):
    """A program that runs workflows, and the flags with which it does so on this machine."""

    name: str
    program: Path
    flags: tuple[str, ...]

    def argv(self, repository: Path) -> list[str]:
        verb = ("run", "push") if self.name == "trunkline" else ("push",)
        return [str(self.program), *verb, "-C", str(repository), *self.flags]


TRUNKLINE = Runner("trunkline", BIN / "trunkline", ("--plain",))
# Images are those that the engine has: there is no registry to ask.
ACT = Runner("act", BIN / "act", ("-P", "ubuntu-latest=-self-hosted", "--pull=false"))
KEPT = ("PATH", "LANG", "TMPDIR", "DOCKER_HOST")


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
    return commit(place)


def commit(place: Path) -> Path:
    """Make a git repository of a folder, and commit all of it."""
    git = ["git", "-C", str(place), "-c", "user.name=bench", "-c", "user.email=bench@localhost"]
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "bench"]):
        subprocess.run([*git, *command], check=True)
    return place


# A child's peak memory counts what its parent held when it was forked: a small parent starts it.
LAUNCH = """
import os, sys, time
log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
started = time.perf_counter()
actions = [(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)]
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ, file_actions=actions)
_, status, usage = os.wait4(pid, 0)
print(time.perf_counter() - started, os.waitstatus_to_exitcode(status), usage.ru_maxrss)
"""


def run(runner: Runner, repository: Path, scratch: Path) -> Sample:
    """Run the push event of `repository` once, with `scratch` as the home, kept between runs.

    Raises SystemExit with the end of the output when the runner fails: there is nothing to measure.
    """
    scratch.mkdir(exist_ok=True)
    # The survey that act starts with is about container images; an empty file answers it.
    (scratch / ".actrc").touch()
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    log = scratch / "output"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", LAUNCH, str(log), *runner.argv(repository)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**kept, "HOME": str(scratch)},
    )
    seconds, code, memory = done.stdout.split()
    output = log.read_text(errors="replace")
    if int(code):
        sys.exit(f"{runner.name} ended with {code}:\n{output[-2000:]}")
    return Sample(float(seconds), int(memory), output)
