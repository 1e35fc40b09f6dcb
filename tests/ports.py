"""Where programs of tests listen: ports that nobody else gets meanwhile, and waiting for who does."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOOPBACK = "127.0.0.1"
PATIENCE = 120


@contextmanager
def reserved_port(host: str = LOOPBACK) -> Iterator[int]:
    """Yield a port of one of this machine's addresses for a program that is started within.

    It is bound here, and never listened on: the kernel gives it to nobody who asks for any port, and
    to whoever asks for this one with SO_REUSEADDR, as servers do (socket(7)).
    """
    with socket.socket() as reservation:
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reservation.bind((host, 0))
        yield reservation.getsockname()[1]


def await_listener(
    place: int | Path, process: subprocess.Popen[bytes], host: str = LOOPBACK
) -> None:
    """Wait until a program listens on its port or socket. Raises AssertionError if it never does."""
    end = time.monotonic() + PATIENCE
    while not _is_answered(place, host):
        assert process.poll() is None, f"{process.args!r} ended"
        assert time.monotonic() < end, f"{process.args!r} does not listen on {place}"
        time.sleep(0.02)


def _is_answered(place: int | Path, host: str) -> bool:
    kind, address = (
        (socket.AF_UNIX, str(place)) if isinstance(place, Path) else (socket.AF_INET, (host, place))
    )
    with socket.socket(kind) as client:
        client.settimeout(PATIENCE)
        return client.connect_ex(address) == 0
