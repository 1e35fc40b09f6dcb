"""Bringing files into a sandbox on this machine: as reflinks where the disk can, else as copies."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import sys
from typing import BinaryIO

from trunkline.adapters.trees import names_below
from trunkline.base.errors import Unavailable
from trunkline.ports.sandbox import Folder

CHUNK = 1 << 20
# linux/fs.h: share the source's blocks until one side is written to.
FICLONE = 0x40049409 if sys.platform == "linux" else 0
# An open folder as a place to start from (Linux: it need not be readable).
FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write_file(path: str, content: bytes | BinaryIO, mode: int) -> None:
    """Write a file whole, making the folders above it."""
    file = _open_new(path, mode)
    try:
        if isinstance(content, bytes):
            _write(file, content)
        else:
            while data := content.read(CHUNK):
                _write(file, data)
    finally:
        os.close(file)


def take_over(old: str, new: str, mode: int) -> bool:
    """Give an empty file another name; tell whether it was one, as new as when it was made."""
    try:
        found = os.lstat(old)
        fresh = stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and not found.st_size
        if not fresh or found.st_uid != os.geteuid() or found.st_mode & 0o777 & ~mode:
            return False
        os.rename(old, new)
    except OSError:
        return False
    return True


def _open_new(path: str, mode: int) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    try:
        return os.open(path, flags, mode)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return os.open(path, flags, mode)


def _write(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


class FolderCopy:
    """Brings the files of one folder below another, which need not exist.

    Whatever processes of the job do meanwhile below the target, no link there is followed.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._root = self._folder = -1
        self._name = ""
        self._can_clone = bool(FICLONE)

    def run(self, folder: Folder) -> None:
        """Copy what `folder` names. What vanished meanwhile is left out."""
        os.makedirs(self._target, exist_ok=True)
        self._root = os.open(self._target, FOLDER & ~os.O_NOFOLLOW)
        self._folder, self._name = os.dup(self._root), ""
        try:
            for name in ("",) if folder.files is None else folder.files:
                self._bring(folder.path, name.rstrip("/"))
        finally:
            os.close(self._root)
            os.close(self._folder)

    def _bring(self, source: str, name: str) -> None:
        """Bring a file, or a folder with all that is in it."""
        if name.startswith("/") or ".." in name.split("/"):
            raise Unavailable(f"'{name}' leaves the folder '{source}'.")
        if self._place(source, name):
            for inner in names_below(source, name):
                self._place(source, inner)

    def _place(self, source: str, name: str) -> bool:
        """Bring one thing; tell whether it is a folder, which is made empty."""
        path = os.path.join(source, name)
        try:
            mode = os.lstat(path).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return False
        if stat.S_ISDIR(mode):
            self._enter(name)
            return True
        above, _, base = name.rpartition("/")
        self._enter(above)
        if stat.S_ISREG(mode):
            self._copy(path, base, 0o755 if mode & 0o100 else 0o644)
        elif stat.S_ISLNK(mode):
            self._link(os.readlink(path), base)
        return False

    def _enter(self, name: str) -> None:
        """Open a folder below the target for what follows, making it and those above it."""
        if name == self._name:
            return
        folder = os.dup(self._root)
        try:
            for part in name.split("/") if name else ():
                inner = _open_folder(folder, part)
                os.close(folder)
                folder = inner
        except BaseException:
            os.close(folder)
            raise
        os.close(self._folder)
        self._folder, self._name = folder, name

    def _link(self, to: str, base: str) -> None:
        try:
            os.symlink(to, base, dir_fd=self._folder)
        except FileExistsError:
            os.unlink(base, dir_fd=self._folder)
            os.symlink(to, base, dir_fd=self._folder)

    def _copy(self, path: str, base: str, mode: int) -> None:
        try:
            reader = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            writer = _open_fresh(base, mode, self._folder)
            try:
                self._copy_content(reader, writer)
            finally:
                os.close(writer)
        finally:
            os.close(reader)

    def _copy_content(self, reader: int, writer: int) -> None:
        if self._can_clone and self._clone(reader, writer):
            return
        while data := os.read(reader, CHUNK):
            _write(writer, data)

    def _clone(self, reader: int, writer: int) -> bool:
        try:
            fcntl.ioctl(writer, FICLONE, reader)
        except OSError:  # not this disk, or two of them; a copy tells what else is wrong
            self._can_clone = False
        return self._can_clone


def _open_folder(above: int, name: str) -> int:
    """Open a folder in an open one; what stands in its way, a link above all, goes."""
    try:
        return os.open(name, FOLDER, dir_fd=above)
    except OSError as error:
        if error.errno in {errno.ENOTDIR, errno.ELOOP}:
            os.unlink(name, dir_fd=above)
        elif error.errno != errno.ENOENT:
            raise
    os.mkdir(name, dir_fd=above)
    return os.open(name, FOLDER, dir_fd=above)


def _open_fresh(name: str, mode: int, above: int) -> int:
    """Open a file that was not there: an old one may be a link to somewhere else."""
    try:
        return os.open(name, NEW_FILE, mode, dir_fd=above)
    except FileExistsError:
        os.unlink(name, dir_fd=above)
        return os.open(name, NEW_FILE, mode, dir_fd=above)
