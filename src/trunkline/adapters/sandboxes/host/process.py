"""A process on this machine, in a session of its own."""

from __future__ import annotations

import errno
import fcntl
import os
import pwd
import select
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

import msgspec

from trunkline.adapters.process_table import descendants, look_up
from trunkline.base.errors import Unavailable
from trunkline.ports.process import ProcessSpec, Signal

CHUNK = 1 << 20
# Runner: after the exit it waits this long for streams that a child keeps open.
DRAIN_SECONDS = 5.0
NUMBERS = {
    Signal.INTERRUPT: signal.SIGINT,
    Signal.TERMINATE: signal.SIGTERM,
    Signal.KILL: signal.SIGKILL,
}
# Linux: how much a pipe holds before its writer must wait (64 KiB otherwise).
SET_PIPE_SIZE: int = getattr(fcntl, "F_SETPIPE_SZ", 0)


def _has_pidfd() -> bool:
    """Tell whether processes can be waited for by file (Linux 5.3; some sandboxes refuse)."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


HAS_PIDFD = _has_pidfd()


class HostProcess:
    """A started process. One thread reads; any thread may signal."""

    def __init__(self, popen: subprocess.Popen[bytes], pipe: int) -> None:
        self.pid = popen.pid
        self._popen = popen
        self._reaping = threading.Lock()
        self._pipe = pipe
        self._exited = _exit_notice(popen)
        self._poll = select.poll()
        self._poll.register(pipe, select.POLLIN)
        self._poll.register(self._exited, select.POLLIN)
        self._drain_until: float | None = None
        self._is_drained = False
        self._left: int | None = None

    def read(self, timeout: float | None) -> bytes | None:
        """Return the next output, b'' at the end, None when `timeout` seconds passed.

        The end never comes before the process has exited, though it may close its output before:
        whoever reads on can still signal it.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while self._exited >= 0:
            ready = {file for file, _ in self._poll.poll(self._milliseconds(deadline))}
            now = time.monotonic()
            if self._exited in ready:
                self._poll.unregister(self._exited)
                self._drain_until = now + DRAIN_SECONDS
            if self._pipe in ready:
                data = self._read_pipe(now)
                if data:
                    return data
                self._poll.unregister(self._pipe)
                self._is_drained = True
            if self._is_over(now):
                self.close()
            elif deadline is not None and now >= deadline:
                return None
        return b""

    def _is_over(self, now: float) -> bool:
        if self._drain_until is None:
            return False
        return self._is_drained or now >= self._drain_until

    def _milliseconds(self, deadline: float | None) -> float | None:
        ends = [end for end in (deadline, self._drain_until) if end is not None]
        return max(0.0, min(ends) - time.monotonic()) * 1000 if ends else None

    def _read_pipe(self, now: float) -> bytes:
        if self._drain_until is None or now < self._drain_until:
            return os.read(self._pipe, CHUNK)
        # A child writes on after its time: give what was in the pipe when that ended.
        if self._left is None:
            self._left = _waiting_bytes(self._pipe)
        data = os.read(self._pipe, min(CHUNK, self._left)) if self._left else b""
        self._left -= len(data)
        return data

    def write(self, data: bytes) -> None:
        """Give a fed process input; a no-op once it has ended."""
        with self._reaping, suppress(BrokenPipeError):
            if self._popen.stdin is not None and not self._popen.stdin.closed:
                self._popen.stdin.write(data)

    def close(self) -> None:
        """Reap the process and let go of its files. For the reader, or when nobody reads."""
        self.wait()
        if self._popen.stdin is not None:
            self._popen.stdin.close()
        if self._exited >= 0:
            os.close(self._pipe)
            os.close(self._exited)
            self._exited = self._pipe = -1

    def wait(self) -> int:
        """Return the exit code; a signal's death is 128 + its number."""
        if not HAS_PIDFD:
            self._popen.wait()
        elif self._popen.returncode is None:
            with suppress(ChildProcessError):
                os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        with self._reaping:
            code = self._popen.wait()
        return code if code >= 0 else 128 - code

    def is_closed(self) -> bool:
        """Tell whether the process has ended and its output has been read."""
        return self._exited < 0

    def signal(self, signal: Signal) -> None:
        """Signal every process of the session, as long as its first one is there."""
        with self._reaping:  # until it is reaped nobody else can have its number
            if self._popen.returncode is not None:
                return
            others = [
                kin.pid
                for kin in map(look_up, descendants(self.pid))
                if kin and kin.session == self.pid and kin.group != self.pid
            ]
            _send(os.killpg, self.pid, NUMBERS[signal])
            for pid in others:
                _send(os.kill, pid, NUMBERS[signal])


class Account(msgspec.Struct, frozen=True):
    """Who a process runs as; None: the engine's own user."""

    user: int | None = None
    group: int | None = None


def start_process(spec: ProcessSpec, env: Mapping[str, str]) -> HostProcess:
    """Start a process. Raises Unavailable in the words of GitHub's runner."""
    account = _account(spec.user)
    reader, writer = os.pipe()
    _enlarge(writer)
    try:
        popen = subprocess.Popen(
            spec.argv,
            env=env,
            cwd=spec.cwd,
            stdin=subprocess.PIPE if spec.fed else subprocess.DEVNULL,
            stdout=writer,
            stderr=writer,
            bufsize=0,
            start_new_session=True,
            user=account.user,
            group=account.group,
        )
    except (OSError, ValueError) as error:
        os.close(reader)
        reason = error.strerror if isinstance(error, OSError) else f"{error}"
        raise Unavailable(
            f"An error occurred trying to start process '{spec.argv[0]}' "
            f"with working directory '{spec.cwd}'. {reason}"
        ) from error
    finally:
        os.close(writer)
    return HostProcess(popen, reader)


def _account(user: str) -> Account:
    if not user:
        return Account()
    try:
        found = pwd.getpwnam(user) if not user.isdecimal() else pwd.getpwuid(int(user))
    except KeyError as error:
        raise Unavailable(f"There is no user '{user}' on this machine.") from error
    return Account() if found.pw_uid == os.geteuid() else Account(found.pw_uid, found.pw_gid)


def _enlarge(pipe: int) -> None:
    if not SET_PIPE_SIZE:
        return
    try:
        fcntl.fcntl(pipe, SET_PIPE_SIZE, CHUNK)
    except OSError as error:
        # A user's pipes together have a limit (pipe(7)); the ordinary size does as well.
        if error.errno not in {errno.EPERM, errno.EBUSY}:
            raise


def _exit_notice(popen: subprocess.Popen[bytes]) -> int:
    """Return a file that becomes readable when the process ends (Linux: a pidfd)."""
    if HAS_PIDFD:
        return os.pidfd_open(popen.pid)
    reader, writer = os.pipe()

    def wait() -> None:
        popen.wait()
        os.close(writer)

    threading.Thread(target=wait, daemon=True, name=f"wait-{popen.pid}").start()
    return reader


def _waiting_bytes(pipe: int) -> int:
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, b"\0\0\0\0"), sys.byteorder)


def _send(send: Callable[[int, int], None], pid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # gone, or another user's (sudo)
        send(pid, number)
