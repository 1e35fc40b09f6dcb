"""Differences of two lists of files, told as git tells them."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import SequenceMatcher

from trunkline.adapters.github_data.memory_objects import Entry, Objects
from trunkline.ports.github_data import MODULE, FileChange

CONTEXT = 3
NO_END = "\n\\ No newline at end of file\n"


def changes(
    objects: Objects, old: Mapping[str, Entry], new: Mapping[str, Entry]
) -> tuple[FileChange, ...]:
    """Return the files that differ, by path; files that moved as they are, are renamed."""
    gone = {path: entry for path, entry in old.items() if path not in new}
    found = []
    for path in sorted({*old, *new}):
        before, after = old.get(path), new.get(path)
        if before == after:
            continue
        previous = ""
        if before is None and after is not None:
            previous = next((name for name, entry in gone.items() if entry.sha == after.sha), "")
            gone.pop(previous, None)
        if before is not None or not previous:
            found.append(_change(objects, path, before, after))
        elif after is not None:
            found.append(FileChange(path=path, sha=after.sha, status="renamed", previous=previous))
    moved = {change.previous for change in found}
    return tuple(change for change in found if change.path not in moved)


def _change(objects: Objects, path: str, before: Entry | None, after: Entry | None) -> FileChange:
    added, removed, patch = _patch(_lines(objects, before), _lines(objects, after))
    status = "modified" if before else "added"
    if before and after and before.mode[:2] != after.mode[:2]:
        status = "changed"
    kept = after or before
    return FileChange(
        path=path,
        sha=kept.sha if kept else "",
        status=status if after else "removed",
        additions=added,
        deletions=removed,
        patch=patch,
    )


def _lines(objects: Objects, entry: Entry | None) -> list[str] | None:
    """Return a file's lines; None for what is not text."""
    if entry is None:
        return []
    if entry.mode == MODULE:
        return [f"Subproject commit {entry.sha}\n"]
    content = objects.read(entry.sha, "blob")
    if b"\0" in content[:8000]:
        return None
    return content.decode(errors="replace").splitlines(keepends=True)


def _patch(old: list[str] | None, new: list[str] | None) -> tuple[int, int, str]:
    """Return how many lines came and went, and the patch from its first `@@`."""
    if old is None or new is None:
        return 0, 0, ""
    added = removed = 0
    parts: list[str] = []
    for group in SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(CONTEXT):
        first, last = group[0], group[-1]
        parts.append(f"@@ -{_span(first[1], last[2])} +{_span(first[3], last[4])} @@\n")
        for kind, start, end, new_start, new_end in group:
            if kind == "equal":
                parts += [_line(" ", line) for line in old[start:end]]
                continue
            parts += [_line("-", line) for line in old[start:end]]
            parts += [_line("+", line) for line in new[new_start:new_end]]
            removed, added = removed + end - start, added + new_end - new_start
    return added, removed, "".join(parts).rstrip("\n")


def _span(start: int, end: int) -> str:
    count = end - start
    if count == 1:
        return f"{start + 1}"
    return f"{start + 1 if count else start},{count}"


def _line(mark: str, line: str) -> str:
    return f"{mark}{line}" if line.endswith("\n") else f"{mark}{line}{NO_END}"
