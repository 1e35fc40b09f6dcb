"""Signals for processes in containers: from outside where they can be seen, else from within."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from trunkline.adapters.docker.engine import Engine, refusals
from trunkline.adapters.process_table import HAS_PROC, descendants, look_up
from trunkline.ports.process import Signal

NUMBERS = {
    Signal.INTERRUPT: signal.SIGINT,
    Signal.TERMINATE: signal.SIGTERM,
    Signal.KILL: signal.SIGKILL,
}
NAMES = {Signal.INTERRUPT: "INT", Signal.TERMINATE: "TERM", Signal.KILL: "KILL"}
# Marks the processes of an engine whose process numbers mean nothing here.
MARK = "TRUNKLINE_PROCESS"
FIND_AND_SIGNAL = (
    "for d in /proc/[0-9]*; do tr '\\0' '\\n' 2>/dev/null <$d/environ | grep -qxF \"$1\" &&"
    ' kill -s "$2" ${d#/proc/} 2>/dev/null; done'
)
SIGNAL_THEM = 'n=$1; shift; for p in "$@"; do kill -s "$n" -- "$p" 2>/dev/null; done'
NODE = (
    "const [s, ...p] = process.argv.slice(1);"
    " for (const x of p) try { process.kill(x, s) } catch {}"
)
START_SECONDS = 60.0
POLL_SECONDS = 0.005


def is_near(pid: int, container: str) -> bool:
    """Tell whether the engine's process numbers are this machine's: it has this container's.

    Control groups tell it, and where a rootless engine has none, the mounted files of a container.
    """
    if not HAS_PROC or pid <= 0:
        return False
    try:
        for name in ("cgroup", "mountinfo"):
            with open(f"/proc/{pid}/{name}", encoding="utf-8", errors="replace") as stream:
                if container in stream.read():
                    return True
    except OSError:
        return False
    return False


def signal_near(pid: int, chosen: Signal) -> list[int]:
    """Signal a session by its first process; return those that belong to somebody else."""
    below = [kin for kin in map(look_up, descendants(pid)) if kin and kin.session == pid]
    members = [pid, *(kin.pid for kin in below)]
    refused = []
    for member in members:
        try:
            os.kill(member, NUMBERS[chosen])
        except ProcessLookupError:
            continue
        except PermissionError:
            refused.append(member)
    return refused


def inner_pid(pid: int) -> int:
    """Return the number that a process of this machine has in its container, 0 if it has gone."""
    with suppress(OSError), open(f"/proc/{pid}/status", encoding="utf-8") as stream:
        found = re.search(r"^NSpid:.*\s(\d+)$", stream.read(), re.MULTILINE)
        return int(found[1]) if found else 0
    return 0


class Within:
    """Sends signals from inside a container, with whatever program it has for it."""

    def __init__(self, engine: Engine, container: str, user: str) -> None:
        """Take whose processes they are ('': the container's user): root may lack the right."""
        self._engine = engine
        self._container = container
        self._user = user

    def to_marked(self, mark: str, chosen: Signal) -> None:
        """Signal every process that has the mark in its environment."""
        self._run(["sh", "-c", FIND_AND_SIGNAL, "sh", f"{MARK}={mark}", NAMES[chosen]])

    def to_pids(self, pids: Sequence[int], chosen: Signal) -> None:
        """Signal processes by their numbers in the container."""
        name, numbers = NAMES[chosen], [str(pid) for pid in pids if pid]
        if not numbers:
            return
        ways = (
            ["sh", "-c", SIGNAL_THEM, "sh", name, *numbers],
            ["/__e/node20/bin/node", "-e", NODE, f"SIG{name}", *numbers],
        )
        for way in ways:
            if self._run(way):
                return

    def _run(self, argv: list[str]) -> bool:
        """Run a program as that user; tell whether there is such a program."""
        client = self._engine.client
        with refusals():
            made = client.exec_create(self._container, argv, user=self._user)
            client.exec_start(made["Id"])
            return client.exec_inspect(made["Id"])["ExitCode"] not in {126, 127}


def await_pid(look: Callable[[], tuple[int, bool]]) -> int:
    """Wait for a process that is being started; 0 when it has ended.

    `look` returns its number (0 before it has one) and whether it has ended.
    """
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        pid, has_ended = look()
        if has_ended:
            return 0
        if pid:
            return pid
        time.sleep(POLL_SECONDS)
    return 0
