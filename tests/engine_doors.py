"""Other ways to the engine's socket: by another one, behind TLS, over ssh; each ends when it is left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.engine import needed
from tests.images import Lacking

PATIENCE = 20


def program(name: str, package: str) -> str:
    """Return a program's path; skips or fails the test where it is not installed."""
    with needed():
        found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
        if found is None:
            raise Lacking(f"Debian's {package} is not installed")
    return found


class Door(NamedTuple):
    """A server between clients and the engine, in a session of its own, with all it starts."""

    address: str
    process: subprocess.Popen[bytes]

    def close(self) -> None:
        """End it, with every connection through it."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)


@contextmanager
def another_socket(engine_host: str, path: Path) -> Iterator[Door]:
    """Yield an engine's socket at another place."""
    listening = f"UNIX-LISTEN:{path},fork"
    with _socat(f"unix://{path}", listening, engine_host) as door:
        while not path.exists():
            assert door.process.poll() is None
            time.sleep(0.01)
        yield door


@contextmanager
def _socat(address: str, listening: str, engine_host: str) -> Iterator[Door]:
    # Clients that have said all may still be answered for long: `docker wait` is one.
    argv = [program("socat", "socat"), "-t", "600", listening, _connecting(engine_host)]
    door = Door(address, subprocess.Popen(argv, start_new_session=True))
    try:
        yield door
    finally:
        door.close()


def _connecting(engine_host: str) -> str:
    assert engine_host.startswith("unix://"), engine_host
    return f"UNIX-CONNECT:{engine_host.removeprefix('unix://')}"
