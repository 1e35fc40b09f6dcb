"""Files that this process makes for a container whose user is another one."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

import msgspec

from trunkline.adapters.sandboxes.docker.own_files import ContainerFiles

ROOT = frozenset({"", "0", "root"})


class Owner(msgspec.Struct, frozen=True):
    """The user that a container's processes run as."""

    user: int
    group: int


def owner_of(user: str, files: ContainerFiles) -> Owner | None:
    """Return who `user[:group]` of a container is, None for root and for nobody known."""
    name, _, group = user.partition(":")
    if name in ROOT:
        return None
    if name.isdecimal() and group.isdecimal():
        return Owner(int(name), int(group))
    for entry in _entries(files, "/etc/passwd"):
        if len(entry) > 3 and name in {entry[0], entry[2]}:
            own_group = group if group.isdecimal() else entry[3]
            return Owner(int(entry[2]), int(own_group))
    return Owner(int(name), 0) if name.isdecimal() else None


def _entries(files: ContainerFiles, path: str) -> Iterator[list[str]]:
    stream = files.get(path)
    if stream is None:
        return
    with stream:
        for line in stream:
            yield line.decode("utf-8", "replace").strip().split(":")


def share_file(file: int, owner: Owner | None) -> None:
    """Let the container's user have an open file of ours: give it, or widen its mode."""
    if owner is None:
        return
    if os.geteuid() == 0:
        os.fchown(file, owner.user, owner.group)
    else:
        os.fchmod(file, widened(os.fstat(file).st_mode))


def share_tree(folder: int, owner: Owner | None) -> None:
    """Let the container's user have everything of ours below an open folder."""
    if owner is None:
        return
    for _, folders, files, inner in os.fwalk(".", dir_fd=folder, follow_symlinks=False):
        share_file(inner, owner)
        for name in files:
            _share_name(inner, name, owner)
        del folders


def _share_name(folder: int, name: str, owner: Owner) -> None:
    status = os.lstat(name, dir_fd=folder)
    if status.st_uid != os.geteuid():
        return
    if os.geteuid() == 0:
        os.chown(name, owner.user, owner.group, dir_fd=folder, follow_symlinks=False)
    elif stat.S_ISREG(status.st_mode):
        os.chmod(name, widened(status.st_mode), dir_fd=folder)


def widened(mode: int) -> int:
    """Return a mode by which everybody may do what its owner may."""
    mine = stat.S_IMODE(mode) & 0o700
    return stat.S_IMODE(mode) | mine >> 3 | mine >> 6
