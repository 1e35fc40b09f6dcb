"""A job's place in a container, and the maker of such places."""

from __future__ import annotations

import os
import posixpath
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO

import msgspec

from trunkline.adapters.docker.containers import JobContainers
from trunkline.adapters.docker.process import ContainerProcess
from trunkline.adapters.file_search import Search, search
from trunkline.adapters.job_folders.copying import CHUNK, FolderCopy
from trunkline.adapters.job_folders.folders import (
    architecture,
    folder_of,
    forget_owner,
    make_folder,
    own_root,
    reason,
    remove,
    tracking_id,
    workspace_name,
    write_owner,
)
from trunkline.adapters.sandboxes.docker.mounted import MountedFiles, NotMounted
from trunkline.adapters.sandboxes.docker.own_files import IS_FOLDER, ContainerFiles
from trunkline.adapters.sandboxes.docker.sharing import Owner, owner_of, share_file, share_tree
from trunkline.adapters.sandboxes.docker.visible import VisibleFiles
from trunkline.adapters.trees import remove_tree
from trunkline.base.errors import Unavailable
from trunkline.ports.clock import Ids
from trunkline.ports.containers import Containers, Watch
from trunkline.ports.process import ProcessSpec
from trunkline.ports.sandbox import Folder, Found, JobPlace, Layout

PREFIX = "docker:"
QUIET = Watch(lambda _: None, lambda: False)
# The folders as the job's container has them (reference section 3.14).
WORK, TOOLS, EXTERNALS = "/__w", "/__t", "/__e"
HOME, WORKFLOW = "/github/home", "/github/workflow"
# Shells leave out variables whose names they could not write.
PLAIN_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")
SHELL = "/bin/sh"
ONE_PIPE = 'exec "$@" 2>&1'

MakeContainers = Callable[[JobPlace, Layout], JobContainers]


class Machine(msgspec.Struct, frozen=True):
    """What every job of this process shares. `externals` is the folder of node programs."""

    root: str
    externals: str
    ids: Ids
    environ: Mapping[str, str]
    make_containers: MakeContainers


