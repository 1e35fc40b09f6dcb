"""Measures our cache service beside a sink that answers the same and keeps nothing; prints a table.

@actions/cache saves and restores a file that does not compress, by both protocols; ours and the sink
take turns. `--write FILE...` puts the table between the caches marks of those files.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.registry import peak
from benchmarks.table import machine, table, write
from tests.npm_packages import node, package
from tests.served_caches import job, served

MARK = "caches-benchmark"
HEADING = ["", "Trunkline", "sink", "ratio", "target", "met"]
MIB = 1 << 20
SIZE = 1000
SLOWER, PEAK = 1.3, 150
PROTOCOLS = ("v2", "v1")
CLIENT = Path(__file__).parents[1] / "tests/acceptance/cache_client.mjs"
SINK = Path(__file__).with_name("cache_sink.mjs")


class Side(NamedTuple):
    """A server: its process, and the environment that leads clients to it."""

    pid: int
    env: dict[str, str]


class Sample(NamedTuple):
    """Seconds of a save and of a restore."""

    save: float
    restore: float


def serve(folder: Path) -> None:
    """Serve caches below a folder until the standard input ends; tell the job's environment."""
    with served(folder) as services:
        print(json.dumps(services.begin(job())), flush=True)
        sys.stdin.read()


@contextmanager
def ours(place: Path) -> Iterator[Side]:
    """Serve our caches in a process of its own."""
    argv = [sys.executable, "-m", "benchmarks.caches", "--serve", str(place / "state")]
    with started(argv) as (process, line):
        yield Side(process.pid, json.loads(line))
    shutil.rmtree(place / "state")


@contextmanager
def sink(archive: Path) -> Iterator[Side]:
    """Serve the sink; it sends `archive`."""
    with started([node("20"), str(SINK), str(archive)]) as (process, line):
        url = f"{line.strip()}/"
        env = {"ACTIONS_RESULTS_URL": url, "ACTIONS_CACHE_URL": url}
        yield Side(
            process.pid, {**env, "ACTIONS_RUNTIME_TOKEN": "t", "ACTIONS_CACHE_SERVICE_V2": "1"}
        )


@contextmanager
def started(argv: list[str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a server; yield it with its first line."""
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process, process.stdout.readline() if process.stdout else ""
        finally:
            process.terminate()


def timed(side: Side, protocol: str, place: Path, *operation: object) -> float:
    """Let the client do one thing; return the seconds."""
    env = {
        "PATH": os.environ["PATH"],
        "RUNNER_TEMP": str(place / "temp"),
        "GITHUB_WORKSPACE": str(place / "work"),
        **side.env,
    }
    if protocol == "v1":
        del env["ACTIONS_CACHE_SERVICE_V2"]
    argv = [node("20"), str(CLIENT), str(package("@actions/cache", "6")), json.dumps([operation])]
    begun = time.perf_counter()
    done = subprocess.run(
        argv, cwd=place / "work", env=env, check=True, capture_output=True, text=True
    )
    seconds = time.perf_counter() - begun
    if json.loads(done.stdout.splitlines()[-1]) in ([-1], [None]):
        sys.exit(f"the client failed:\n{done.stdout}")
    return seconds


def measure(side: Side, protocol: str, key: str, place: Path) -> Sample:
    """Save a cache and restore it."""
    os.sync()
    save = timed(side, protocol, place, "saveCache", ["data"], key)
    restore = timed(side, protocol, place, "restoreCache", ["data"], key)
    return Sample(save, restore)


def make_data(place: Path) -> Path:
    """Write the file that is moved, and the archive of it that the sink sends."""
    for folder in ("work/data", "temp"):
        (place / folder).mkdir(parents=True)
    with (place / "work/data/file").open("wb") as file:
        for _ in range(SIZE):
            file.write(os.urandom(MIB))
    archive = place / "archive"
    tar = ["tar", "--posix", "-cf", str(archive), "--use-compress-program", "zstdmt", "data"]
    subprocess.run(tar, cwd=place / "work", check=True)
    return archive


def measure_all(rounds: int, place: Path) -> list[list[str]]:
    """Measure both sides in turns."""
    archive = make_data(place)
    rows = []
    peaks = []
    for protocol in PROTOCOLS:
        samples: dict[str, list[Sample]] = {"ours": [], "sink": []}
        for number in range(rounds):
            print(f"measuring: caches {protocol}, round {number + 1}", file=sys.stderr)
            with ours(place) as side:
                samples["ours"].append(measure(side, protocol, f"k{number}", place))
                peaks.append(peak(side.pid))
            with sink(archive) as side:
                samples["sink"].append(measure(side, protocol, f"k{number}", place))
        for what in ("save", "restore"):
            here, there = (
                statistics.median(getattr(s, what) for s in samples[name]) for name in samples
            )
            rows.append(compared(f"{what} of {SIZE} MiB, {protocol}", here, there))
    highest = max(peaks) / 1024
    met = "yes" if highest <= PEAK else "**no**"
    rows.append(["peak memory", f"{highest:.0f} MiB", "", "", f"≤ {PEAK} MiB", met])
    return rows


def compared(what: str, here: float, there: float) -> list[str]:
    """Return a row that compares seconds."""
    ratio = here / there
    met = "yes" if ratio <= SLOWER else "**no**"
    return [what, f"{here:.2f} s", f"{there:.2f} s", f"{ratio:.2f}", f"≤ {SLOWER}", met]


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the cache service beside a sink.")
    parser.add_argument("-n", "--rounds", type=int, default=3, help="rounds (default: 3)")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--write", type=Path, nargs="+", default=[], metavar="FILE")
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve)
        return 0
    absent = [name for name in ("node", "npm", "zstd") if shutil.which(name) is None]
    if absent:
        print(f"not measured: caches: {' and '.join(absent)} missing", file=sys.stderr)
        return 0
    with tempfile.TemporaryDirectory(prefix="trunkline-bench-") as place:
        rows = measure_all(arguments.rounds, Path(place))
    where = f"{machine()}, @actions/cache 6 on node 20"
    report = f"{table(HEADING, rows)}\nMedians of {arguments.rounds} rounds: {where}.\n"
    print(report, end="")
    for path in arguments.write:
        write(path, MARK, report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
