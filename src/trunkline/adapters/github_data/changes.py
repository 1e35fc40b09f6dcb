"""Reads which files differ between two commits, and how."""

from __future__ import annotations

import re

from trunkline.adapters.github_data.objects import text
from trunkline.ports.github_data import FileChange

DIFF = ("diff-tree", "-r", "-M", "--no-color", "--no-ext-diff", "--no-textconv", "--full-index")
NAMES = (*DIFF, "--raw", "--numstat", "-z")
PATCHES = (*DIFF, "--patch")
# GitHub leaves out the patch of a file that is longer.
LONGEST_PATCH = 1 << 20
STATUSES = {
    "A": "added",
    "D": "removed",
    "M": "modified",
    "R": "renamed",
    "C": "copied",
    "T": "changed",
}
FILE_START = re.compile(rb"^diff --git ", re.MULTILINE)
HUNK = re.compile(rb"^@@ ", re.MULTILINE)


def parse_changes(names: bytes, patches: bytes) -> tuple[FileChange, ...]:
    """Return the changes that NAMES and PATCHES printed for the same two commits."""
    tokens = [text(token) for token in names.split(b"\0")]
    raw, at = _parse_raw(tokens)
    counts = _parse_counts(tokens[at:])
    parts = iter(FILE_START.split(patches)[1:])
    found = []
    for kind, sha, previous, path in raw:
        patch = _hunks(next(parts, b""))
        if kind == "T":  # told as a removal and an addition
            next(parts, b"")
        added, removed = counts.get(path, (0, 0))
        same = kind == "M" and not added and not removed and not patch and sha[0] == sha[1]
        found.append(
            FileChange(
                path=path,
                sha=sha[0] if kind == "D" else sha[1],
                status="changed" if same else STATUSES.get(kind, "modified"),
                additions=added,
                deletions=removed,
                previous=previous,
                patch=patch,
            )
        )
    return tuple(found)


def _parse_raw(tokens: list[str]) -> tuple[list[tuple[str, tuple[str, str], str, str]], int]:
    """Return kind, ids before and after, the old path of a rename and the path; and how far it goes."""
    found = []
    at = 0
    while at < len(tokens) and tokens[at].startswith(":"):
        _, _, old, new, kind = tokens[at].split(" ")
        path, previous = tokens[at + 1], ""
        at += 2
        if kind[0] in "RC":
            previous, path = path, tokens[at]
            at += 1
        found.append((kind[0], (old, new), previous, path))
    return found, at


def _parse_counts(tokens: list[str]) -> dict[str, tuple[int, int]]:
    found = {}
    at = 0
    while at < len(tokens) and tokens[at]:
        added, removed, path = tokens[at].split("\t")
        at += 1
        if not path:  # a rename: both paths follow
            path = tokens[at + 1]
            at += 2
        found[path] = (int(added), int(removed)) if added != "-" else (0, 0)
    return found


def _hunks(part: bytes) -> str:
    start = HUNK.search(part)
    if not start or len(part) > LONGEST_PATCH:
        return ""
    return text(part[start.start() :]).rstrip("\n")
