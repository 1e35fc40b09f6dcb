"""Measures Trunkline side by side with act on this machine and prints a table.

Both runners take turns on the same repositories, each in a home of its own, and the medians are
compared. `--write FILE...` puts the table between the benchmark marks of those files.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.cases import CASES, LINES, Case, printing
from benchmarks.containers import container_cases
from benchmarks.measure import ACT, TRUNKLINE, Runner, make_repository, run
from benchmarks.table import machine, options, table, tell

MARK = "benchmark"
FLAT = 1.1
READING_LIMITS = {"40": 0.005, "600": 0.030}


class Row(NamedTuple):
    """A line of the table, already as text, and whether the target is met (None: no target)."""

    what: str
    trunkline: str
    act: str
    ratio: str
    target: str
    met: bool | None

    def cells(self) -> list[str]:
        verdict = {True: "yes", False: "**no**", None: ""}[self.met]
        return [self.what, self.trunkline, self.act, self.ratio, self.target, verdict]


HEADING = ["", "Trunkline", "act", "ratio", "target", "met"]


def side_by_side(case: Case, rounds: int, place: Path, runners: list[Runner]) -> Row:
    """Run `case` in turns by every runner and compare the medians."""
    repository = make_repository(place / "repository", case.workflow, case.secrets)
    seconds: dict[str, list[float]] = {runner.name: [] for runner in runners}
    for number in range(rounds):
        # Who comes first finds the machine as the other's last run left it.
        for runner in runners if number % 2 == 0 else reversed(runners):
            sample = run(runner, repository, place / "home")
            if not case.holds(sample.output):
                sys.exit(f"{runner.name}, {case.name}: wrong output:\n{sample.output[-2000:]}")
            seconds[runner.name].append(sample.seconds)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    ours, theirs = medians.get("trunkline"), medians.get("act")
    ratio = ours / theirs if ours is not None and theirs is not None else None
    stretch = f" (stretch {case.stretch})" if case.stretch else ""
    return Row(
        case.name,
        "" if ours is None else f"{ours:.3f} s",
        "" if theirs is None else f"{theirs:.3f} s",
        "" if ratio is None else f"{ratio:.2f}",
        f"≤ {case.target}{stretch}",
        None if ratio is None else ratio <= case.target,
    )


def memory(rounds: int, place: Path) -> Row:
    """Compare Trunkline's peak memory on a long log (its buffers are full) and a ten times longer."""
    peaks = []
    for lines in (LINES, LINES * 10):
        folder = place / str(lines)
        repository = make_repository(folder / "repository", printing(lines), {})
        samples = [run(TRUNKLINE, repository, folder / "home") for _ in range(rounds)]
        peaks.append(statistics.median(sample.peak_kib for sample in samples))
    small, large = peaks
    return Row(
        f"peak memory, {LINES:,} and {LINES * 10:,} lines",
        f"{small / 1024:.0f} and {large / 1024:.0f} MiB",
        "",
        f"{large / small:.2f}",
        f"≤ {FLAT}",
        large / small <= FLAT,
    )


def reading() -> Iterator[Row]:
    """Time the reading and checking of workflow files in a warm process."""
    script = Path(__file__).with_name("reading.py")
    done = subprocess.run([sys.executable, str(script)], check=True, capture_output=True, text=True)
    for lines, seconds in json.loads(done.stdout).items():
        limit = READING_LIMITS[lines]
        milliseconds = f"{seconds * 1000:.1f} ms"
        target = f"≤ {limit * 1000:.0f} ms"
        yield Row(f"read and check {lines} lines", milliseconds, "", "", target, seconds <= limit)


def act_version() -> str:
    """Return what act calls itself."""
    argv = [str(ACT.program), "--version"]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


def measure_all(rounds: int, runners: list[Runner]) -> list[Row]:
    """Measure every case, telling on standard error what is being measured."""
    rows = []
    place = tempfile.TemporaryDirectory(prefix="trunkline-bench-")
    with place as scratch, container_cases() as in_containers:
        for number, case in enumerate([*CASES, *in_containers]):
            print(f"measuring: {case.name}", file=sys.stderr)
            rows.append(side_by_side(case, rounds, Path(scratch, str(number)), runners))
        if TRUNKLINE in runners:
            print("measuring: memory, reading", file=sys.stderr)
            rows.append(memory(max(1, rounds // 5), Path(scratch)))
            rows.extend(reading())
    return rows


def main() -> int:
    parser = options("Measure Trunkline side by side with act.", 15)
    parser.add_argument("--only", choices=["trunkline", "act"], help="measure one runner alone")
    arguments = parser.parse_args()
    runners = [each for each in (TRUNKLINE, ACT) if arguments.only in (None, each.name)]
    rows = measure_all(arguments.rounds, runners)
    lines = table(HEADING, [row.cells() for row in rows])
    tell(arguments, MARK, lines, f"{machine()}, {act_version()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
