"""The images that tests run: none comes from a registry, each is made of Debian's own packages."""

from __future__ import annotations

import hashlib
import inspect
import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.installs import install
from tests.with_docker import remove

SYSTEM_PATH = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
USERS = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
GROUPS = "root:x:0:\nnogroup:x:65534:\n"


class Lacking(Exception):
    """This machine does not have what an image is made of."""


class Image(NamedTuple):
    """A root file system as a tarball, and the instructions that `docker import` is to apply."""

    tarball: Path
    changes: Sequence[str]


def recipe() -> str:
    """Return a short name of this file's content: images of another version are not used."""
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]


class Layer:
    """A root file system in the making."""

    def __init__(self, users: str = "", groups: str = "") -> None:
        self._buffer = io.BytesIO()
        self._tar = tarfile.open(fileobj=self._buffer, mode="w")  # noqa: SIM115 - closed in saved()
        self._names: set[str] = set()
        self.text("etc/passwd", USERS + users)
        self.text("etc/group", GROUPS + groups)
        self.folder("root", 0o700)
        for shared in ("tmp", "var/tmp"):
            self.folder(shared, 0o1777)

    def folder(self, name: str, mode: int = 0o755) -> None:
        self._put(name, kind=tarfile.DIRTYPE, mode=mode)

    def text(self, name: str, content: str, mode: int = 0o644) -> None:
        self._put(name, content.encode(), mode=mode)

    def data(self, name: str, content: bytes, mode: int = 0o644) -> None:
        self._put(name, content, mode=mode)

    def link(self, name: str, target: str) -> None:
        self._put(name, kind=tarfile.SYMTYPE, target=target)

    def copy(self, path: Path) -> None:
        """Copy a file, or a folder with all below it, to the place that it has here."""
        if path.is_dir():
            for entry in sorted(path.iterdir()):
                self.copy(entry)
        else:
            self._put(str(path), path.read_bytes(), mode=path.stat().st_mode & 0o777)

    def program(self, path: Path) -> None:
        """Copy a program and the libraries that it loads."""
        for each in (path, *libraries(path)):
            self.copy(each)

    def saved(self, path: Path, *changes: str) -> Image:
        """Write it down as a tarball."""
        self._tar.close()
        path.write_bytes(self._buffer.getvalue())
        return Image(path, (SYSTEM_PATH, *changes))

    def _put(
        self,
        name: str,
        content: bytes = b"",
        *,
        kind: bytes = tarfile.REGTYPE,
        mode: int = 0o777,
        target: str = "",
    ) -> None:
        name = name.strip("/")
        if name in self._names:
            return
        # Folders that a tarball leaves out are closed to other users, at some engines.
        if "/" in name:
            self.folder(name.rpartition("/")[0])
        self._names.add(name)
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode, entry.linkname, entry.size = kind, mode, target, len(content)
        self._tar.addfile(entry, io.BytesIO(content))


def libraries(program: Path) -> list[Path]:
    """Return the shared libraries that a program loads, its loader too; none of a static one."""
    done = subprocess.run(["ldd", str(program)], check=False, capture_output=True, text=True)
    if done.returncode:
        return []
    words = [word for line in done.stdout.splitlines() for word in line.split()]
    return sorted({Path(word) for word in words if word.startswith("/")})


def busybox(cache: Path) -> Image:
    """Make busybox alone, with a shell and no more."""
    return busybox_layer().saved(cache / "busybox.tar", 'CMD ["/bin/sh"]')


def busybox_layer(users: str = "", groups: str = "") -> Layer:
    """Return busybox with all its applets, to be added to."""
    program = Path("/bin/busybox")
    if not program.exists() or libraries(program):
        raise Lacking("Debian's busybox-static is not installed")
    layer = Layer(users, groups)
    layer.copy(program)
    told = subprocess.run([program, "--list-full"], check=True, capture_output=True, text=True)
    for applet in told.stdout.split():
        layer.link(applet, "/bin/busybox")
    return layer


def redis(cache: Path) -> Image:
    """Make Redis on busybox."""
    layer = busybox_layer()
    for name in ("redis-server", "redis-cli"):
        found = shutil.which(name)
        if found is None:
            raise Lacking("Debian's redis-server is not installed")
        layer.program(Path(found))
    layer.folder("data")
    command = 'CMD ["redis-server", "--protected-mode", "no", "--dir", "/data"]'
    return layer.saved(cache / "redis.tar", command, "EXPOSE 6379", "WORKDIR /data")


