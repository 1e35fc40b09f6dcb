"""Every file that a container has, to search in: those of this machine, and the image's own."""

from __future__ import annotations

import errno
import os
import stat

from trunkline.adapters.file_search import Kind, hash_of
from trunkline.adapters.sandboxes.docker.mounted import MountedFiles, NotMounted
from trunkline.adapters.sandboxes.docker.own_files import IS_FOLDER, ContainerFiles, Status
from trunkline.ports.sandbox import Found


class VisibleFiles:
    """A `file_search.Tree`. `own` is None as long as there is no container."""

    def __init__(self, mounted: MountedFiles, own: ContainerFiles | None) -> None:
        self._mounted = mounted
        self._own = own

    def kind(self, path: str, *, follow: bool) -> Kind | None:
        """Tell what stands at a path. A link among the image's own files counts as what it is to."""
        try:
            return self._mounted.kind(path, follow=follow)
        except NotMounted as elsewhere:
            status = self._status(elsewhere.path)
        if status is None:
            return None
        return Kind.FOLDER if status.mode & IS_FOLDER else Kind.FILE

    def children(self, path: str) -> list[tuple[str, Kind]]:
        """Return the names in a folder."""
        try:
            return self._mounted.children(path)
        except NotMounted as elsewhere:
            return self._own.children(elsewhere.path) if self._own else []

    def real(self, path: str) -> str:
        """Return the path without any link that this machine can see in it."""
        try:
            return self._mounted.real(path)
        except NotMounted as elsewhere:
            return elsewhere.path

    def describe(self, path: str) -> Found:
        """Return a file's or folder's data."""
        try:
            found = self._mounted.describe(path)
        except NotMounted as elsewhere:
            own = self._described(path, elsewhere.path, "")
            if own is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path) from None
            return own
        if stat.S_ISLNK(found.mode):
            return self._followed(found)
        return found

    def _followed(self, found: Found) -> Found:
        """Return what a link leads to among the image's own files; itself when that is nothing."""
        try:
            self._mounted.real(found.path)
        except NotMounted as elsewhere:
            return self._described(found.path, elsewhere.path, found.link) or found
        except OSError:
            return found
        return found

    def _described(self, path: str, place: str, link: str) -> Found | None:
        status = self._status(place)
        if status is None:
            return None
        is_folder = bool(status.mode & IS_FOLDER)
        mode = status.mode & 0o777 | (stat.S_IFDIR if is_folder else stat.S_IFREG)
        return Found(path=path, size=status.size, mode=mode, is_folder=is_folder, link=link)

    def digest(self, path: str) -> bytes:
        """Return the SHA-256 of a file's content."""
        try:
            return self._mounted.digest(path)
        except NotMounted as elsewhere:
            stream = self._own.get(elsewhere.path) if self._own else None
        if stream is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        with stream:
            return hash_of(stream)

    def _status(self, path: str) -> Status | None:
        return self._own.status(path) if self._own else None
