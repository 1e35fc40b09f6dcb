"""A rootless Docker Engine, and commands of the user that it belongs to."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.commands import Done
from tests.images import Lacking
from tests.with_docker import SCRATCH, remove

USER, NUMBER, NUMBERS = "tester", 21234, 65536
PATIENCE = 180
PROGRAMS = ("dockerd", "rootlesskit", "slirp4netns", "newuidmap", "setpriv", "unshare")
# In a mount namespace of its own the user exists, and may have numbers and a tunnel.
ENTER = """\
set -e
mount --make-rprivate /
cd {folder}
for each in passwd group subuid subgid; do mount --bind $each /etc/$each; done
mount --bind tun /dev/net/tun
{opening}
cd home
exec setpriv --reuid {number} --regid {number} --clear-groups -- "$@"
"""
KIT = (
    *("rootlesskit", "--net=slirp4netns", "--mtu=65520", "--disable-host-loopback"),
    *("--port-driver=builtin", "--copy-up=/etc", "--copy-up=/run", "--propagation=rslave"),
    *("sh", "-c", 'rm -f /run/docker /run/containerd /run/xtables.lock; exec dockerd "$@"', "sh"),
)


class Rootless(NamedTuple):
    """An engine of a user, below a folder; `run` runs that user's commands."""

    folder: Path
    env: Mapping[str, str]

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def argv(self, *command: str) -> list[str]:
        return ["unshare", "--mount", "sh", str(self.folder / "enter"), *command]

    def give(self, path: Path) -> None:
        """Let the user have what is in one of its folders."""
        subprocess.run(["chown", "-R", f"{NUMBER}:{NUMBER}", str(path)], check=True)

    def run(self, *command: str, cwd: Path | None = None, feed: Path | None = None) -> Done:
        """Run a command to its end."""
        there = f"cd {shlex.quote(str(cwd or self.home))} && exec " + shlex.join(command)
        with (feed or Path(os.devnull)).open("rb") as stdin:
            done = subprocess.run(
                self.argv("sh", "-c", there),
                env=dict(self.env),
                stdin=stdin,
                check=False,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
        return Done(done.returncode, done.stdout, done.stderr)


@contextmanager
def rootless_docker() -> Iterator[Rootless]:
    """Lend an engine that a user without rights runs; leave nothing of it. Raises Lacking."""
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    if absent or os.geteuid() != 0:
        raise Lacking(f"these are missing for rootless Docker: {absent or 'root'}")
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="tl-rootless.", dir=SCRATCH))
        stack.callback(remove, folder)
        found = _prepared(folder)
        log = folder / "log"
        kit = _started(found, log)
        stack.callback(_stop, kit)
        end = time.monotonic() + PATIENCE
        while found.run("docker", "version").code:
            if kit.poll() is not None or time.monotonic() > end:
                raise Lacking(f"rootless Docker did not start: {log.read_text()[-300:]}")
            time.sleep(0.2)
        yield found


def _started(found: Rootless, log: Path) -> subprocess.Popen[bytes]:
    places = {"data-root": "data", "exec-root": "run/docker", "pidfile": "run/docker.pid"}
    options = [f"--{name}={found.home / place}" for name, place in places.items()]
    host = [f"--host={found.env['DOCKER_HOST']}", "--storage-driver=vfs"]
    with log.open("wb") as file:
        return subprocess.Popen(
            found.argv(*KIT, *host, *options),
            env=dict(found.env),
            stdout=file,
            stderr=file,
            start_new_session=True,
        )


def _prepared(folder: Path) -> Rootless:
    folder.chmod(0o755)
    for name, line in (("passwd", f"{USER}:x:{NUMBER}:{NUMBER}::{folder}/home:/bin/sh"),
                       ("group", f"{USER}:x:{NUMBER}:")):  # fmt: skip
        (folder / name).write_text(Path("/etc", name).read_text() + line + "\n")
    for name in ("subuid", "subgid"):
        (folder / name).write_text(f"{USER}:{1 << 20}:{NUMBERS}\n")
        Path("/etc", name).touch()
    try:
        os.mknod(folder / "tun", 0o020666, os.makedev(10, 200))
    except PermissionError as error:
        raise Lacking("no tunnel can be made for rootless Docker") from error
    (folder / "tun").chmod(0o666)
    for place in ("home", "home/run"):
        (folder / place).mkdir(mode=0o700)
        os.chown(folder / place, NUMBER, NUMBER)
    text = ENTER.format(folder=folder, number=NUMBER, opening=_opening())
    (folder / "enter").write_text(text)
    env = {
        "HOME": f"{folder}/home",
        "USER": USER,
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "XDG_RUNTIME_DIR": f"{folder}/home/run",
        "DOCKER_HOST": f"unix://{folder}/home/run/docker.sock",
        "TRUNKLINE_WORK": f"{folder}/home/work",
    }
    return Rootless(folder, env)


def _opening() -> str:
    """Return what shows our Python and our code alone, where they lie in a home closed to others."""
    wanted = {Path(sys.base_prefix).resolve(), Path(__file__).resolve().parent.parent}
    closed = {path: found for path in sorted(wanted) if (found := _closed_above(path))}
    lines = [f"mkdir -p s{n}; mount --bind '{path}' s{n}" for n, path in enumerate(closed)]
    lines += [f"mount -t tmpfs -o mode=755 tmpfs '{each}'" for each in sorted(set(closed.values()))]
    lines += [f"mkdir -p '{path}'; mount --move s{n} '{path}'" for n, path in enumerate(closed)]
    return "\n".join(lines)


def _closed_above(path: Path) -> Path | None:
    """Return the first folder on the way to a path that other users can't enter."""
    above = (each for each in reversed(path.parents) if not each.stat().st_mode & 1)
    return next(above, None)


def _stop(kit: subprocess.Popen[bytes]) -> None:
    """End an engine with all that it started."""
    kit.terminate()
    try:
        kit.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(kit.pid, signal.SIGKILL)
        kit.wait(PATIENCE)
