"""Podman's Engine API as a second engine for tests: of its own, with what a small machine allows."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.docker_engine import Engine, cache_folder
from tests.images import Lacking
from tests.with_docker import SCRATCH, answers, remove

PATIENCE = 120
# crun wants one kind of cgroups; the limits are those that an unprivileged root may set.
SETTINGS = """
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=1000:1000"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
default_subnet = "10.{octet}.0.0/24"
default_subnet_pools = [{{"base" = "10.{octet}.128.0/17", "size" = 24}}]
"""


@contextmanager
def own_podman() -> Iterator[Engine]:
    """Serve Podman's API from a folder of its own; leave nothing of it. Raises Lacking."""
    programs = ("podman", "runc", "docker")
    absent = [name for name in programs if shutil.which(name) is None]
    if absent or os.geteuid() != 0:
        raise Lacking(f"these are missing for podman: {absent or 'root'}")
    with _octet() as octet, _serving(SETTINGS.format(octet=octet)) as host:
        yield Engine(host)


@contextmanager
def _octet() -> Iterator[int]:
    """Yield a number for addresses 10.x: networks that neither this machine nor another Podman has."""
    known = Path("/proc/net/fib_trie").read_text(encoding="ascii")
    for octet in (each for each in range(100, 200) if f" 10.{each}." not in known):
        with (cache_folder() / f"podman-{octet}.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield octet
            return
    raise Lacking("no addresses are left for the networks of podman")


@contextmanager
def _serving(settings: str) -> Iterator[str]:
    """Serve Podman's API with these settings; yield its address. Raises Lacking."""
    folder = Path(tempfile.mkdtemp(prefix="tl-podman.", dir=SCRATCH))
    (folder / "containers.conf").write_text(settings, encoding="utf-8")
    (folder / "networks").mkdir()
    places = {"root": "root", "runroot": "run", "tmpdir": "tmp", "network-config-dir": "networks"}
    options = [f"--{option}={folder}/{name}" for option, name in places.items()]
    host = f"unix://{folder}/sock"
    argv = ["setpriv", "--pdeathsig", "TERM", "podman", *options, "system", "service", "--time=0"]
    env = {**os.environ, "CONTAINERS_CONF": str(folder / "containers.conf")}
    log = folder / "log"
    with log.open("wb") as file:
        served = subprocess.Popen(
            [*argv, host], env=env, stdout=file, stderr=file, start_new_session=True
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not answers(host):
            if served.poll() is not None or time.monotonic() > deadline:
                raise Lacking(f"podman did not start: {log.read_text(encoding='utf-8')[-500:]}")
            time.sleep(0.1)
        yield host
    finally:
        served.terminate()
        served.wait(PATIENCE)
        remove(folder)
