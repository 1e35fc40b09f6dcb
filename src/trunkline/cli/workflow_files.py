"""Finds and reads the workflow files that `run` and `plan` look at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from trunkline.base.errors import NotFound, Unavailable

FOLDER = Path(".github/workflows")
_SUFFIXES = {".yml", ".yaml"}


def workflow_files(directory: str, root: str, name: str | None) -> dict[str, bytes]:
    """Return workflow files by path, in the order of their names.

    `name` is a file or a folder, seen from `directory`; None is `.github/workflows` of the
    repository, which begins at `root`. Paths are from `root` where the file lies in it, else absolute.
    Raises NotFound, Unavailable.
    """
    top = Path(root)
    place = top / FOLDER if name is None else Path(directory, name)
    if name is not None and not place.exists():
        raise NotFound(f"there is no {name} in {directory}")
    files = _files(place) if place.is_dir() else [place]
    if not files or not place.exists():
        raise NotFound(f"there are no workflow files in {place}", hint=_hint(directory, top))
    return {_shown(path, top): _read(path) for path in files}


def _hint(directory: str, top: Path) -> str:
    here = Path(directory, FOLDER)
    if here.is_dir() and here.resolve() != (top / FOLDER).resolve():
        return f"The repository begins at {top}, and its workflows lie there, not in {here}."
    return f"Workflows are .yml files in {FOLDER}; -W names another file or folder."


def loader(root: str) -> Callable[[str], bytes | None]:
    """Return what reads a file of the repository by its path from `root`; None when it is not there."""

    def load(path: str) -> bytes | None:
        file = Path(root, path)
        return _read(file) if file.is_file() else None

    return load


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES and path.is_file())


def _shown(path: Path, root: Path) -> str:
    full = path.resolve()
    top = root.resolve()
    return full.relative_to(top).as_posix() if full.is_relative_to(top) else full.as_posix()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unavailable(f"{path} can't be read: {error.strerror}") from error
