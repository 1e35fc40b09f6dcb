"""Measures our artifact service beside a sink that answers the same and keeps nothing; prints a table.

@actions/artifact uploads and downloads a file that does not compress, with and without compression;
ours and the sink take turns. `--write FILE...` puts the table between the artifacts marks of those
files.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.registry import peak
from benchmarks.table import machine, table, write
from tests.actions_services import RUN, job_of, served
from tests.npm_packages import node, package

MARK = "artifacts-benchmark"
HEADING = ["", "Trunkline", "sink", "ratio", "target", "met"]
MIB = 1 << 20
SIZE = 1000
SLOWER, PEAK = 1.3, 150
LEVELS = (0, 6)
CLIENT = Path(__file__).parents[1] / "tests/acceptance/artifact_client.mjs"
SINK = Path(__file__).with_name("artifact_sink.mjs")
# Claims with `Actions.Results:77:1`, which is all that the client reads; nobody checks it.
TOKEN = "e30.eyJzY3AiOiJBY3Rpb25zLlJlc3VsdHM6Nzc6MSJ9."  # noqa: S105


class Side(NamedTuple):
    """A server: its process, and the environment that leads clients to it."""

    pid: int
    env: dict[str, str]


class Sample(NamedTuple):
    """Seconds of an upload and of a download."""

    upload: float
    download: float


def serve(folder: Path) -> None:
    """Serve artifacts below a folder until the standard input ends; tell the job's environment."""
    with served(folder) as services:
        services.run(RUN)
        print(json.dumps(dict(services.open(job_of()).actions)), flush=True)
        sys.stdin.read()


@contextmanager
def ours(place: Path) -> Iterator[Side]:
    """Serve our artifacts in a process of its own."""
    argv = [sys.executable, "-m", "benchmarks.artifacts", "--serve", str(place / "state")]
    with started(argv) as (process, line):
        yield Side(process.pid, json.loads(line))
    shutil.rmtree(place / "state")


@contextmanager
def sink(archive: Path) -> Iterator[Side]:
    """Serve the sink; it sends `archive`."""
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    with started([node("20"), str(SINK), str(archive), digest]) as (process, line):
        env = {"ACTIONS_RESULTS_URL": f"{line.strip()}/", "ACTIONS_RUNTIME_TOKEN": TOKEN}
        yield Side(process.pid, env)


@contextmanager
def started(argv: list[str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a server; yield it with its first line."""
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        if process.stdout is None:
            sys.exit("the server has no output")
        try:
            yield process, process.stdout.readline()
        finally:
            process.terminate()


def timed(side: Side, place: Path, *operation: object) -> float:
    """Let the client do one thing; return the seconds."""
    env = {"PATH": os.environ["PATH"], "RUNNER_TEMP": str(place), **side.env}
    packages = package("@actions/artifact", "6.2.1")
    argv = [node("20"), str(CLIENT), str(packages), json.dumps([operation])]
    begun = time.perf_counter()
    done = subprocess.run(argv, env=env, check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - begun
    result = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    if "error" in result:
        sys.exit(f"the client failed:\n{done.stdout}")
    return seconds


def measure(side: Side, level: int, place: Path) -> Sample:
    """Upload an artifact and download it."""
    os.sync()
    options = {"compressionLevel": level}
    work = place / "work"
    upload = timed(side, place, "upload", "data", str(work), options, str(work / "file"))
    download = timed(side, place, "download", "data", str(place / "out"))
    shutil.rmtree(place / "out")
    return Sample(upload, download)


def make_data(place: Path) -> Path:
    """Write the file that is moved, and the archive of it that the sink sends."""
    file = place / "work" / "file"
    file.parent.mkdir()
    with file.open("wb") as target:
        for _ in range(SIZE):
            target.write(os.urandom(MIB))
    archive = place / "archive.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as target_zip:
        target_zip.write(file, "file")
    return archive


def measure_all(rounds: int, place: Path) -> list[list[str]]:
    """Measure both sides in turns."""
    archive = make_data(place)
    rows = []
    peaks = []
    for level in LEVELS:
        samples: dict[str, list[Sample]] = {"ours": [], "sink": []}
        for number in range(rounds):
            print(f"measuring: artifacts, level {level}, round {number + 1}", file=sys.stderr)
            with ours(place) as side:
                samples["ours"].append(measure(side, level, place))
                peaks.append(peak(side.pid))
            with sink(archive) as side:
                samples["sink"].append(measure(side, level, place))
        for what in ("upload", "download"):
            here, there = (
                statistics.median(getattr(s, what) for s in samples[name]) for name in samples
            )
            rows.append(compared(f"{what} of {SIZE} MiB, level {level}", here, there))
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
    parser = argparse.ArgumentParser(description="Measure the artifact service beside a sink.")
    parser.add_argument("-n", "--rounds", type=int, default=3, help="rounds (default: 3)")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--write", type=Path, nargs="+", default=[], metavar="FILE")
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve)
        return 0
    absent = [name for name in ("node", "npm") if shutil.which(name) is None]
    if absent:
        print(f"not measured: artifacts: {' and '.join(absent)} missing", file=sys.stderr)
        return 0
    with tempfile.TemporaryDirectory(prefix="trunkline-bench-") as place:
        rows = measure_all(arguments.rounds, Path(place))
    where = f"{machine()}, @actions/artifact 6 on node 20"
    report = f"{table(HEADING, rows)}\nMedians of {arguments.rounds} rounds: {where}.\n"
    print(report, end="")
    for path in arguments.write:
        write(path, MARK, report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
