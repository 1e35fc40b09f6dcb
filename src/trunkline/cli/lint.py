"""`trunkline lint [PATH...]`: every mistake of workflows, actions and buildspecs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from trunkline.base.errors import NotFound
from trunkline.cli.arguments import verb_parser
from trunkline.cli.workflow_files import FOLDER, SUFFIXES, loader, read
from trunkline.services import lint as service
from trunkline.services.lint_formats import FORMATS


def main(argv: list[str]) -> int:
    """Print what is wrong with the files; return 2 when there is an error, else 0."""
    parser = verb_parser("lint", "Tell every mistake in workflows, actions and buildspecs.")
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help=f"a file or a folder (default: {FOLDER})"
    )
    parser.add_argument("-C", "--directory", default=".", metavar="DIR", help="the repository")
    parser.add_argument("--format", choices=FORMATS, default="text", help="default: text")
    options = parser.parse_args(argv)
    root = Path(options.directory)
    files = {
        path: read(str(root / path))
        for name in options.paths or [_default(root)]
        for path in _files(root, name)
    }
    found = service.check(files, loader(options.directory, inside=False))
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
