"""Measures our artifact and cache services beside a sink that keeps nothing; prints a table.

The real @actions/artifact and @actions/cache move a file that does not compress; ours and the sink
take turns. `--write FILE...` puts the table between the services marks of those files.
"""

from __future__ import annotations

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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.table import compared, machine, options, table, tell
from tests.actions_services import apart
from tests.npm_packages import node, package

MARK = "services-benchmark"
HEADING = ["", "Trunkline", "sink", "ratio", "target", "met"]
MIB = 1 << 20
SIZE = 1000
SLOWER, PEAK = 1.3, 150
CLIENTS = Path(__file__).parents[1] / "tests/acceptance"
SINK = Path(__file__).with_name("services_sink.mjs")
# Claims with `Actions.Results:77:1`, which is all that the clients read; nobody checks it.
TOKEN = "e30.eyJzY3AiOiJBY3Rpb25zLlJlc3VsdHM6Nzc6MSJ9."  # noqa: S105


class Case(NamedTuple):
    """What a client does there and back, and how the archive is made that the sink sends."""

    there: str
    back: str
    client: str
    package: tuple[str, str]
    put: list[object]
    get: list[object]
    archive: Callable[[Path, Path], None]
    env: dict[str, str]


def zipped(compression: int) -> Callable[[Path, Path], None]:
    """Return what writes the zip that @actions/artifact would upload."""

    def make(work: Path, archive: Path) -> None:
        with zipfile.ZipFile(archive, "w", compression) as target:
            target.write(work / "data/file", "file")

    return make


def packed(work: Path, archive: Path) -> None:
    """Write the archive that @actions/cache would upload."""
    tar = ["tar", "--posix", "-cf", str(archive), "--use-compress-program", "zstdmt", "data"]
    subprocess.run(tar, cwd=work, check=True)


def cases(place: Path) -> list[Case]:
    """Return what is measured."""
    work, out = place / "work", place / "out"
    artifact = ("artifact_client.mjs", ("@actions/artifact", "6.2.1"))
    cache = ("cache_client.mjs", ("@actions/cache", "6"))
    found = []
    for name, level, compression in (
        ("stored", 0, zipfile.ZIP_STORED),
        ("level 6", 6, zipfile.ZIP_DEFLATED),
    ):
        options = {"compressionLevel": level}
        put: list[object] = ["upload", "data", str(work / "data"), options, str(work / "data/file")]
        get: list[object] = ["download", "data", str(out)]
        names = (f"artifact, {name}: upload", f"artifact, {name}: download")
        found.append(Case(*names, *artifact, put, get, zipped(compression), {}))
    for protocol, v2 in (("v2", "True"), ("v1", "")):
        names = (f"cache, {protocol}: save", f"cache, {protocol}: restore")
        save: list[object] = ["saveCache", ["data"], "k"]
        restore: list[object] = ["restoreCache", ["data"], "k"]
        env = {"ACTIONS_CACHE_SERVICE_V2": v2}
        found.append(Case(*names, *cache, save, restore, packed, env))
    return found


@contextmanager
def sink(archive: Path) -> Iterator[dict[str, str]]:
    """Serve the sink, which sends `archive`; yield the environment that leads clients to it."""
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    argv = [node("20"), str(SINK), str(archive), digest]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        url = f"{process.stdout.readline().strip() if process.stdout else ''}/"
        env = {"ACTIONS_RESULTS_URL": url, "ACTIONS_CACHE_URL": url}
        try:
            yield {**env, "ACTIONS_RUNTIME_TOKEN": TOKEN}
        finally:
            process.terminate()


def timed(case: Case, server: dict[str, str], place: Path, operation: list[object]) -> float:
    """Let the client do one thing; return the seconds."""
    env = {
        "PATH": os.environ["PATH"],
        "RUNNER_TEMP": str(place / "temp"),
        "GITHUB_WORKSPACE": str(place / "work"),
        **server,
        **case.env,
    }
    client = CLIENTS / case.client
    argv = [node("20"), str(client), str(package(*case.package)), json.dumps([operation])]
    begun = time.perf_counter()
    done = subprocess.run(
        argv, cwd=place / "work", env=env, check=True, capture_output=True, text=True
    )
    seconds = time.perf_counter() - begun
    told = done.stdout.splitlines()[-1].removeprefix("RESULT ")
    if '"error"' in told or told in {"[-1]", "[null]"}:
        sys.exit(f"the client failed:\n{done.stdout}{done.stderr}")
    return seconds


def measure(case: Case, server: dict[str, str], place: Path) -> tuple[float, float]:
    """Return the seconds of a case there and back."""
    os.sync()
    there = timed(case, server, place, case.put)
    back = timed(case, server, place, case.get)
    shutil.rmtree(place / "out", ignore_errors=True)
    return there, back


def measure_case(case: Case, rounds: int, place: Path) -> tuple[list[list[str]], int]:
    """Return the rows of a case, and our largest resident set in bytes."""
    archive = place / "archive"
    case.archive(place / "work", archive)
    here, there, peaks = [], [], []
    for number in range(rounds):
        print(f"measuring: {case.there}, round {number + 1}", file=sys.stderr)
        with apart(place / "state") as services:
            here.append(measure(case, services.actions, place))
            peaks.append(services.peak())
        shutil.rmtree(place / "state")
        with sink(archive) as server:
            there.append(measure(case, server, place))
    rows = []
    for way, what in enumerate((case.there, case.back)):
        ours, theirs = (statistics.median(one[way] for one in side) for side in (here, there))
        rows.append(compared(what, ours, theirs, SLOWER))
    return rows, max(peaks)


def make_data(place: Path) -> None:
    """Write the file that is moved."""
    for folder in ("work/data", "temp"):
        (place / folder).mkdir(parents=True)
    with (place / "work/data/file").open("wb") as target:
        for _ in range(SIZE):
            target.write(os.urandom(MIB))


def measure_all(rounds: int, place: Path) -> list[list[str]]:
    """Measure both sides in turns."""
    make_data(place)
    rows, peaks = [], []
    for case in cases(place):
        measured, most = measure_case(case, rounds, place)
        rows += measured
        peaks.append(most)
    highest = max(peaks) / MIB
    met = "yes" if highest <= PEAK else "**no**"
    rows.append(["peak memory", f"{highest:.0f} MiB", "", "", f"≤ {PEAK} MiB", met])
    return rows


def main() -> int:
    arguments = options("Measure the services beside a sink.", 3).parse_args()
    absent = [name for name in ("node", "npm", "zstd") if shutil.which(name) is None]
    if absent:
        print(f"not measured: services: {' and '.join(absent)} missing", file=sys.stderr)
        return 0
    with tempfile.TemporaryDirectory(prefix="trunkline-bench-") as place:
        rows = measure_all(arguments.rounds, Path(place))
    where = f"{machine()}, @actions/artifact 6 and @actions/cache 6 on node 20"
    tell(arguments, MARK, table(HEADING, rows), where)
    return 0


if __name__ == "__main__":
    sys.exit(main())