class DockerSandboxes:
    """Makes places for jobs whose steps run in a container, with folders of this machine."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def open(self, where: str) -> DockerSandbox:
        """Return a new place for `docker:IMAGE`. Raises Unavailable for any other kind."""
        if not where.startswith(PREFIX) or where == PREFIX:
            raise Unavailable(f"Jobs can't run in '{where}': only in 'docker:IMAGE'.")
        own_root(self._machine.root)
        return DockerSandbox(self._machine)

    def sweep(self) -> None:
        """Leave it to those who sweep folders and containers: nothing here is of a kind alone."""


class DockerSandbox:
    """One job's folders on this machine, and the container that has them."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._lock = threading.Lock()
        self._folder = ""
        self._layout: Layout | None = None
        self._files = MountedFiles(())
        self._containers: JobContainers | None = None
        self._own: ContainerFiles | None = None
        self._owner: Owner | None = None
        self._processes: list[ContainerProcess] = []

    def prepare(self, place: JobPlace) -> Layout:
        """Make the job's folders and its event file."""
        if self._layout is not None:
            return self._layout
        self._folder = folder_of(self._machine.root, place)
        layout = _layout(self._folder, place, self._machine)
        try:
            self._make_folders(layout)
            self._files = MountedFiles(layout.mounts)
            self._write(layout.event_path, place.event.encode(), 0o644)
        except OSError as error:
            raise Unavailable(f"The job's folders can't be made: {reason(error)}") from error
        self._containers = self._machine.make_containers(place, layout)
        self._layout = layout
        return layout

    def _make_folders(self, layout: Layout) -> None:
        """Make the folders; whoever the container's user is may write to them."""
        remove_tree(self._folder)
        make_folder(self._folder)
        write_owner(self._folder, layout.tracking_id)
        os.makedirs(self._machine.externals, exist_ok=True)
        for path in (
            WORK,
            TOOLS,
            layout.runner_workspace,
            layout.workspace,
            layout.temp,
            layout.actions,
            layout.home,
            layout.file_commands,
            posixpath.dirname(layout.event_path),
        ):
            outside = layout.outside(path)
            if outside is None:
                raise AssertionError(path)
            os.makedirs(outside, exist_ok=True)
            os.chmod(outside, 0o777)  # noqa: S103 - the folder above is private

    @property
    def containers(self) -> Containers:
        """Return the job's containers, after `prepare`."""
        return self._own_containers()

    def _own_containers(self) -> JobContainers:
        if self._containers is None:
            raise Unavailable("A job that is not prepared has no containers.")
        return self._containers

    # --- processes ----------------------------------------------------------------------

    def start(self, spec: ProcessSpec) -> ContainerProcess:
        """Start a process in the job's container, in a session of its own.

        The engine has two pipes for a process; with a shell between they are one.
        """
        containers = self._own_containers()
        own = self._container_files()
        env = {**spec.env, "RUNNER_TRACKING_ID": self._layout.tracking_id if self._layout else ""}
        self._check(spec)
        argv = spec.argv
        if own.is_program(SHELL) and all(map(PLAIN_NAME.fullmatch, env)):
            argv = (SHELL, "-c", ONE_PIPE, "sh", *argv)
        process = containers.execute(msgspec.structs.replace(spec, argv=argv, env=env))
        with self._lock:
            self._processes = [kept for kept in self._processes if not kept.is_closed()]
            self._processes.append(process)
        return process

    def _check(self, spec: ProcessSpec) -> None:
        """Raise Unavailable, in the words of GitHub's runner, for what can't be started."""
        program = spec.argv[0]
        if not self._is_folder(spec.cwd):
            raise _not_started(spec, "No such file or directory")
        if "/" in program:
            place = posixpath.join(spec.cwd, program)
            if not self._is_program(place):
                there = self._visible().kind(place, follow=True)
                raise _not_started(
                    spec, "Permission denied" if there else "No such file or directory"
                )
        elif (
            self.find(program, spec.env.get("PATH") or self._own_containers().job_env["PATH"])
            is None
        ):
            raise _not_started(spec, "No such file or directory")

    def find(self, program: str, path: str) -> str | None:
        """Return the full path of a program on a search path."""
        if "/" in program:
            return program if self._is_program(program) else None
        places = (posixpath.join(folder, program) for folder in path.split(":") if folder)
        return next(filter(self._is_program, places), None)

    def _is_program(self, path: str) -> bool:
        try:
            with self._files.spot(path) as spot:
                mode = os.lstat(spot.name, dir_fd=spot.folder).st_mode
        except OSError:
            return False
        except NotMounted as elsewhere:
            return self._container_files().is_program(elsewhere.path)
        return mode & 0o170000 == 0o100000 and bool(mode & 0o111)

    def _is_folder(self, path: str) -> bool:
        try:
            with self._files.spot(path) as spot:
                return os.lstat(spot.name, dir_fd=spot.folder).st_mode & 0o170000 == 0o040000
        except OSError:
            return False
        except NotMounted as elsewhere:
            status = self._container_files().status(elsewhere.path)
            return status is not None and bool(status.mode & IS_FOLDER)

    def _container_files(self) -> ContainerFiles:
        containers = self._own_containers()
        if not containers.job_id:
            raise Unavailable("The job's container has not been started.")
        with self._lock:
            if self._own is None:
                own = ContainerFiles(containers.engine, containers.job_id)
                self._owner = owner_of(containers.job_user, own)
                mounts = self._layout.mounts if self._layout else ()
                self._files = MountedFiles(mounts, containers.other_mounts)
                self._share()
                self._own = own
            return self._own

    def _share(self) -> None:
        """Hand what was made before the container to its user."""
        try:
            folder = self._files.make_folder(WORK)
            try:
                share_tree(folder, self._owner)
            finally:
                os.close(folder)
        except OSError as error:
            raise Unavailable(f"The job's folders can't be shared: {reason(error)}") from error

    def _is_begun(self) -> bool:
        """Tell whether the container runs; what was made before is its user's then."""
        if self._containers is None or not self._containers.job_id:
            return False
        self._container_files()
        return True

    # --- files --------------------------------------------------------------------------

    def put(self, path: str, content: bytes | BinaryIO | Folder, mode: int = 0o644) -> None:
        """Write a file whole, or bring a folder's files below `path`."""
        self._is_begun()
        try:
            if isinstance(content, Folder):
                self._bring(path, content)
            else:
                self._write(path, content, mode)
        except OSError as error:
            raise Unavailable(f"'{path}' can't be written: {reason(error)}") from error
        except NotMounted as elsewhere:
            own = self._container_files()
            if isinstance(content, Folder):
                own.put_folder(elsewhere.path, content.path, content.files)
            else:
                own.put(elsewhere.path, content, mode)

    def _bring(self, path: str, folder: Folder) -> None:
        target = self._files.make_folder(path)
        try:
            FolderCopy(f"/proc/self/fd/{target}").run(folder)
            share_tree(target, self._owner)
        finally:
            os.close(target)

    def _write(self, path: str, content: bytes | BinaryIO, mode: int) -> None:
        with open(self._files.create(path, mode), "wb", buffering=0) as stream:
            share_file(stream.fileno(), self._owner)
            if isinstance(content, bytes):
                _write_all(stream.fileno(), content)
                return
            while data := content.read(CHUNK):
                _write_all(stream.fileno(), data)

    def renew(self, old: Sequence[str], new: Sequence[str], mode: int) -> None:
        """Make empty files. Old ones stay: a process in the container may have them open."""
        del old
        for path in new:
            self.put(path, b"", mode)

    def get(self, path: str) -> BinaryIO | None:
        """Open a file for reading, None if there is no such file."""
        try:
            return open(self._files.open(path), "rb")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except NotMounted as elsewhere:
            return self._container_files().get(elsewhere.path) if self._is_begun() else None
        except OSError as error:
            raise Unavailable(f"'{path}' can't be read: {reason(error)}") from error

    def search(self, root: str, patterns: Sequence[str], *, digests: bool) -> tuple[Found, ...]:
        """Return what the glob patterns match below `root`, in GitHub's order."""
        home = self._layout.env["HOME"] if self._layout else ""
        self._is_begun()
        return search(self._visible(), Search(patterns, root, home, digests))

    def _visible(self) -> VisibleFiles:
        return VisibleFiles(self._files, self._own)

    # --- the end ------------------------------------------------------------------------

    def tear_down(self, *, keep: bool) -> tuple[tuple[int, str], ...]:
        """End what still runs, then remove the container and the folders but for the workspace."""
        if not self._folder:
            return ()
        ended: tuple[tuple[int, str], ...] = ()
        try:
            if self._containers is not None:
                ended = self._containers.processes()
                self._containers.end(QUIET)
        finally:
            for process in self._processes:
                process.close()
            self._remove_folders(keep=keep)
        return ended

    def _remove_folders(self, *, keep: bool) -> None:
        layout = self._layout
        if keep and layout is not None:
            for path in (layout.temp, layout.tool_cache, layout.actions):
                outside = layout.outside(path)
                if outside is not None:
                    remove(outside)
            forget_owner(self._folder)
        else:
            remove(self._folder)
        self._layout, self._folder, self._own = None, "", None


