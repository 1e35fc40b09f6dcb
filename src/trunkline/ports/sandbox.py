"""Port: the place where a job's steps run (host, docker, kubernetes, scripted)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import BinaryIO, Protocol

import msgspec


class Signal(StrEnum):
    """The rungs of the cancellation ladder."""

    INTERRUPT = "interrupt"
    TERMINATE = "terminate"
    KILL = "kill"


class JobPlace(msgspec.Struct, frozen=True, kw_only=True):
    """What to prepare: whose job it is, and the place that its label maps to.

    `where` is `host` or `docker:IMAGE`; `repository` is `owner/name` (it names the workspace
    folder); `event` the payload's JSON text, put where `Layout.event_path` says.
    `pass_env` names variables of the caller that the job may see besides the allowed ones.
    """

    run_id: str
    key: str
    where: str
    repository: str
    event: str
    pass_env: tuple[str, ...] = ()


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Where things are, as processes in the sandbox see them (absolute paths).

    `host_paths` says that paths of the engine's machine mean the same inside (host sandbox).
    `env` is the base environment of every process. `tracking_id` is in every process's
    environment as RUNNER_TRACKING_ID; orphans are found by it.
    """

    workspace: str
    runner_workspace: str
    temp: str
    tool_cache: str
    actions: str
    home: str
    file_commands: str
    event_path: str
    os: str
    arch: str
    name: str
    tracking_id: str
    env: Mapping[str, str]
    host_paths: bool = False


class ProcessSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A process to start: argv (never a shell line), its whole environment, its folder."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    user: str = ""


class Folder(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of the engine's machine whose content is wanted in the sandbox.

    `files` names what is taken, relative to `path` (None: everything, links kept as links).
    Files arrive as reflinks or copies, never as links into `path`.
    """

    path: str
    files: tuple[str, ...] | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A file or folder that `search` found; `sha256` is the raw digest when digests were asked.

    `link` is what a symbolic link says; the rest is that of where it leads, if it leads anywhere.
    """

    path: str
    size: int
    mode: int
    is_folder: bool = False
    link: str = ""
    sha256: bytes = b""


class Process(Protocol):
    """A running process: one reader, many signallers.

    stdin is closed and empty; stdout and stderr share one pipe, so their order holds.
    """

    def read(self, timeout: float | None) -> bytes | None:
        """Return the next output, at most 1 MiB; b'' at the end; None when `timeout` seconds passed.

        The end is the pipe's end, or 5 seconds after the process has exited while a child of it
        keeps the pipe open (GitHub drains that long); never before the process has exited.
        """
        ...

    def wait(self) -> int:
        """Return the exit code, waiting for the process. A signal's death is 128 + its number."""
        ...

    def signal(self, signal: Signal) -> None:
        """Signal the process's whole session. Thread-safe; a no-op once it has ended."""
        ...


class Sandbox(Protocol):
    """One job's place. Calls in order: prepare, then any of the others, then tear_down.

    `start`, `put`, `renew`, `get`, `find` and `search` may be called from several threads at once.
    All paths are the sandbox's own and absolute. Every method raises `Unavailable` when the world refuses
    (no such program or folder, disk full); the message names it.
    """

    def prepare(self, place: JobPlace) -> Layout:
        """Make empty folders, a home of the job's own and the event file. Idempotent by (run, key)."""
        ...

    def start(self, spec: ProcessSpec) -> Process:
        """Start a process in a session of its own. Raises Unavailable if it can't be started."""
        ...

    def find(self, program: str, path: str) -> str | None:
        """Return the full path of `program` on the search path `path` (colon separated), or None."""
        ...

    def put(self, path: str, content: bytes | BinaryIO | Folder, mode: int = 0o644) -> None:
        """Write a file whole, making its folders; or bring a folder's files below `path`."""
        ...

    def renew(self, old: Sequence[str], new: Sequence[str], mode: int) -> None:
        """Make the empty files `new`; files of `old`, whose time is over, may go or become them."""
        ...

    def get(self, path: str) -> BinaryIO | None:
        """Open a file for reading, None if there is no such file. The caller closes it."""
        ...

    def search(self, root: str, patterns: Sequence[str], *, digests: bool) -> tuple[Found, ...]:
        """Return what the glob patterns match below `root`, in GitHub's order (`hashFiles`).

        Patterns are those of @actions/glob (comments, `!`, `~`, `--follow-symbolic-links` first).
        With `digests`, files below `root` carry theirs. Raises expr's ExpressionError, in GitHub's
        words, for an invalid option or pattern, for what can't be read, and for digests that take
        more than 120 seconds.
        """
        ...

    def tear_down(self, *, keep: bool) -> tuple[tuple[int, str], ...]:
        """End what still runs and remove the folders (`keep`: leave the workspace).

        Returns the orphans that were ended, as (pid, name). Idempotent; safe after a failed prepare.
        """
        ...


class Sandboxes(Protocol):
    """Makes sandboxes by place; raises Unavailable when a kind of place can't be had here."""

    def open(self, where: str) -> Sandbox:
        """Return a new, unprepared sandbox for `where` (`host`, `docker:IMAGE`)."""
        ...

    def sweep(self) -> None:
        """End and remove what a killed engine left behind on this machine."""
        ...
