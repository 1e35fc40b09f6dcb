"""Finding files by the patterns of `hashFiles`, in the order that decides its result.

The walk is that of GitHub's `@actions/glob`: depth first from each search path, the names of a
folder by their bytes, files and folders mixed (reference 2.5). What it walks is a `Tree`: this
machine's disk, or a fake's.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from enum import Enum
from typing import BinaryIO, NamedTuple, Protocol

from trunkline.expr.hashing import (
    TIME_LIMIT,
    Match,
    Patterns,
    failed,
    parse_patterns,
    timed_out,
)
from trunkline.ports.sandbox import Found

CHUNK = 1 << 20


class Kind(Enum):
    """What stands under a name."""

    FOLDER = "folder"
    FILE = "file"
    LINK = "link"


class Tree(Protocol):
    """Files to search. Raises OSError for what can't be read."""

    def kind(self, path: str, *, follow: bool) -> Kind | None:
        """Tell what stands at a path, or where a link there leads to; None when nothing does."""
        ...

    def children(self, path: str) -> list[tuple[str, Kind]]:
        """Return the names in a folder, sorted by their bytes."""
        ...

    def real(self, path: str) -> str:
        """Return the path without any link in it."""
        ...

    def describe(self, path: str) -> Found:
        """Return a file's or folder's data, links followed (a broken one: its own)."""
        ...

    def digest(self, path: str) -> bytes:
        """Return the SHA-256 of a file's content, links followed."""
        ...


class Search(NamedTuple):
    """What is asked: the patterns' text, the folder they start from, and what `~` is (absolute).

    With `digests`, what lies outside the root is of no interest, and the time is limited (seconds).
    """

    arguments: Sequence[str]
    root: str
    home: str
    digests: bool
    time_limit: float = TIME_LIMIT


def search(tree: Tree, wanted: Search) -> tuple[Found, ...]:
    """Return what the patterns match; with `digests` the files below the root carry theirs.

    Raises ExpressionError, in GitHub's words, for an invalid option or pattern, for what can't be
    read, and when digests take too long.
    """
    patterns = parse_patterns(wanted.arguments, wanted.root, wanted.home)
    end = time.monotonic() + wanted.time_limit
    found: list[Found] = []
    try:
        for path in _walk(tree, patterns, wanted):
            if wanted.digests and time.monotonic() > end:
                raise timed_out(wanted.arguments)
            if path:
                found.append(_found(tree, path, wanted))
    except OSError as error:
        cause = f"{error.strerror}: '{error.filename}'"
        raise failed(wanted.arguments, wanted.root, cause) from error
    return tuple(found)


def search_disk(
    arguments: Sequence[str], root: str, home: str, *, digests: bool
) -> tuple[Found, ...]:
    """Search this machine's files. Raises as `search` does."""
    return search(DiskTree(), Search(arguments, root, home, digests))


def _found(tree: Tree, path: str, wanted: Search) -> Found:
    found = tree.describe(path)
    if not wanted.digests or found.is_folder or not path.startswith(wanted.root + "/"):
        return found
    return Found(
        path=path, size=found.size, mode=found.mode, link=found.link, sha256=tree.digest(path)
    )


class _State(NamedTuple):
    path: str
    level: int
    kind: Kind | None


def _walk(tree: Tree, patterns: Patterns, wanted: Search) -> Iterator[str]:
    """Yield what matches; '' for a folder that does not, so that the time can be looked at."""
    starts = ((path, tree.kind(path, follow=False)) for path in reversed(patterns.search_paths))
    stack = [_State(path, 1, kind) for path, kind in starts if kind is not None]
    chain: list[str] = []
    while stack:
        state = stack.pop()
        match = patterns.match(state.path)
        if not match and not patterns.may_hold(state.path):
            continue
        kind = _enter(tree, state, chain) if patterns.follow_links else state.kind
        if kind is Kind.FOLDER:
            yield state.path if match & Match.DIRECTORY else ""
            if wanted.digests and not _leads_to(wanted.root, state.path):
                continue
            base = state.path.rstrip("/")
            stack += [
                _State(f"{base}/{name}", state.level + 1, inner)
                for name, inner in reversed(tree.children(state.path))
            ]
        elif kind is not None and match & Match.FILE:
            yield state.path


def _leads_to(root: str, path: str) -> bool:
    """Tell whether a folder is the root, or is above or below it."""
    return f"{path}/".startswith(f"{root}/") or root.startswith(path.rstrip("/") + "/")


def _enter(tree: Tree, state: _State, chain: list[str]) -> Kind | None:
    """Follow a link; None for a broken one, and for a folder that we are inside of already."""
    kind = state.kind
    if kind is Kind.LINK:
        kind = tree.kind(state.path, follow=True)
    if kind is not Kind.FOLDER:
        return kind
    real = tree.real(state.path)
    del chain[state.level - 1 :]
    if real in chain:
        return None
    chain.append(real)
    return kind


class DiskTree:
    """This machine's files."""

    def kind(self, path: str, *, follow: bool) -> Kind | None:
        """Tell what stands at a path."""
        try:
            mode = os.stat(path, follow_symlinks=follow).st_mode
        except FileNotFoundError:
            return None
        return kind_of(mode)

    def children(self, path: str) -> list[tuple[str, Kind]]:
        """Return the names in a folder."""
        return children_of(path)

    def real(self, path: str) -> str:
        """Return the path without any link in it."""
        return os.path.realpath(path)

    def describe(self, path: str) -> Found:
        """Return a file's or folder's data."""
        status = os.lstat(path)
        link = os.readlink(path) if stat.S_ISLNK(status.st_mode) else ""
        if link:
            with suppress(OSError):  # a broken link stands for itself
                status = os.stat(path)
        return found_at(path, status, link)

    def digest(self, path: str) -> bytes:
        """Return the SHA-256 of a file's content."""
        if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe would make us wait for its writer
            raise OSError(errno.EINVAL, "not a regular file", path)
        with open(path, "rb", buffering=0) as stream:
            return hash_of(stream)


def kind_of(mode: int) -> Kind:
    """Return what a mode of `lstat` is of."""
    if stat.S_ISLNK(mode):
        return Kind.LINK
    return Kind.FOLDER if stat.S_ISDIR(mode) else Kind.FILE


def children_of(folder: str | int) -> list[tuple[str, Kind]]:
    """Return the names in a folder, given by its path or open, in the order of their bytes."""
    with os.scandir(folder) as entries:
        found = [(entry.name, _kind(entry)) for entry in entries]
    return sorted(found, key=lambda child: os.fsencode(child[0]))


def _kind(entry: os.DirEntry[str]) -> Kind:
    if entry.is_symlink():
        return Kind.LINK
    return Kind.FOLDER if entry.is_dir(follow_symlinks=False) else Kind.FILE


def found_at(path: str, status: os.stat_result, link: str) -> Found:
    """Return the data of what is at a path; `status` is that of what a `link` leads to."""
    return Found(
        path=path,
        size=status.st_size,
        mode=status.st_mode,
        is_folder=stat.S_ISDIR(status.st_mode),
        link=link,
    )


def hash_of(stream: BinaryIO) -> bytes:
    """Return the SHA-256 of what is left of a file."""
    hashed = hashlib.sha256()
    while data := stream.read(CHUNK):
        hashed.update(data)
    return hashed.digest()


def digest_of(digests: Iterable[bytes]) -> str:
    """Return the SHA-256, in hexadecimal, of files' digests one after the other (`hashFiles`)."""
    return hashlib.sha256(b"".join(digests)).hexdigest()
