"""What the kernel tells about processes: who is alive, whose child, in which session."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Iterator

import msgspec

HAS_PROC = os.path.exists("/proc/self/stat")


class Kin(msgspec.Struct, frozen=True):
    """A process's place among the others; `started` is in clock ticks since the machine booted."""

    pid: int
    name: str
    state: str
    parent: int
    group: int
    session: int
    started: str


def look_up(pid: int) -> Kin | None:
    """Return what `/proc/<pid>/stat` says (proc(5)), None when there is no such process."""
    head, _, tail = _read(f"/proc/{pid}/stat").decode("utf-8", "replace").rpartition(")")
    if not head:
        return None
    state, parent, group, session, *more = tail.split()
    name = head.partition("(")[2]
    return Kin(pid, name, state, int(parent), int(group), int(session), more[15])


def ask_to_stop(pid: int, *, force: bool) -> None:
    """Ask an engine to end its run; with `force` twice, which it does not wait after.

    The second wish is another signal: of two alike the kernel delivers one when the engine has had no
    time for the first (signal(7)). An engine that has ended meanwhile is asked in vain.
    """
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        if force:
            os.kill(pid, signal.SIGHUP)


def identity(pid: int) -> str:
    """Return what tells this process from a later one with the same number.

    Linux: `<pid> <start time>`. Without /proc (macOS): the number alone.
    """
    kin = look_up(pid)
    return f"{pid} {kin.started}" if kin else str(pid)


def is_alive(name: str) -> bool:
    """Tell whether the process that `identity` named still runs."""
    if not re.fullmatch(r"[1-9]\d*( \d+)?", name):
        return False
    pid = int(name.partition(" ")[0])
    if HAS_PROC:
        kin = look_up(pid)
        return kin is not None and kin.state not in "ZX" and f"{pid} {kin.started}" == name
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def all_pids() -> list[int]:
    """Return every process number of the machine; empty without /proc."""
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()] if HAS_PROC else []


def children(pid: int) -> list[int]:
    """Return the numbers of a process's children (Linux with CONFIG_PROC_CHILDREN)."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    return [
        int(child)
        for thread in threads
        for child in _read(f"/proc/{pid}/task/{thread}/children").split()
    ]


def descendants(pid: int) -> Iterator[int]:
    """Yield the numbers of all processes below `pid`, parents before their children."""
    waiting = children(pid)
    while waiting:
        child = waiting.pop()
        yield child
        waiting += children(child)


def environment(pid: int) -> bytes:
    """Return a process's initial environment as the kernel keeps it; b'' when it can't be seen."""
    return _read(f"/proc/{pid}/environ")


def working_directory(pid: int) -> str:
    """Return a process's current folder; '' when it can't be seen."""
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return ""


def _read(path: str) -> bytes:
    try:
        with open(path, "rb", buffering=0) as stream:
            return stream.read()
    except OSError:  # it ended meanwhile, or is another user's
        return b""
