"""Clients of registries that Debian has in sid alone: fetched with apt, unpacked, never installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docker_engine import cache_folder, locked
from tests.installs import install

NAMES = ("crane", "oras", "cosign", "docker-buildx")
# Where a package has its program, if not in /usr/bin.
PLACES = {"docker-buildx": "usr/libexec/docker/cli-plugins/docker-buildx"}
KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def client(name: str) -> str:
    """Return the path of a client. Skips the test where it can't be had."""
    if found := shutil.which(name):
        return found
    folder = cache_folder() / "sid-clients"
    program = folder / PLACES.get(name, f"usr/bin/{name}")
    with locked("sid-clients"):
        if not (folder / "ready").exists():
            _fetch(folder)
    return str(program)


def _fetch(folder: Path) -> None:
    if shutil.which("apt-get") is None or not KEYS.exists():
        pytest.skip("it comes from packages of Debian sid, and this is no Debian")
    shutil.rmtree(folder, ignore_errors=True)
    for below in ("state/lists/partial", "cache/archives/partial", "packages"):
        (folder / below).mkdir(parents=True, exist_ok=True)
    sources = folder / "sources.list"
    mirror = os.environ.get("TRUNKLINE_DEBIAN_MIRROR", "http://deb.debian.org/debian")
    sources.write_text(f"deb [signed-by={KEYS}] {mirror} sid main\n")
    options = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State": folder / "state",
        "Dir::State::status": "/dev/null",
        "Dir::Cache": folder / "cache",
        "APT::Sandbox::User": "root",
        "Acquire::Retries": "3",
    }
    flags = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    for order in (["update", "-q"], ["download", "-q", *NAMES]):
        _run(["apt-get", *flags, *order], folder / "packages")
    for package in sorted((folder / "packages").glob("*.deb")):
        _run(["dpkg", "-x", str(package), str(folder)], folder)
    shutil.rmtree(folder / "packages")
    shutil.rmtree(folder / "state")
    (folder / "ready").touch()


def _run(argv: list[str], folder: Path) -> None:
    try:
        install(argv, folder).check_returncode()
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"Debian sid's packages can't be had here: {error}")
