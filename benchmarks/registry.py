"""Measures the registry side by side with Debian's docker-registry, and prints a table.

skopeo pushes and pulls an image of five layers of 40 MB that do not compress; each round begins with
empty folders on the same disk, for both. `--write FILE...` puts the table between the registry marks
of those files.
"""

from __future__ import annotations

import os
import re
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

from benchmarks.measure import BIN
from benchmarks.table import compared, machine, options, table, tell
from tests.image_layouts import Layout

MARK = "registry-benchmark"
HEADING = ["", "Trunkline", "docker-registry", "ratio", "target", "met"]
LAYERS, LAYER_BYTES = 5, 40_000_000
SLOWER, FLAT = 1.5, 1.1
PATIENCE = 20
CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {root}}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


class Sample(NamedTuple):
    """One round: seconds of the first push, the pull and the second push; the server's peak in KiB.

    `moved` is how many bytes the second push made the store longer by.
    """

    push: float
    pull: float
    again: float
    peak_kib: int
    moved: int


class Peer(NamedTuple):
    """A registry that is measured."""

    name: str

    def argv(self, place: Path) -> list[str]:
        if self.name == "trunkline":
            serve = ["registry", "--listen", "127.0.0.1:0", "--store", str(place / "store")]
            return [str(BIN / "trunkline"), *serve]
        config = place / "config.yml"
        config.write_text(CONFIG.format(root=place / "store", port=free_port()))
        return ["docker-registry", "serve", str(config)]


TRUNKLINE, DEBIAN = Peer("trunkline"), Peer("docker-registry")


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    probe = "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1])"
    return int(subprocess.check_output([sys.executable, "-c", probe]))


@contextmanager
def served(peer: Peer, place: Path) -> Iterator[tuple[str, int]]:
    """Serve an empty registry; yield its address and its process id."""
    place.mkdir()
    argv = peer.argv(place)
    log = (place / "log").open("w+")
    process = subprocess.Popen(argv, stdout=log, stderr=log, cwd=place)
    try:
        yield listening(process, place / "log", argv), process.pid
    finally:
        process.terminate()
        process.wait(PATIENCE)
        log.close()
        shutil.rmtree(place)


def listening(process: subprocess.Popen[bytes], log: Path, argv: list[str]) -> str:
    """Return the address once something answers there."""
    end = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end:
        told = log.read_text() if argv[0] != "docker-registry" else Path(argv[-1]).read_text()
        found = re.search(r"127\.0\.0\.1:\d+", told)
        if found and skopeo("list-tags", f"docker://{found[0]}/none", flags=["--tls-verify=false"]):
            return found[0]
        time.sleep(0.1)
    sys.exit(f"{argv[0]} does not answer:\n{log.read_text()}")


def skopeo(verb: str, *args: str, flags: list[str]) -> bool:
    """Run skopeo; tell whether the registry answered: it knows no such name."""
    done = subprocess.run(
        ["skopeo", verb, *flags, *args], check=False, capture_output=True, text=True
    )
    return done.returncode == 0 or "name unknown" in done.stderr or "404" in done.stderr


def copy(source: str, target: str) -> float:
    """Copy an image with skopeo; return the seconds."""
    flags = ["--src-tls-verify=false", "--dest-tls-verify=false", "--quiet"]
    started = time.perf_counter()
    subprocess.run(["skopeo", "copy", *flags, source, target], check=True)
    return time.perf_counter() - started


def peak(pid: int) -> int:
    """Return the largest resident set of a process so far, in KiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s*(\d+) kB", status)
    return int(found[1]) if found else 0


def size(folder: Path) -> int:
    """Return the bytes of all blobs below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def measure(peer: Peer, image: Path, place: Path) -> Sample:
    """Push, pull and push again."""
    os.sync()
    with served(peer, place / peer.name) as (address, pid):
        remote = f"docker://{address}/bench/image:1"
        push = copy(f"oci:{image}:bench", remote)
        pull = copy(remote, f"dir:{place}/pulled")
        shutil.rmtree(place / "pulled")
        before = size(place / peer.name / "store")
        again = copy(f"oci:{image}:bench", remote)
        moved = size(place / peer.name / "store") - before
        return Sample(push, pull, again, peak(pid), moved)


def make_image(folder: Path, layer_bytes: int) -> Path:
    """Make an image of five layers that nothing can make smaller."""
    layout = Layout(folder)
    files = [{f"data{number}": os.urandom(layer_bytes)} for number in range(LAYERS)]
    layout.tag(layout.image(files), "bench")
    return folder


def median(samples: list[Sample], field: str) -> float:
    """Return the median of one measure."""
    return statistics.median(float(getattr(sample, field)) for sample in samples)


def measure_all(rounds: int, place: Path) -> list[list[str]]:
    """Measure both registries in turns, and ours with a tenth of the image."""
    large = make_image(place / "large", LAYER_BYTES)
    small = make_image(place / "small", LAYER_BYTES // 10)
    samples: dict[str, list[Sample]] = {TRUNKLINE.name: [], DEBIAN.name: []}
    for number in range(rounds):
        print(f"measuring: the registry, round {number + 1}", file=sys.stderr)
        for peer in (TRUNKLINE, DEBIAN):
            samples[peer.name].append(measure(peer, large, place))
    little = [measure(TRUNKLINE, small, place) for _ in range(rounds)]
    ours, theirs = samples[TRUNKLINE.name], samples[DEBIAN.name]
    rows = [
        compared(what, median(ours, field), median(theirs, field), SLOWER)
        for what, field in (
            ("push of 200 MB in 5 layers", "push"),
            ("pull of 200 MB in 5 layers", "pull"),
            ("second push, unchanged", "again"),
        )
    ]
    moved = max(sample.moved for sample in ours)
    no_more = "yes" if moved < LAYER_BYTES // 100 else "**no**"
    rows.append(["bytes that it stored", f"{moved:,}", "", "", "no layer", no_more])
    peaks = [median(side, "peak_kib") for side in (little, ours, theirs)]
    flat = peaks[1] / peaks[0]
    rows.append(
        [
            "peak memory, 20 and 200 MB",
            f"{peaks[0] / 1024:.0f} and {peaks[1] / 1024:.0f} MiB",
            f"{peaks[2] / 1024:.0f} MiB",
            f"{flat:.2f}",
            f"≤ {FLAT}",
            "yes" if flat <= FLAT else "**no**",
        ]
    )
    return rows


def main() -> int:
    arguments = options("Measure the registry beside docker-registry.", 5).parse_args()
    absent = [name for name in ("skopeo", "docker-registry") if shutil.which(name) is None]
    if absent:
        print(f"not measured: the registry: {' and '.join(absent)} missing", file=sys.stderr)
        return 0
    with tempfile.TemporaryDirectory(prefix="trunkline-bench-") as place:
        rows = measure_all(arguments.rounds, Path(place))
    version = subprocess.check_output(["docker-registry", "--version"], text=True).split()
    tell(arguments, MARK, table(HEADING, rows), f"{machine()}, docker-registry {version[-1]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
