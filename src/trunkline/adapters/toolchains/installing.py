"""What installers share: one at a time in a cache folder, and clients run to their end."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from trunkline.base.errors import Unavailable

SECONDS = 600


@contextmanager
def locked(folder: Path, name: str = "lock") -> Iterator[None]:
    """Hold a folder, which is made, against other processes that install into it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def run_client(failure: str, environment: Mapping[str, str], argv: Sequence[str]) -> str:
    """Run a client; return what it printed. Raises Unavailable: `failure`, then its last words."""
    try:
        done = subprocess.run(
            argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        told = (error.stderr or error.stdout).strip().split("\n")[-1]
        raise Unavailable(f"{failure}: {told or f'exit code {error.returncode}'}") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{failure}: no end after {SECONDS} seconds.") from error
    return done.stdout
