"""Folders: made for their owner alone, listed, and removed whole whatever their permissions."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

from trunkline.base.errors import Unavailable

# Paths are limited to 4096 bytes; a folder this deep is moved up before it is emptied.
LONG_PATH = 1000


def make_private(path: str) -> None:
    """Make a folder and those above it, each with mode 0700. No error when it is there."""
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        if not os.path.isdir(path):
            raise
    except FileNotFoundError:
        above = os.path.dirname(path)
        if os.path.isdir(above):  # a folder that takes no folders, as in /proc
            raise
        make_private(above)
        make_private(path)


def make_cache(path: str | os.PathLike[str]) -> None:
    """Make a folder of the cache, and those above it. Raises Unavailable: it can't be written to."""
    try:
        os.makedirs(path, exist_ok=True)
        if not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise Unavailable(
            f"The cache can't be written: {error.strerror}: '{path}'",
            hint="TRUNKLINE_CACHE names another folder for it.",
        ) from error


def names_below(root: str, below: str = "") -> Iterator[str]:
    """Yield all names below `root`/`below` relative to `root`, folders before what is in them."""
    waiting = [below]
    while waiting:
        with os.scandir(os.path.join(root, folder := waiting.pop())) as entries:
            for entry in entries:
                name = os.path.join(folder, entry.name)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(name)
                yield name


def remove_tree(path: str) -> None:
    """Remove a folder and all below it; links are removed, never followed.

    No error when it is gone. Folders that may not be written to (Go's module cache) are opened up
    on the way. Raises OSError for what still can't be removed, after the rest is gone.
    """
    if os.path.islink(path):
        os.unlink(path)
        return
    failed: list[OSError] = []
    waiting = [path]
    emptied: list[str] = []
    while waiting:
        folder = waiting.pop()
        try:
            waiting += _empty(folder, path)
        except FileNotFoundError:
            continue
        except OSError as error:
            failed.append(error)
        emptied.append(folder)
    for folder in reversed(emptied):
        try:
            os.rmdir(folder)
        except FileNotFoundError:
            continue
        except OSError as error:
            failed.append(error)
    if failed:
        raise failed[0]


def _empty(folder: str, root: str) -> list[str]:
    """Unlink a folder's files; return its folders."""
    try:
        folders = _unlink_files(folder)
    except PermissionError:
        os.chmod(folder, 0o700)
        folders = _unlink_files(folder)
    if folders and not os.access(folder, os.W_OK | os.X_OK):
        os.chmod(folder, 0o700)
    return [_move_up(path, root) if len(path) > LONG_PATH else path for path in folders]


def _unlink_files(folder: str) -> list[str]:
    folders: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            else:
                os.unlink(entry.path)
    return folders


def _move_up(folder: str, root: str) -> str:
    if len(root) + 40 > LONG_PATH:
        return folder
    short = os.path.join(root, f".deep-{os.lstat(folder).st_ino}")
    os.rename(folder, short)
    return short
