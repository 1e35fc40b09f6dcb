"""Writes the parts of the documentation that the source itself tells: `make docs`.

The tree of modules goes into architecture.md, each verb's `--help` into reference/command-line.md,
what is printed as JSON into reference/json-output.md, inputs of built-in actions into
reference/native-actions.md.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from benchmarks.table import write
from docs import native, structs

DOCS = Path(__file__).parent
SOURCE = DOCS.parent / "src"
ARCHITECTURE = DOCS / "architecture.md"
COMMAND_LINE = DOCS / "reference" / "command-line.md"
JSON_OUTPUT = DOCS / "reference" / "json-output.md"
NATIVE_ACTIONS = DOCS / "reference" / "native-actions.md"


def summary(path: Path) -> str:
    """Return the first line of the docstring of the module at `path`."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]


def tree(package: Path, depth: int = 0) -> list[str]:
    """Return a line for `package`, and one for each module and package in it."""
    indent = "  " * depth
    lines = [f"{indent}{package.name}/".ljust(30) + f" {summary(package / '__init__.py')}"]
    for path in sorted(package.iterdir()):
        if (path / "__init__.py").exists():
            lines += tree(path, depth + 1)
        elif path.suffix == ".py" and path.name != "__init__.py":
            lines.append(f"{indent}  {path.name}".ljust(30) + f" {summary(path)}")
    return lines


def modules() -> str:
    """Return the whole tree of the source as a fenced block."""
    return "```text\n" + "\n".join(tree(SOURCE / "trunkline")) + "\n```\n"


def verbs() -> list[str]:
    """Return the names in the command line's table of verbs."""
    module = ast.parse((SOURCE / "trunkline" / "cli" / "main.py").read_text(encoding="utf-8"))
    tables = (
        ast.literal_eval(node.value)
        for node in module.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "VERBS"
    )
    return list(next(tables))


def help_of(verb: str) -> str:
    """Return what `trunkline VERB --help` prints on a terminal of 100 columns."""
    program = Path(sysconfig.get_path("scripts"), "trunkline")
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    argv = [str(program), verb, "--help"]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, env=environment)
    return done.stdout


def help_pages() -> str:
    """Return the help of all verbs, each under its heading."""
    pages = (f"## trunkline {verb}\n\n```text\n{help_of(verb)}```\n" for verb in verbs())
    return "\n" + "\n".join(pages) + "\n"


def parts() -> list[tuple[Path, str, str]]:
    """Return what is written: a page, the mark on it, the text between the marks."""
    return [
        (ARCHITECTURE, "tree", modules()),
        (COMMAND_LINE, "help", help_pages()),
        (JSON_OUTPUT, "events", structs.events()),
        (JSON_OUTPUT, "forecasts", structs.forecasts()),
        (JSON_OUTPUT, "views", structs.views()),
        (JSON_OUTPUT, "artifacts", structs.artifacts()),
        (JSON_OUTPUT, "caches", structs.caches()),
        (JSON_OUTPUT, "images", structs.images()),
        (NATIVE_ACTIONS, "native", native.table()),
    ]


if __name__ == "__main__":
    for page, mark, text in parts():
        write(page, mark, text)
    sys.exit(0)
