"""`trunkline lint [PATH...]`: every mistake of workflow and action files."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from trunkline.base.errors import NotFound, Unavailable
from trunkline.services import lint as service
from trunkline.services.lint_formats import FORMATS

FOLDER = Path(".github/workflows")
SUFFIXES = {".yml", ".yaml"}


def main(argv: list[str]) -> int:
    """Print what is wrong with the files; return 2 when there is an error, else 0."""
    parser = argparse.ArgumentParser(
        prog="trunkline lint", description="tell every mistake in workflow and action files"
    )
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help=f"a file or a folder (default: {FOLDER})"
    )
    parser.add_argument("-C", "--directory", default=".", help="the repository")
    parser.add_argument("--format", choices=FORMATS, default="text", help="how to print them")
    options = parser.parse_args(argv)
    root = Path(options.directory)
    files = {
        path: _read(root / path)
        for name in options.paths or [_default(root)]
        for path in _files(root, name)
    }
    found = service.check(files, lambda path: _read_if_there(root / path))
    sources = {path: data.decode("utf-8", "replace").splitlines() for path, data in files.items()}
    sys.stdout.write(FORMATS[options.format](found, sources))
    return service.exit_code(found)


def _default(root: Path) -> str:
    """Return the folder of workflows, from the repository's top when we stand deeper in it."""
    if not root.is_dir():
        raise NotFound(f"There is no folder {root}.")
    top = root.resolve()
    for folder in (top, *top.parents):
        if (folder / FOLDER).is_dir():
            return os.path.relpath(folder / FOLDER, top)
        if (folder / ".git").exists():
            break
    raise NotFound(
        f"There is no folder {FOLDER} in {top}.",
        hint="Name the files to look at: trunkline lint PATH...",
    )


def _files(root: Path, name: str) -> list[str]:
    """Return the file, or the workflow and action files right in the folder, called `name`."""
    path = root / name
    if path.is_dir():
        found = sorted(each.name for each in path.iterdir() if each.suffix in SUFFIXES)
        if not found:
            raise NotFound(f"There are no .yml or .yaml files in {name}.")
        return [str(Path(name) / each) for each in found]
    if not path.exists():
        raise NotFound(f"There is no file {name}.")
    return [name]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unavailable(f"{path} can't be read: {error.strerror}.") from None


def _read_if_there(path: Path) -> bytes | None:
    return _read(path) if path.is_file() else None
