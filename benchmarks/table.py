"""Measured things as a Markdown table, with the machine they were measured on; what benchmarks share."""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return the rows as a Markdown table with aligned columns."""
    lines = [list(heading), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heading))]
    lines.insert(1, ["-" * width for width in widths])
    padded = (
        [cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines
    )
    return "".join(f"| {' | '.join(cells)} |\n" for cells in padded)


def machine() -> str:
    """Say when and on what the table was made."""
    cpu = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists() and (name := re.search(r"model name\s*: (.*)", cpuinfo.read_text())):
        cpu = name[1]
    return (
        f"{time.strftime('%Y-%m-%d')}, {platform.system()} {platform.machine()}, {cpu}, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}"
    )


def options(what: str, rounds: int) -> argparse.ArgumentParser:
    """Return the parser of a benchmark: how many rounds, and where its table goes."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument(
        "-n", "--rounds", type=int, default=rounds, help=f"rounds (default: {rounds})"
    )
    parser.add_argument("--write", type=Path, nargs="+", default=[], metavar="FILE")
    return parser


def tell(arguments: argparse.Namespace, mark: str, lines: str, where: str) -> None:
    """Print a table, and put it between the marks of the files that `--write` names.

    `where` says on what it was measured.
    """
    report = f"{lines}\nMedians of {arguments.rounds} rounds: {where}.\n"
    print(report, end="")
    for path in arguments.write:
        write(path, mark, report)


def compared(what: str, ours: float, theirs: float, most: float) -> list[str]:
    """Return a row that compares seconds; ours may be `most` times theirs."""
    ratio = ours / theirs
    met = "yes" if ratio <= most else "**no**"
    return [what, f"{ours:.2f} s", f"{theirs:.2f} s", f"{ratio:.2f}", f"≤ {most}", met]


def write(path: Path, mark: str, text: str) -> None:
    """Put `text` between the comments `<!-- MARK -->` and `<!-- /MARK -->` of the file at `path`.

    Raises SystemExit when the file has no such marks.
    """
    marks = re.compile(rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)", re.DOTALL)
    old = path.read_text(encoding="utf-8")
    new, count = marks.subn(lambda found: found[1] + text + found[2], old)
    if not count:
        sys.exit(f"{path} has no <!-- {mark} --> and <!-- /{mark} --> marks")
    path.write_text(new, encoding="utf-8")
