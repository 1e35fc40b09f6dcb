"""A job's place on this machine, and the maker of such places."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO

import msgspec

from trunkline.adapters.job_folders.copying import FolderCopy, take_over, write_file
from trunkline.adapters.job_folders.folders import (
    DiskSearch,
    architecture,
    folder_of,
    folders_of_the_dead,
    forget_owner,
    make_folder,
    own_root,
    read_owner,
    reason,
    remove,
    system,
    tracking_id,
    workspace_name,
    write_owner,
)
from trunkline.adapters.process_table import children
from trunkline.adapters.sandboxes.host.environment import Caller, passed, read_caller
from trunkline.adapters.sandboxes.host.no_containers import no_containers
from trunkline.adapters.sandboxes.host.orphans import Marks, end_orphans
from trunkline.adapters.sandboxes.host.process import HostProcess, start_process
from trunkline.adapters.trees import make_private, remove_tree
from trunkline.base.errors import Unavailable
from trunkline.ports.clock import Ids
from trunkline.ports.containers import Containers, Watch
from trunkline.ports.process import ProcessSpec, Signal
from trunkline.ports.sandbox import Folder, Found, JobPlace, Layout

# Makes the containers of a job on this machine; nothing is asked of an engine before they are used.
MakeContainers = Callable[[JobPlace, Layout], Containers]
QUIET = Watch(lambda _: None, lambda: False)


class Machine(msgspec.Struct, frozen=True):
    """What every job of this process shares."""

    root: str
    ids: Ids
    environ: Mapping[str, str]
    caller: Caller
    adopted: bool
    search: DiskSearch
    make_containers: MakeContainers


class HostSandboxes:
    """Makes places below `<root>/work/<run id>/<job>`."""

    def __init__(
        self,
        root: str,
        ids: Ids,
        environ: Mapping[str, str],
        adopt: Callable[[], bool],
        search: DiskSearch,
        make_containers: MakeContainers = no_containers,
    ) -> None:
        """Take the state folder, and the caller's environment.

        `adopt` makes this process the subreaper of its orphans and tells whether it could; it is
        called once, when the first place is made.
        """
        self._root = root
        self._ids = ids
        self._environ = environ
        self._adopt = adopt
        self._search = search
        self._make_containers = make_containers
        self._lock = threading.Lock()
        self._machine: Machine | None = None

    def open(self, where: str) -> HostSandbox:
        """Return a new place on this machine. Raises Unavailable for any other kind."""
        if where != "host":
            raise Unavailable(f"Jobs can't run in '{where}': only on this machine, 'host'.")
        with self._lock:
            if self._machine is None:
                own_root(self._root)
                self._machine = Machine(
                    self._root,
                    self._ids,
                    self._environ,
                    read_caller(self._environ),
                    self._adopt(),
                    self._search,
                    self._make_containers,
                )
            return HostSandbox(self._machine)

    def sweep(self) -> None:
        """End the processes and remove the folders of jobs whose engine was killed."""
        dead = folders_of_the_dead(self._root)
        if not dead:
            return
        end_orphans(Marks(frozenset(dead.values())), adopted=False)
        for folder in dead:
            remove(folder)


class HostSandbox:
    """One job's folders and processes."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._lock = threading.Lock()
        self._folder = ""
        self._layout: Layout | None = None
        self._place: JobPlace | None = None
        self._containers: Containers | None = None
        self._processes: list[HostProcess] = []
        self._sessions: set[int] = set()

    def prepare(self, place: JobPlace) -> Layout:
        """Make the job's folders, its HOME and its event file."""
        if self._layout is not None:
            return self._layout
        self._folder = folder_of(self._machine.root, place)
        layout = _layout(self._folder, place, self._machine)
        try:
            self._claim(layout.tracking_id)
            # The folder above is private; a Docker action's user must be able to enter and read.
            for path in _folders(layout):
                os.mkdir(path, 0o755)
            write_file(layout.event_path, place.event.encode(), 0o644)
            self._furnish(layout.home)
        except OSError as error:
            raise Unavailable(f"The job's folders can't be made: {reason(error)}") from error
        self._layout, self._place = layout, place
        return layout

    @property
    def containers(self) -> Containers:
        """Return the job's containers, made when they are first asked for."""
        if self._layout is None or self._place is None:
            raise Unavailable("A job that is not prepared has no containers.")
        with self._lock:
            if self._containers is None:
                self._containers = self._machine.make_containers(self._place, self._layout)
            return self._containers

    def _claim(self, tracking: str) -> None:
        """Make the job's folder; what an engine that died left there goes first."""
        try:
            os.mkdir(self._folder, 0o700)
        except FileNotFoundError:
            make_folder(self._folder)
        except FileExistsError:
            owner = read_owner(self._folder)
            if len(owner) == 2:
                end_orphans(Marks(frozenset({owner[1]})), adopted=False)
            remove_tree(self._folder)
            make_folder(self._folder)
        write_owner(self._folder, tracking)

    def _furnish(self, home: str) -> None:
        for name, content in self._machine.caller.files:
            path = os.path.join(home, name)
            make_private(os.path.dirname(path))
            write_file(path, content, 0o600)
        for name, target in self._machine.caller.links:
            path = os.path.join(home, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.symlink(target, path)

    def start(self, spec: ProcessSpec) -> HostProcess:
        """Start a process in a session of its own."""
        if spec.user:
            self._admit()
        tracking_id = self._layout.tracking_id if self._layout else ""
        process = start_process(spec, {**spec.env, "RUNNER_TRACKING_ID": tracking_id})
        with self._lock:
            self._processes = [kept for kept in self._processes if not kept.is_closed()]
            self._processes.append(process)
            self._sessions.add(process.pid)
        return process

    def _admit(self) -> None:
        """Let other users through to the job's folders, which they still can't list."""
        path = self._folder
        while path.startswith(self._machine.root):
            mode = stat.S_IMODE(os.stat(path).st_mode)
            if mode & 0o011 != 0o011:
                os.chmod(path, mode | 0o011)  # noqa: S103 - only to pass through
            path = os.path.dirname(path)

    def find(self, program: str, path: str) -> str | None:
        """Return the full path of a program on a search path."""
        if "/" in program:
            return program if _is_program(program) else None
        places = (os.path.join(folder, program) for folder in path.split(":") if folder)
        return next(filter(_is_program, places), None)

    def put(self, path: str, content: bytes | BinaryIO | Folder, mode: int = 0o644) -> None:
        """Write a file whole, or bring a folder's files below `path`."""
        try:
            if isinstance(content, Folder):
                FolderCopy(path).run(content)
            else:
                write_file(path, content, mode)
        except OSError as error:
            raise Unavailable(f"'{path}' can't be written: {reason(error)}") from error

    def renew(self, old: Sequence[str], new: Sequence[str], mode: int) -> None:
        """Make empty files, of old ones that are empty still and that no process can have open.

        A new file is dear where many were removed of late: ext4 leaves their places out for minutes,
        and looks at each of them again for every new one (half a millisecond after 600).
        """
        free = [] if not self._machine.adopted or children(os.getpid()) else list(old)
        for path in new:
            if not (free and take_over(free.pop(), path, mode)):
                self.put(path, b"", mode)

    def get(self, path: str) -> BinaryIO | None:
        """Open a file for reading, None if there is no such file."""
        try:
            # A pipe in the file's place would make us wait for its writer.
            file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise Unavailable(f"'{path}' can't be read: {reason(error)}") from error
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise Unavailable(f"'{path}' can't be read: it is not a file.")
        return open(file, "rb")

    def search(self, root: str, patterns: Sequence[str], *, digests: bool) -> tuple[Found, ...]:
        """Return what the glob patterns match below `root`, in GitHub's order."""
        home = self._layout.env["HOME"] if self._layout else ""
        return self._machine.search(patterns, root, home, digests=digests)

    def tear_down(self, *, keep: bool) -> tuple[tuple[int, str], ...]:
        """End what still runs, then remove the folders (`keep`: all but the workspace)."""
        if not self._folder:
            return ()
        ended = self._end_processes()
        try:
            if self._containers is not None:
                self._containers.end(QUIET)
        finally:
            self._remove_folders(keep=keep)
        return ended

    def _remove_folders(self, *, keep: bool) -> None:
        if keep and self._layout is not None:
            for path in (self._layout.temp, self._layout.tool_cache, self._layout.actions):
                remove(path)
            forget_owner(self._folder)
        else:
            remove(self._folder)
        self._layout, self._folder = None, ""

    def _end_processes(self) -> tuple[tuple[int, str], ...]:
        if self._layout is None:
            return ()
        marks = Marks(
            frozenset({self._layout.tracking_id}), frozenset(self._sessions), self._folder
        )
        ended = end_orphans(marks, adopted=self._machine.adopted)
        with self._lock:
            for process in self._processes:
                process.signal(Signal.KILL)
                process.close()
            self._processes.clear()
        return ended


def _layout(folder: str, place: JobPlace, machine: Machine) -> Layout:
    name = workspace_name(place)
    temp = f"{folder}/_temp"
    home = f"{temp}/_github_home"
    tracking = tracking_id(machine.ids.token())
    caller = machine.caller
    env = {
        **caller.variables,
        **{variable: f"{home}/{file}" for variable, file in caller.at_home.items()},
        "HOME": home,
        **passed(machine.environ, place.pass_env),
        "RUNNER_TRACKING_ID": tracking,
    }
    return Layout(
        workspace=f"{folder}/{name}/{name}",
        runner_workspace=f"{folder}/{name}",
        temp=temp,
        tool_cache=f"{folder}/_tool",
        actions=f"{folder}/_actions",
        home=home,
        file_commands=f"{temp}/_runner_file_commands",
        event_path=f"{temp}/_github_workflow/event.json",
        os=system(),
        arch=architecture(),
        name=os.uname().nodename,
        tracking_id=tracking,
        env=env,
        host_paths=True,
    )


def _folders(layout: Layout) -> tuple[str, ...]:
    """Return the folders to make, parents first; that of actions is made by the first of them."""
    return (
        layout.runner_workspace,
        layout.workspace,
        layout.temp,
        layout.home,
        layout.file_commands,
        os.path.dirname(layout.event_path),
        layout.tool_cache,
    )


def _is_program(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)
