"""The `hashFiles` function where the files are: walk, hash, one digest."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterator, Sequence

from trunkline.expr.hashing import (
    TIME_LIMIT,
    Match,
    Patterns,
    failed,
    parse_patterns,
    timed_out,
)

_CHUNK = 1 << 20


class _Refused(Exception):
    """A path that stops the whole call."""


class _TimedOut(Exception):
    """The call took too long."""


def hash_files(workspace: str, patterns: Sequence[str], home: str) -> str:
    """Return the lower-case hex digest over the files that `patterns` match, '' for none.

    `workspace` and `home` are absolute paths; `patterns` are the arguments of `hashFiles` as text.
    The result is the SHA-256 of the SHA-256s of the files, in GitHub's order: depth first, names by their
    bytes (reference section 2.5). Directories and what lies outside the workspace do not count.
    Raises `ExpressionError` with GitHub's message for a bad option or pattern, for a file that can't be
    read (a broken link too, unless links are followed), and after 120 seconds.
    """
    workspace = os.path.normpath(workspace)
    parsed = parse_patterns(patterns, workspace, home)
    deadline = time.monotonic() + TIME_LIMIT
    digest = hashlib.sha256()
    found = False
    try:
        for path in _Walk(parsed, workspace, deadline).files():
            digest.update(_digest(path, deadline))
            found = True
    except _TimedOut:
        raise timed_out(patterns) from None
    except (OSError, _Refused) as error:
        raise failed(patterns, workspace, str(error)) from error
    return digest.hexdigest() if found else ""


def _digest(path: str, deadline: float) -> bytes:
    """Return the SHA-256 of a file's bytes; anything but a regular file can't be read to its end."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise _Refused(f"not a regular file: '{path}'")
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            _check_time(deadline)
    return digest.digest()


def _exists(path: str) -> bool:
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    return True


def _is_link_to_folder(path: str, mode: int) -> bool:
    return stat.S_ISLNK(mode) and os.path.isdir(path)


def _check_time(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise _TimedOut


class _Walk:
    """One depth-first walk from each search path, in GitHub's order."""

    def __init__(self, patterns: Patterns, workspace: str, deadline: float) -> None:
        self._patterns = patterns
        self._workspace = workspace
        self._deadline = deadline
        # The real paths of the directories above the one being read: a link to one of them is a cycle.
        self._above: list[str] = []

    def files(self) -> Iterator[str]:
        """Yield the matching files within the workspace."""
        starts = reversed(self._patterns.search_paths)
        waiting = [(path, 1) for path in starts if _exists(path)]
        while waiting:
            path, level = waiting.pop()
            _check_time(self._deadline)
            match = self._patterns.match(path)
            if not (match or self._patterns.may_hold(path)):
                continue
            mode = self._mode(path, level)
            if mode is None:
                continue
            if stat.S_ISDIR(mode):
                if self._leads_to_workspace(path):
                    names = sorted(os.listdir(path), key=os.fsencode, reverse=True)
                    waiting.extend((os.path.join(path, name), level + 1) for name in names)
            elif (
                match & Match.FILE and self._is_inside(path) and not _is_link_to_folder(path, mode)
            ):
                yield path

    def _mode(self, path: str, level: int) -> int | None:
        """Return what kind of thing a path is; None for a broken link or a cycle of followed links."""
        if not self._patterns.follow_links:
            return os.lstat(path).st_mode
        try:
            mode = os.stat(path).st_mode
        except FileNotFoundError:
            return None
        if stat.S_ISDIR(mode):
            real = os.path.realpath(path)
            del self._above[level - 1 :]
            if real in self._above:
                return None
            self._above.append(real)
        return mode

    def _leads_to_workspace(self, path: str) -> bool:
        inside = path == self._workspace or self._is_inside(path)
        return inside or self._workspace.startswith(path.rstrip("/") + "/")

    def _is_inside(self, path: str) -> bool:
        return path.startswith(self._workspace.rstrip("/") + "/")
