"""Measures a buildspec of 100 commands beside the same lines in one bash script.

What a build costs without any command (starting up, the checkout) is measured as well and told by
itself: the target is about the commands.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import KEPT, TRUNKLINE, commit
from benchmarks.table import machine, options, table, tell

MARK = "buildspec-benchmark"
COMMANDS = 100
RATIO, MORE = 1.2, 0.1
HEADING = ["", "Trunkline", "bash", "target", "met"]


def command(number: int) -> str:
    """Return a command as builds have them: a program starts, a line is printed."""
    return f"echo line {number} of $(expr {number} + 1)"


def make_repository(place: Path, commands: list[str]) -> Path:
    """Make a committed repository with a buildspec of these commands, and them as a script."""
    place.mkdir()
    lines = "".join(f"      - {each}\n" for each in commands)
    text = f"version: 0.2\nphases:\n  build:\n    commands:\n{lines}"
    (place / "buildspec.yml").write_text(text)
    (place / "script.sh").write_text("".join(f"{each}\n" for each in commands))
    return commit(place)


def seconds(argv: list[str], repository: Path, home: Path, wanted: str) -> float:
    """Return the wall time of a command that must print `wanted`."""
    home.mkdir(exist_ok=True)
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    started = time.perf_counter()
    done = subprocess.run(
        argv,
        cwd=repository,
        env={**kept, "HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    taken = time.perf_counter() - started
    if done.returncode or wanted not in done.stdout:
        sys.exit(f"{argv}: {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return taken


def measure(rounds: int, place: Path) -> list[list[str]]:
    """Measure in turns; return the rows of the table."""
    lines = [command(number) for number in range(COMMANDS)]
    last = f"line {COMMANDS - 1} of {COMMANDS}"
    full = make_repository(place / "full", lines)
    empty = make_repository(place / "empty", ["echo nothing"])
    ours = [str(TRUNKLINE.program), "run", "-W", "buildspec.yml", "--plain"]
    samples: dict[str, list[float]] = {"full": [], "empty": [], "bash": []}
    for _ in range(rounds):
        samples["full"].append(seconds(ours, full, place / "home", last))
        samples["empty"].append(seconds(ours, empty, place / "home", "nothing"))
        samples["bash"].append(seconds(["bash", "script.sh"], full, place / "home", last))
    whole, without, bash = (statistics.median(samples[name]) for name in ("full", "empty", "bash"))
    limit = RATIO * bash + MORE
    met = "yes" if whole - without <= limit else "**no**"
    target = f"≤ {RATIO} x bash + {MORE * 1000:.0f} ms = {limit:.3f} s"
    return [
        [f"{COMMANDS} commands", f"{whole - without:.3f} s", f"{bash:.3f} s", target, met],
        ["a build of one command", f"{without:.3f} s", "", "", ""],
    ]


def main() -> int:
    """Print the table, and put it where `--write` says."""
    arguments = options("Measure a buildspec beside a bash script.", 25).parse_args()
    with tempfile.TemporaryDirectory(prefix="trunkline-bench-") as place:
        rows = measure(arguments.rounds, Path(place))
    tell(arguments, MARK, table(HEADING, rows), machine())
    return 0


if __name__ == "__main__":
    sys.exit(main())
