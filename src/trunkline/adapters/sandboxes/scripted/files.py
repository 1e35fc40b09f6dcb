"""Files in memory, with folders, links and modes."""

from __future__ import annotations

import errno
import hashlib
import os
import posixpath
import stat
import threading
from typing import NamedTuple

from trunkline.adapters.file_search import Kind
from trunkline.ports.sandbox import Found

MAX_LINKS = 40


class Node(NamedTuple):
    """What stands at a path."""

    kind: Kind
    data: bytes = b""
    mode: int = 0o644
    link: str = ""


class MemoryFiles:
    """A tree of files. Paths are absolute; raises OSError as a disk would."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._nodes: dict[str, Node] = {"/": Node(Kind.FOLDER, mode=0o755)}

    def make_folder(self, path: str) -> None:
        """Make a folder and those above it."""
        with self._lock:
            real = self.real(path)
            node = self._nodes.get(real)
            if node is None:
                self.make_folder(posixpath.dirname(real))
                self._nodes[real] = Node(Kind.FOLDER, mode=0o755)
            elif node.kind is not Kind.FOLDER:
                raise _error(errno.ENOTDIR, path)

    def write(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """Write a file whole; its folders are made, a file that is there keeps its mode."""
        with self._lock:
            self.make_folder(posixpath.dirname(path))
            real = self.real(path)
            node = self._nodes.get(real, Node(Kind.FILE, mode=mode))
            if node.kind is Kind.FOLDER:
                raise _error(errno.EISDIR, path)
            self._nodes[real] = Node(Kind.FILE, data, node.mode)

    def link(self, path: str, target: str) -> None:
        """Make a symbolic link."""
        with self._lock:
            self.make_folder(posixpath.dirname(path))
            real = posixpath.join(self.real(posixpath.dirname(path)), posixpath.basename(path))
            self._nodes[real] = Node(Kind.LINK, mode=0o777, link=target)

    def read(self, path: str) -> bytes:
        """Return a file's content."""
        with self._lock:
            node = self._nodes.get(self.real(path))
            if node is None:
                raise _error(errno.ENOENT, path)
            if node.kind is Kind.FOLDER:
                raise _error(errno.EISDIR, path)
            return node.data

    def remove(self, path: str) -> None:
        """Remove what stands at a path, with all below it."""
        with self._lock:
            gone = [name for name in self._nodes if name == path or name.startswith(path + "/")]
            for name in gone:
                del self._nodes[name]

    def is_program(self, path: str) -> bool:
        """Tell whether a path is a file that may be executed."""
        with self._lock:
            node = self._nodes.get(self.real(path))
            return node is not None and node.kind is Kind.FILE and bool(node.mode & 0o111)

    def kind(self, path: str, *, follow: bool) -> Kind | None:
        """Tell what stands at a path, or where a link there leads to."""
        with self._lock:
            real = self.real(path) if follow else self._without_links_above(path)
            node = self._nodes.get(real)
            return node.kind if node else None

    def children(self, path: str) -> list[tuple[str, Kind]]:
        """Return the names in a folder, sorted by their bytes."""
        with self._lock:
            base = self.real(path).rstrip("/") + "/"
            found = [
                (name[len(base) :], node.kind)
                for name, node in self._nodes.items()
                if name.startswith(base) and name != base and "/" not in name[len(base) :]
            ]
        return sorted(found, key=lambda child: os.fsencode(child[0]))

    def real(self, path: str) -> str:
        """Return the path without any link in it."""
        with self._lock:
            for _ in range(MAX_LINKS):
                step = self._one_link_less(path)
                if step == path:
                    return path
                path = step
        raise _error(errno.ELOOP, path)

    def describe(self, path: str) -> Found:
        """Return a file's or folder's data, links followed."""
        with self._lock:
            own = self._nodes[self._without_links_above(path)]
            node = self._nodes.get(self.real(path), own)
        types = {Kind.FOLDER: stat.S_IFDIR, Kind.FILE: stat.S_IFREG, Kind.LINK: stat.S_IFLNK}
        return Found(
            path=path,
            size=len(node.data),
            mode=types[node.kind] | node.mode,
            is_folder=node.kind is Kind.FOLDER,
            link=own.link,
        )

    def digest(self, path: str) -> bytes:
        """Return the SHA-256 of a file's content."""
        return hashlib.sha256(self.read(path)).digest()

    def _without_links_above(self, path: str) -> str:
        folder, name = posixpath.split(posixpath.normpath(path))
        return posixpath.join(self.real(folder), name)

    def _one_link_less(self, path: str) -> str:
        """Replace the first link in a path by where it leads."""
        path = posixpath.normpath(path)
        at = 0
        while at >= 0:
            at = path.find("/", at + 1)
            head = path if at < 0 else path[:at]
            node = self._nodes.get(head)
            if node is not None and node.kind is Kind.LINK:
                target = posixpath.join(posixpath.dirname(head), node.link)
                return posixpath.normpath(target + path[len(head) :])
        return path


def _error(number: int, path: str) -> OSError:
    return OSError(number, os.strerror(number), path)
