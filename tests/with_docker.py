"""Runs a command with a Docker Engine in its reach: `python -m tests.with_docker COMMAND...`.

The engine that answers at DOCKER_HOST or at the usual socket is used as it is. Where none answers
and we are root, one of our own is started, and it is gone when the command has ended.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 180
# A socket's path has at most 107 characters, and TMPDIR may be long.
SCRATCH = "/tmp"  # noqa: S108 - mkdtemp makes a folder of our own below it


def answers(host: str | None = None) -> bool:
    """Tell whether an engine answers at an address, by default at the client's own."""
    argv = ["docker", *(["--host", host] if host else []), "version"]
    try:
        return subprocess.run(argv, check=False, capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@contextmanager
def own_engine() -> Iterator[str]:
    """Start an engine of our own; yield its address; stop it, and leave nothing of it."""
    folder = Path(tempfile.mkdtemp(prefix="tl-docker.", dir=SCRATCH))
    host = f"unix://{folder}/sock"
    places = {"host": host, "pidfile": folder / "pid", "data-root": folder / "data"}
    options = [f"--{name}={value}" for name, value in places.items()]
    options += [f"--exec-root={folder}/exec", "--shutdown-timeout=5"]
    # It dies with us however we end; Ctrl-C is for the command, which removes its containers first.
    argv = ["setpriv", "--pdeathsig", "TERM", "dockerd", *options]
    log = folder / "log"
    with log.open("wb") as file:
        dockerd = subprocess.Popen(argv, stdout=file, stderr=file, start_new_session=True)
    try:
        deadline = time.monotonic() + PATIENCE
        while not answers(host):
            if dockerd.poll() is not None or time.monotonic() > deadline:
                said = log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
                print("dockerd did not start; it said:", *said, sep="\n", file=sys.stderr)
                break
            time.sleep(0.1)
        yield host
    finally:
        dockerd.terminate()
        try:
            dockerd.wait(60)
        except subprocess.TimeoutExpired:
            dockerd.kill()
            dockerd.wait()
        remove(folder)


def remove(folder: Path) -> None:
    """Remove a folder, and first what a killed engine left mounted below it."""
    mounts = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    below = [line.split()[1] for line in mounts if line.split()[1].startswith(f"{folder}/")]
    for path in sorted(below, reverse=True):
        subprocess.run(["umount", "-l", path], check=False)
    shutil.rmtree(folder, ignore_errors=True)


def run(argv: Sequence[str], env: Mapping[str, str]) -> int:
    """Run the command to its end, whatever signal we get, and return its exit code."""
    command = subprocess.Popen(argv, env=dict(env))
    # Ctrl-C reaches the command as it reaches us.
    signal.signal(signal.SIGINT, lambda *_: None)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: command.terminate())
    code = command.wait()
    return code if code >= 0 else 128 - code


def main() -> int:
    argv = sys.argv[1:]
    if answers() or os.geteuid() != 0 or not (shutil.which("docker") and shutil.which("dockerd")):
        return run(argv, os.environ)
    with own_engine() as host:
        return run(argv, {**os.environ, "DOCKER_HOST": host})


if __name__ == "__main__":
    sys.exit(main())
