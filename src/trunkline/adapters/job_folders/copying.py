"""Bringing files into a sandbox on this machine: as reflinks where the disk can, else as copies."""

from __future__ import annotations

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
    """Brings the files of one folder below another, which need not exist."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._made: set[str] = set()
        self._can_clone = bool(FICLONE)

    def run(self, folder: Folder) -> None:
        """Copy what `folder` names. What vanished meanwhile is left out."""
        os.makedirs(self._target, exist_ok=True)
        for name in ("",) if folder.files is None else folder.files:
            self._bring(folder.path, name.rstrip("/"))

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
        self._make_folder(os.path.dirname(name))
        if stat.S_ISREG(mode):
            self._copy(path, name, 0o755 if mode & 0o100 else 0o644)
        elif stat.S_ISLNK(mode):
            self._link(os.readlink(path), name)
        elif stat.S_ISDIR(mode):
            self._make_folder(name)
        return stat.S_ISDIR(mode)

    def _make_folder(self, name: str) -> None:
        """Make a folder below the target; what stands in its way, a link above all, goes."""
        if not name or name in self._made:
            return
        self._make_folder(os.path.dirname(name))
        path = os.path.join(self._target, name)
        try:
            os.mkdir(path)
        except FileExistsError:
            if not stat.S_ISDIR(os.lstat(path).st_mode):
                os.unlink(path)
                os.mkdir(path)
        self._made.add(name)

    def _link(self, to: str, name: str) -> None:
        path = os.path.join(self._target, name)
        try:
            os.symlink(to, path)
        except FileExistsError:
            os.unlink(path)
            os.symlink(to, path)

    def _copy(self, path: str, name: str, mode: int) -> None:
        target = os.path.join(self._target, name)
        try:
            reader = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            writer = _open_fresh(target, mode)
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


def _open_fresh(path: str, mode: int) -> int:
    """Open a file that was not there: an old one may be a link to somewhere else."""
    try:
        return os.open(path, NEW_FILE, mode)
    except FileExistsError:
        os.unlink(path)
        return os.open(path, NEW_FILE, mode)
