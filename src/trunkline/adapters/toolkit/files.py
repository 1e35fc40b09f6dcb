"""Files that an action's patterns name (`@actions/glob`)."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Collection, Sequence
from typing import NamedTuple

from trunkline.base.bounded_files import TooLarge, read_whole
from trunkline.expr.errors import ExpressionError
from trunkline.expr.hashing import FOLLOW_LINKS, parse_patterns
from trunkline.ports.actions import ActionFailed, ActionJob
from trunkline.ports.sandbox import Found
from trunkline.run.step_files import FILE_LIMIT

LAST_PART = 1 << 20


class Search(NamedTuple):
    """What a search gave: files in the order of the walk, and the paths it started from."""

    files: tuple[Found, ...]
    starts: tuple[str, ...]


def has_file(job: ActionJob, path: str) -> bool:
    """Tell whether there is a file at `path` (absolute)."""
    file = job.sandbox.get(path)
    if file is not None:
        file.close()
    return file is not None


def read_text(job: ActionJob, path: str) -> str | None:
    """Return the text of the file at `path` (absolute), None when there is none.

    Raises ActionFailed for one above FILE_LIMIT.
    """
    file = job.sandbox.get(path)
    if file is None:
        return None
    try:
        with file:
            data = read_whole(file, FILE_LIMIT)
    except TooLarge as error:
        raise ActionFailed(
            f"The file {path} can't be read: up to {FILE_LIMIT // 1024}k can, "
            f"and it holds {error.size // 1024}k."
        ) from error
    return data.decode("utf-8-sig", errors="replace").replace("\r\n", "\n")


def read_end(job: ActionJob, path: str) -> str:
    """Return the last part of what a program printed to the file at `path`, '' when there is none."""
    file = job.sandbox.get(path)
    if file is None:
        return ""
    with file:
        file.seek(max(file.seek(0, 2) - LAST_PART, 0))
        return file.read(LAST_PART).decode(errors="replace")


def find_files(job: ActionJob, patterns: str, *, hidden: bool = True) -> Search:
    """Return the files that `patterns` (one a line) name, links followed, folders left out.

    Patterns start from the workspace. Without `hidden`, what lies in a hidden folder or is hidden
    itself is left out; hidden parts of a path where the search starts do not count but its last.
    Raises ActionFailed for a pattern that can't be read.
    """
    wanted = [FOLLOW_LINKS, patterns]
    found = _search(job, wanted)
    starts = parse_patterns(wanted, job.layout.workspace, job.layout.home).search_paths
    files = [each for each in found if not each.is_folder]
    if not hidden:
        files = [each for each in files if not _is_hidden(each.path, starts)]
    return Search(tuple(files), starts)


def find_paths(job: ActionJob, patterns: Sequence[str]) -> list[str]:
    """Return the files and folders that `patterns` name, without what lies below such a folder.

    Raises ActionFailed for a pattern that can't be read.
    """
    found = _search(job, ["\n".join(patterns)])
    kept: dict[str, None] = {}
    for each in found:
        if not _is_below(each.path, kept):
            kept[each.path] = None
    return list(kept)


def _search(
    job: ActionJob, arguments: Sequence[str], *, digests: bool = False
) -> tuple[Found, ...]:
    try:
        return job.sandbox.search(job.layout.workspace, arguments, digests=digests)
    except ExpressionError as error:
        raise ActionFailed(error.message.rpartition("\n")[2]) from error


def _is_below(path: str, folders: Collection[str]) -> bool:
    above = posixpath.dirname(path)
    while above not in {"/", ""}:
        if above in folders:
            return True
        above = posixpath.dirname(above)
    return False


def hash_files(job: ActionJob, patterns: str) -> str:
    """Return the digest that `hashFiles` gives for `patterns`, '' when they name no file.

    Raises ActionFailed for a pattern that can't be read.
    """
    found = _search(job, [patterns], digests=True)
    digests = [each.sha256 for each in found if each.sha256]
    return hashlib.sha256(b"".join(digests)).hexdigest() if digests else ""


def _is_hidden(path: str, starts: tuple[str, ...]) -> bool:
    for start in starts:
        if path == start or path.startswith(start.rstrip("/") + "/"):
            below = path[len(start) :]
            return any(
                part.startswith(".") for part in [posixpath.basename(start), *below.split("/")]
            )
    return False
