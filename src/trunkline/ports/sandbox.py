"""Port: the place where a job's steps run (host, docker, kubernetes, scripted)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import BinaryIO, Protocol

import msgspec

from trunkline.ports.containers import Containers
from trunkline.ports.process import Process, ProcessSpec


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
    `mounts` are the folders that the engine's machine has too, as (inside, outside) pairs; the
    longest that fits counts. `in_container` says that the steps run in the job's container.
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
    in_container: bool = False
    mounts: tuple[tuple[str, str], ...] = ()

    def outside(self, path: str) -> str | None:
        """Return where the engine's machine has an absolute path of the sandbox, None if nowhere."""
        if self.host_paths:
            return path
        fitting = [pair for pair in self.mounts if f"{path}/".startswith(f"{pair[0]}/")]
        if not fitting:
            return None
        inside, outside = max(fitting, key=lambda pair: len(pair[0]))
        return outside + path[len(inside) :]


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


class Sandbox(Protocol):
    """One job's place. Calls in order: prepare, then any of the others, then tear_down.

    `containers` are the job's; in a container sandbox `start` needs `containers.begin` first, while
    files can be put and got from `prepare` on.

    `start`, `put`, `renew`, `get`, `find` and `search` may be called from several threads at once.
    All paths are the sandbox's own and absolute. Every method raises `Unavailable` when the world refuses
    (no such program or folder, disk full); the message names it.
    """

    @property
    def containers(self) -> Containers:
        """Return the job's containers, after `prepare`."""
        ...

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
        """Open a file for reading and seeking, None if there is no such file. The caller closes it."""
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
