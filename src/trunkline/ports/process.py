"""Port: a process where a job's steps run."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

import msgspec


class Signal(StrEnum):
    """The rungs of the cancellation ladder."""

    INTERRUPT = "interrupt"
    TERMINATE = "terminate"
    KILL = "kill"


class ProcessSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A process to start: argv (never a shell line), its whole environment, its folder.

    With `fed` its stdin is a pipe, for `Process.write`.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    user: str = ""
    fed: bool = False


class Process(Protocol):
    """A running process: one reader, many signallers.

    stdin is closed and empty unless the process is `fed`; stdout and stderr share one pipe, so
    their order holds.
    """

    def read(self, timeout: float | None) -> bytes | None:
        """Return the next output, at most 1 MiB; b'' at the end; None when `timeout` seconds passed.

        The end is the pipe's end, or 5 seconds after the process has exited while a child of it
        keeps the pipe open (GitHub drains that long); never before the process has exited.
        """
        ...

    def write(self, data: bytes) -> None:
        """Give a fed process input; a no-op once it has ended, or when it is not fed.

        At most 4 KiB that a pipe has room for: a process that never reads makes nobody wait.
        """
        ...

    def wait(self) -> int:
        """Return the exit code, waiting for the process. A signal's death is 128 + its number."""
        ...

    def signal(self, signal: Signal) -> None:
        """Signal the process's whole session. Thread-safe; a no-op once it has ended."""
        ...