POSTGRES_START = """#!/bin/sh
set -eu
: "${POSTGRES_USER:=postgres}"
: "${POSTGRES_DB:=$POSTGRES_USER}"
if [ -z "${POSTGRES_PASSWORD:-}" ]; then
  echo 'Error: Database is uninitialized and superuser password is not specified.' >&2
  exit 1
fi
export PGDATA=/var/lib/postgresql/data
mkdir -p "$PGDATA"
chown postgres:postgres "$PGDATA"
as_postgres() { su -s /bin/sh postgres -c "$1"; }
echo "$POSTGRES_PASSWORD" >/tmp/password
chmod 644 /tmp/password
as_postgres "initdb --no-sync -U $POSTGRES_USER --pwfile /tmp/password -A scram-sha-256 >/dev/null"
rm /tmp/password
echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
if [ "$POSTGRES_DB" != postgres ]; then
  echo "CREATE DATABASE \\"$POSTGRES_DB\\"" |
    as_postgres "postgres --single -F -j postgres >/dev/null"
fi
exec su -s /bin/sh postgres -c "exec postgres -F -h '*' -k /var/run/postgresql"
"""


def postgres(cache: Path) -> Image:
    """Make PostgreSQL on busybox, with the start that POSTGRES_PASSWORD and the like tell."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not versions:
        raise Lacking("Debian's postgresql is not installed")
    binaries = versions[-1].parent
    layer = busybox_layer("postgres:x:70:70::/tmp:/bin/sh\n", "postgres:x:70:\n")
    for name in ("postgres", "initdb", "pg_isready", "psql"):
        layer.program(binaries / name)
        layer.link(f"usr/local/bin/{name}", str(binaries / name))
    for name in ("plpgsql.so", "dict_snowball.so"):
        layer.copy(binaries.parent / "lib" / name)
    layer.copy(Path("/usr/share/postgresql", binaries.parent.name))
    for zone in ("UTC", "Etc/UTC"):
        layer.copy(Path("/usr/share/zoneinfo", zone))
    layer.folder("var/run/postgresql", 0o1777)
    layer.text("usr/local/bin/docker-entrypoint.sh", POSTGRES_START, 0o755)
    return layer.saved(cache / "postgres.tar", 'CMD ["docker-entrypoint.sh"]', "EXPOSE 5432")


def debian(cache: Path) -> Image:
    """Make Debian's smallest system. It takes half a minute: the tarball is kept."""
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        raise Lacking("only root with Debian's debootstrap can make a Debian image")
    suite = _suite()
    made = hashlib.sha256(inspect.getsource(_bootstrap).encode()).hexdigest()[:12]
    tarball = cache / f"debian-{suite}-{made}.tar"
    if not tarball.exists():
        for old in cache.glob("debian-*.tar"):
            old.unlink()
        _bootstrap(suite, tarball)
    return Image(tarball, (SYSTEM_PATH, 'CMD ["bash"]'))


def _suite() -> str:
    lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    release = dict(line.split("=", 1) for line in lines if "=" in line)
    return release.get("VERSION_CODENAME", "stable").strip('"')


def _bootstrap(suite: str, tarball: Path) -> None:
    root = tarball.with_suffix(".root")
    remove(root)
    options = ["--variant=minbase", "--include=bash,ca-certificates,libstdc++6"]
    argv = ["debootstrap", *options, suite, str(root), *_mirror()]
    try:
        done = install(argv)
        if done.returncode:
            raise Lacking(f"debootstrap failed: {(done.stdout + done.stderr).strip()[-300:]}")
        half = tarball.with_suffix(".half")
        left_out = ["dev/*", "var/cache/apt/*", "usr/share/doc/*", "usr/share/locale/*"]
        excluded = [f"--exclude=./{each}" for each in left_out]
        subprocess.run(["tar", "-C", root, *excluded, "-cf", half, "."], check=True)
        half.rename(tarball)
    finally:
        remove(root)


def _mirror() -> list[str]:
    return [each for each in (debian_mirror(),) if each]


def debian_mirror() -> str:
    """Return the mirror that this machine's own packages come from, '' when it says none."""
    argv = ["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages"]
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    sites = [line for line in done.stdout.splitlines() if line.rstrip("/").endswith("/debian")]
    return next(iter(sites), "")


BUILDERS: dict[str, Callable[[Path], Image]] = {
    "busybox": busybox,
    "debian": debian,
    "postgres": postgres,
    "redis": redis,
}
