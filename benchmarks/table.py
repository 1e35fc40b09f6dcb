"""Measured things as a Markdown table, with the machine they were measured on."""

from __future__ import annotations

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
