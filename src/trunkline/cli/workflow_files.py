"""Finds and reads the workflow files that `run` and `plan` look at."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from trunkline.base.errors import NotFound, Unavailable
from trunkline.document.limits import MOST_BYTES

FOLDER = ".github/workflows"
SUFFIXES = frozenset({".yml", ".yaml"})


def workflow_files(directory: str, root: str, names: Sequence[str]) -> dict[str, bytes]:
    """Return workflow files by path, in the order of their names.

    `names` are files and folders, seen from `directory`; none is `.github/workflows` of the
    repository, which begins at `root`. Paths are from `root` where the file lies in it, else absolute.
    Raises NotFound, Unavailable.
    """
    found: dict[str, bytes] = {}
    for name in names or [os.path.join(os.path.abspath(root), FOLDER)]:
        place = os.path.normpath(os.path.join(directory, name))
        if names and not os.path.exists(place):
            raise NotFound(f"There is no {name} in {directory}.")
        files = _files(place) if os.path.isdir(place) else [place]
        if not files or not os.path.exists(place):
            raise NotFound(f"There are no workflow files in {place}.", hint=_hint(directory, root))
        found |= {_shown(path, root): read(path) for path in files}
    return found


def _hint(directory: str, top: str) -> str:
    here, wanted = os.path.join(directory, FOLDER), os.path.join(top, FOLDER)
    if os.path.isdir(here) and os.path.realpath(here) != os.path.realpath(wanted):
        return f"The repository begins at {top}, and its workflows lie there, not in {here}."
    return f"Workflows are .yml files in {FOLDER}; -W names another file or folder."


def loader(root: str, *, inside: bool = True) -> Callable[[str], bytes | None]:
    """Return what reads a file by its path from `root`, None for one that is not there.

    `inside`: `root` is a repository, and what lies outside of it is none of it.
    """
    top = os.path.join(os.path.realpath(root), "")

    def load(path: str) -> bytes | None:
        file = os.path.realpath(os.path.join(root, path))
        is_known = os.path.isfile(file) and (not inside or file.startswith(top))
        return read(file) if is_known else None

    return load


def _files(folder: str) -> list[str]:
    with os.scandir(folder) as found:
        return sorted(each.path for each in found if _is_workflow(each))


def _is_workflow(entry: os.DirEntry[str]) -> bool:
    return os.path.splitext(entry.name)[1] in SUFFIXES and entry.is_file()


def _shown(path: str, root: str) -> str:
    full, top = os.path.realpath(path), os.path.realpath(root)
    return os.path.relpath(full, top) if full.startswith(top.rstrip("/") + "/") else full


def read(path: str) -> bytes:
    """Return what is in a file, as far as its size can be right. Raises Unavailable."""
    try:
        with open(path, "rb") as file:
            return file.read(MOST_BYTES)
    except OSError as error:
        raise Unavailable(f"{path} can't be read: {error.strerror}") from error
