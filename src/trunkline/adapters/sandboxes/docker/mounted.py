"""A container's files that this machine has too, seen as the container sees them.

Processes in the container may put links anywhere. They are followed as the container would, folder
by folder from the mounted one, so that no link leads to a file of this machine that is not mounted.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple

from trunkline.adapters.file_search import Kind, children_of, found_at, hash_of, kind_of
from trunkline.adapters.job_folders.copying import FOLDER
from trunkline.ports.sandbox import Found

# As many as the kernel follows (path_resolution(7)).
MOST_LINKS = 40
SLASH = re.compile("/")


class NotMounted(Exception):
    """A path leads to where only the container has files; `path` is it, without links so far."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class Spot(NamedTuple):
    """Where a path leads: an open folder, a name in it, and the whole path without links."""

    folder: int
    name: str
    path: str


class MountedFiles:
    """The files below mounted folders, given as (inside, outside) pairs.

    `hidden` are folders inside where the container has something else mounted.
    """

    def __init__(self, mounts: Sequence[tuple[str, str]], hidden: Sequence[str] = ()) -> None:
        self._mounts = dict(mounts)
        # Folders that lead to mounted ones: the engine makes them, so none is a link.
        self._above = {"/"} | {
            path[: match.start()] or "/" for path in self._mounts for match in SLASH.finditer(path)
        }
        self._hidden = frozenset(path.rstrip("/") for path in hidden)

    @contextmanager
    def spot(self, path: str, *, follow: bool = True, make: bool = False) -> Iterator[Spot]:
        """Open the folder that a path is in; `make` makes those that are missing.

        Raises NotMounted, and OSError as the kernel would.
        """
        found = self._walk(path, follow=follow, make=make)
        try:
            yield found
        finally:
            os.close(found.folder)

    def _walk(self, path: str, *, follow: bool, make: bool) -> Spot:
        for _ in range(MOST_LINKS):
            spot, rest = self._step(_parts(path), follow=follow, make=make)
            if spot is not None:
                return spot
            path = rest
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)

    def _step(self, parts: list[str], *, follow: bool, make: bool) -> tuple[Spot | None, str]:
        """Go along a path; at a link return the path to go on with."""
        start, parts = self._start(parts)
        here = "/" + "/".join(start)
        folder = os.open(self._mounts[here], FOLDER & ~os.O_NOFOLLOW)
        try:
            for index, part in enumerate(parts):
                rest, is_last = parts[index + 1 :], index == len(parts) - 1
                inner = f"{here}/{part}"
                if part == "..":
                    return self._elsewhere(folder, [*_parts(here)[:-1], *rest])
                if inner in self._mounts or inner in self._hidden:
                    return self._elsewhere(folder, [*_parts(inner), *rest])
                target = _link(folder, part) if follow or not is_last else None
                if target is not None:
                    base = [] if target.startswith("/") else _parts(here)
                    return self._elsewhere(folder, [*base, *_parts(target), *rest])
                if is_last:
                    return Spot(folder, part, inner), ""
                entered = _enter(folder, part, make=make)
                os.close(folder)
                folder, here = entered, inner
        except BaseException:
            os.close(folder)
            raise
        return Spot(folder, ".", here), ""

    def _elsewhere(self, folder: int, parts: list[str]) -> tuple[None, str]:
        os.close(folder)
        return None, "/" + "/".join(parts)

    def _start(self, parts: list[str]) -> tuple[list[str], list[str]]:
        """Split a path at the mounted folder that its longest beginning without `..` names."""
        parts = self._without_ups(parts)
        plain = parts.index("..") if ".." in parts else len(parts)
        for length in range(plain, 0, -1):
            beginning = "/" + "/".join(parts[:length])
            if beginning in self._hidden:
                break
            if beginning in self._mounts:
                return parts[:length], parts[length:]
        raise NotMounted("/" + "/".join(parts))

    def _without_ups(self, parts: list[str]) -> list[str]:
        """Take out each `..` that follows the root or a folder that only leads to mounted ones."""
        found: list[str] = []
        for index, part in enumerate(parts):
            if part != "..":
                found.append(part)
            elif "/" + "/".join(found) in self._above:
                found = found[:-1]
            else:
                return [*found, *parts[index:]]
        return found

    # --- what a search needs (file_search.Tree) -------------------------------------------

    def kind(self, path: str, *, follow: bool) -> Kind | None:
        """Tell what stands at a path."""
        try:
            with self.spot(path, follow=follow) as spot:
                mode = os.lstat(spot.name, dir_fd=spot.folder).st_mode
        except FileNotFoundError:
            return None
        return kind_of(mode)

    def children(self, path: str) -> list[tuple[str, Kind]]:
        """Return the names in a folder."""
        with self.spot(path) as spot:
            folder = os.open(spot.name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=spot.folder)
        try:
            return children_of(folder)
        finally:
            os.close(folder)

    def real(self, path: str) -> str:
        """Return the path without any link in it."""
        with self.spot(path) as spot:
            return spot.path

    def describe(self, path: str) -> Found:
        """Return a file's or folder's data."""
        with self.spot(path, follow=False) as spot:
            status = os.lstat(spot.name, dir_fd=spot.folder)
            link = _link(spot.folder, spot.name) or ""
        if link:
            # A link that leads nowhere here stands for itself.
            with suppress(OSError, NotMounted), self.spot(path) as spot:
                status = os.lstat(spot.name, dir_fd=spot.folder)
        return found_at(path, status, link)

    def digest(self, path: str) -> bytes:
        """Return the SHA-256 of a file's content."""
        with open(self.open(path), "rb", buffering=0) as stream:
            return hash_of(stream)

    # --- reading and writing --------------------------------------------------------------

    def open(self, path: str) -> int:
        """Open a regular file for reading. Raises OSError, NotMounted."""
        with self.spot(path) as spot:
            # A pipe in the file's place would make us wait for its writer.
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
            file = os.open(spot.name, flags, dir_fd=spot.folder)
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise OSError(errno.EINVAL, "it is not a file")
        return file

    def create(self, path: str, mode: int) -> int:
        """Open a file for writing, empty, making the folders above it. Raises OSError, NotMounted."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with self.spot(path, make=True) as spot:
            file = os.open(spot.name, flags, mode, dir_fd=spot.folder)
        if os.fstat(file).st_uid == os.geteuid():
            os.fchmod(file, mode)  # whatever the umask: the container's user is another
        return file

    def make_folder(self, path: str) -> int:
        """Open a folder, making it and those above it. Raises OSError, NotMounted."""
        with self.spot(path, make=True) as spot:
            return _enter(spot.folder, spot.name, make=True)


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in {"", "."}]


def _link(folder: int, name: str) -> str | None:
    """Return what a link says, None when it is none or is not there."""
    try:
        return os.readlink(name, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.EINVAL:
            return None
        raise


def _enter(folder: int, name: str, *, make: bool) -> int:
    """Open a folder in an open one."""
    try:
        return os.open(name, FOLDER, dir_fd=folder)
    except FileNotFoundError:
        if not make:
            raise
        os.mkdir(name, 0o755, dir_fd=folder)
        return os.open(name, FOLDER, dir_fd=folder)