def _layout(folder: str, place: JobPlace, machine: Machine) -> Layout:
    name = workspace_name(place)
    temp = f"{WORK}/_temp"
    tracking = tracking_id(machine.ids.token())
    work = f"{folder}/w"
    passed = {name: machine.environ[name] for name in place.pass_env if name in machine.environ}
    return Layout(
        workspace=f"{WORK}/{name}/{name}",
        runner_workspace=f"{WORK}/{name}",
        temp=temp,
        tool_cache=TOOLS,
        actions=f"{WORK}/_actions",
        home=HOME,
        file_commands=f"{temp}/_runner_file_commands",
        event_path=f"{WORKFLOW}/event.json",
        os="Linux",
        arch=architecture(),
        name=os.uname().nodename,
        tracking_id=tracking,
        env={"HOME": HOME, **passed, "RUNNER_TRACKING_ID": tracking},
        in_container=True,
        mounts=(
            (WORK, work),
            (TOOLS, f"{work}/_tool"),
            (HOME, f"{work}/_temp/_github_home"),
            (WORKFLOW, f"{work}/_temp/_github_workflow"),
            (EXTERNALS, machine.externals),
        ),
    )


def _not_started(spec: ProcessSpec, cause: str) -> Unavailable:
    return Unavailable(
        f"An error occurred trying to start process '{spec.argv[0]}' "
        f"with working directory '{spec.cwd}'. {cause}"
    )


def _write_all(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
