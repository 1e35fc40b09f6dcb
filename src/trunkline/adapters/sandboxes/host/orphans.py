"""Processes that a job left behind: finding them, and ending them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Collection, Iterable
from contextlib import suppress

import msgspec

from trunkline.adapters.process_table import (
    HAS_PROC,
    Kin,
    all_pids,
    descendants,
    environment,
    look_up,
    working_directory,
)

VARIABLE = b"RUNNER_TRACKING_ID="
TERM_SECONDS = 0.5
KILL_SECONDS = 2.0
POLL_SECONDS = 0.002
ROUNDS = 5
# How often a process without an environment is looked at; the kernel's own never have one.
LOOKS = 3
KERNEL = frozenset({0, 2})


class Marks(msgspec.Struct, frozen=True):
    """What tells a job's processes: its tracking ids, the sessions it started, its folder."""

    tracking_ids: frozenset[str]
    sessions: frozenset[int] = frozenset()
    folder: str = ""


def end_orphans(marks: Marks, *, adopted: bool) -> tuple[tuple[int, str], ...]:
    """End what is left of a job, and what that starts meanwhile; return (pid, name) of each.

    `adopted`: this process is a child subreaper, so that every orphan is its descendant.
    Without /proc (macOS) only the process groups of the job's own sessions are ended.
    """
    if not HAS_PROC:
        return _end_groups(marks.sessions)
    ended: dict[int, str] = {}
    for _ in range(ROUNDS):
        found = find_orphans(marks, adopted=adopted)
        if not found:
            break
        ended.update((kin.pid, kin.name) for kin in found)
        end_processes(found, spare=marks.sessions)
    return tuple(ended.items())


def find_orphans(marks: Marks, *, adopted: bool) -> list[Kin]:
    """Return the processes that bear a job's marks; children of such ones are found with them."""
    me = os.getpid()
    found: dict[int, Kin] = {}
    for pid in descendants(me) if adopted else all_pids():
        kin = look_up(pid)
        if kin is None or kin.state in "ZX" or pid == me:
            continue
        if kin.parent in found or _bears(kin, marks, me, adopted=adopted):
            found[pid] = kin
    return list(found.values())


def _bears(kin: Kin, marks: Marks, me: int, *, adopted: bool) -> bool:
    tracking_id = _tracking_id(kin)
    if tracking_id:
        return tracking_id in marks.tracking_ids
    if not adopted:
        return False
    if kin.session in marks.sessions:
        return True
    return (
        kin.parent == me
        and kin.session != os.getsid(0)
        and bool(marks.folder)
        and (working_directory(kin.pid) + "/").startswith(marks.folder + "/")
    )


def _tracking_id(kin: Kin) -> str:
    for variable in _environment(kin).split(b"\0"):
        if variable.startswith(VARIABLE):
            return variable[len(VARIABLE) :].decode("ascii", "replace")
    return ""


def _environment(kin: Kin) -> bytes:
    """Return a process's environment; one that is about to become another program has none yet."""
    for _ in range(LOOKS):
        found = environment(kin.pid)
        if found or kin.parent in KERNEL:
            return found
        time.sleep(POLL_SECONDS)
    return b""


def end_processes(found: Collection[Kin], *, spare: Collection[int]) -> None:
    """Send SIGTERM, then SIGKILL to those that are still there after a short while.

    Those that were handed to us are reaped, but for `spare`, for which somebody waits.
    """
    ours = os.getpid()
    left = _signal_and_wait(list(found), signal.SIGTERM, TERM_SECONDS)
    _signal_and_wait(left, signal.SIGKILL, KILL_SECONDS)
    for kin in found:
        if kin.parent == ours and kin.pid not in spare:
            with suppress(ChildProcessError):
                os.waitpid(kin.pid, os.WNOHANG)


def _signal_and_wait(found: list[Kin], number: int, seconds: float) -> list[Kin]:
    """Signal processes; return those that are there after `seconds`."""
    for kin in found:
        with suppress(ProcessLookupError, PermissionError):
            if _is_there(kin):  # its number may be another's by now
                os.kill(kin.pid, number)
    end = time.monotonic() + seconds
    left = list(filter(_is_there, found))
    while left and time.monotonic() < end:
        time.sleep(POLL_SECONDS)
        left = list(filter(_is_there, left))
    return left


def _is_there(kin: Kin) -> bool:
    now = look_up(kin.pid)
    return now is not None and now.started == kin.started and now.state not in "ZX"


def _end_groups(groups: Iterable[int]) -> tuple[tuple[int, str], ...]:
    """End process groups (macOS): their numbers are all that is known of them."""
    left = [group for group in groups if _signal_group(group, signal.SIGTERM)]
    end = time.monotonic() + TERM_SECONDS
    ended = tuple((group, "process group") for group in left)
    while left and time.monotonic() < end:
        time.sleep(POLL_SECONDS)
        left = [group for group in left if _signal_group(group, 0)]
    for group in left:
        _signal_group(group, signal.SIGKILL)
    return ended


def _signal_group(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True
