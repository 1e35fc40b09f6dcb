"""Reads commits and changed files from git's output."""

from __future__ import annotations

import msgspec

from trunkline.adapters.git.command import GitFailed, Running
from trunkline.plan.facts import EMPTY_TREE, Commit, Person

MAX_COMMITS = 2048
_FIELDS = ("%H", "%P", "%T", "%an", "%ae", "%cn", "%ce", "%cI", "%B")
_MARK = b"\x01"
_LOG = (
    *("log", "-z", "--name-status", "--diff-merges=first-parent", "--no-renames"),
    *("--no-color", "--no-mailmap", f"--format=%x01{'%x00'.join(_FIELDS)}%x00"),
)


class LoggedCommit(msgspec.Struct, frozen=True):
    """A commit of a log, with its parents."""

    commit: Commit
    parents: tuple[str, ...]


def log(directory: str, revision: str, *, limit: int = MAX_COMMITS) -> Running:
    """Start a log of `revision` (a commit or a range), at most `limit`, newest first."""
    return Running(directory, (*_LOG, "-n", str(limit), revision, "--"))


def parse_log(output: bytes) -> list[LoggedCommit]:
    """Return the commits that `log` printed, in its order."""
    tokens = iter(output.split(b"\0"))
    records: list[tuple[list[str], list[tuple[str, str]]]] = []
    for token in tokens:
        if token.startswith(_MARK):
            fields = [token[1:], *(next(tokens) for _ in _FIELDS[1:])]
            records.append(([_text(field) for field in fields], []))
        elif kind := _text(token.strip()):
            records[-1][1].append((kind, _text(next(tokens))))
    return [_commit(fields, changes) for fields, changes in records]


def _commit(fields: list[str], changes: list[tuple[str, str]]) -> LoggedCommit:
    sha, parents, tree, author, author_email, committer, committer_email, date, message = fields
    commit = Commit(
        sha=sha,
        message=message.rstrip("\n"),
        author=Person(author, author_email),
        committer=Person(committer, committer_email),
        timestamp=date,
        tree=tree,
        added=tuple(name for kind, name in changes if kind == "A"),
        modified=tuple(name for kind, name in changes if kind in {"M", "T"}),
        removed=tuple(name for kind, name in changes if kind == "D"),
    )
    return LoggedCommit(commit, tuple(parents.split()))


def names_between(directory: str, before: str, after: str) -> Running:
    """Start a list of the files that differ between two commits ('' is the empty tree)."""
    return Running(
        directory,
        ("diff", "--no-renames", "--name-only", "-z", before or EMPTY_TREE, after, "--"),
    )


def parse_names(running: Running) -> tuple[str, ...] | None:
    """Return the names that `names_between` lists; None when git could not tell."""
    try:
        return tuple(_text(name) for name in running.output().split(b"\0") if name)
    except GitFailed:
        return None


def parse_status(output: bytes) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the headers and the names of `git status --porcelain=v2 --branch -z`."""
    headers: dict[str, str] = {}
    names: list[str] = []
    for entry in filter(None, output.split(b"\0")):
        kind, _, rest = _text(entry).partition(" ")
        if kind == "#":
            name, _, value = rest.partition(" ")
            headers[name] = value
        elif kind == "?":
            names.append(rest)
        else:
            names.append(rest.split(" ", 7 if kind == "1" else 9)[-1])
    return headers, tuple(names)


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")
