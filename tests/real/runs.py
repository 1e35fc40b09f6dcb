"""What running real repositories and running real actions share: a run of Trunkline, and a report."""

from __future__ import annotations

import os
import subprocess
import sysconfig
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.table import machine, table, write

TRUNKLINE = Path(sysconfig.get_path("scripts"), "trunkline")
PATIENCE = 900


class Outcome(NamedTuple):
    """What a run came to: its exit code, its output and its wall seconds."""

    code: int
    output: str
    seconds: float


def run(repository: Path, arguments: Sequence[str], log: Path) -> Outcome:
    """Run workflows of `repository`, writing what is printed to `log`; runs are kept beside it.

    `arguments` are those of `trunkline run`. Raises subprocess.TimeoutExpired after a while.
    """
    argv = [str(TRUNKLINE), "run", "--plain", *arguments]
    kept = {f"TRUNKLINE_{name.upper()}": str(log.parent / name) for name in ("state", "work")}
    started = time.perf_counter()
    with log.open("wb") as sink:
        done = subprocess.run(
            argv,
            check=False,
            cwd=repository,
            env={**os.environ, **kept},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            timeout=PATIENCE,
        )
    seconds = time.perf_counter() - started
    return Outcome(done.returncode, log.read_text(errors="replace"), seconds)


def report(
    heading: Sequence[str], rows: Sequence[Sequence[str]], logs: Path, page: tuple[Path | None, str]
) -> int:
    """Print the rows, and put them into a page; return the exit code: 1 where a cell is in bold.

    `page` is the file and the name of its marks. Without rows nothing is done, with code 2.
    """
    if not rows:
        return 2
    lines = f"{table(heading, rows)}\n{machine()}.\n"
    print(f"{lines}\nLogs: {logs}{os.sep}")
    path, mark = page
    if path:
        write(path, mark, lines)
    return 1 if any("**" in cell for cells in rows for cell in cells) else 0
