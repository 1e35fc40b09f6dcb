"""Other ways to the engine's socket: by another one, behind TLS, over ssh; each ends when it is left."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.certificates import Signer
from tests.engine import needed
from tests.images import Lacking
from tests.ports import await_listener, reserved_port

PATIENCE = 60


def program(name: str, package: str) -> str:
    """Return a program's path; skips or fails the test where it is not installed."""
    with needed():
        found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
        if found is None:
            raise Lacking(f"Debian's {package} is not installed")
    return found


class Door(NamedTuple):
    """A server between clients and the engine, in a session of its own, with all it starts."""

    address: str
    process: subprocess.Popen[bytes]

    def close(self) -> None:
        """End it, with every connection through it."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)


@contextmanager
def another_socket(engine_host: str, path: Path) -> Iterator[Door]:
    """Yield an engine's socket at another place."""
    listening = f"UNIX-LISTEN:{path},fork"
    with _socat(f"unix://{path}", listening, engine_host) as door:
        await_listener(path, door.process)
        yield door


class Keys(NamedTuple):
    """A folder of certificates as Docker's client wants it, and the server's own two files."""

    client: Path
    certificate: Path
    key: Path


def make_keys(folder: Path) -> Keys:
    """Make an authority, a server for this machine and a client that it knows."""
    client, server = folder / "client", folder / "server"
    for each in (client, server):
        each.mkdir(parents=True)
    authority = Signer("trunkline tests")
    authority.write_authority(client / "ca.pem")
    made = Keys(client, server / "cert.pem", server / "key.pem")
    authority.issue("127.0.0.1", made.certificate, made.key)
    authority.issue("client", client / "cert.pem", client / "key.pem")
    return made


@contextmanager
def behind_tls(engine_host: str, keys: Keys) -> Iterator[Door]:
    """Yield the engine behind TLS; clients are asked for their certificates."""
    with reserved_port() as port, _tls_door(engine_host, keys, port) as door:
        await_listener(port, door.process)
        yield door


def _tls_door(engine_host: str, keys: Keys, port: int) -> AbstractContextManager[Door]:
    tls = f"cert={keys.certificate},key={keys.key},cafile={keys.client / 'ca.pem'},verify=1"
    listening = f"OPENSSL-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,{tls}"
    return _socat(f"tcp://127.0.0.1:{port}", listening, engine_host)


class Ssh(NamedTuple):
    """An ssh server, and the folder of an `ssh` that has its keys: to be first on PATH."""

    door: Door
    programs: Path


@contextmanager
def over_ssh(engine_host: str, folder: Path) -> Iterator[Ssh]:
    """Yield the engine over ssh, by a server that knows one key and a client that has it."""
    sshd = program("sshd", "openssh-server")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where it gives up its privileges
    with reserved_port() as port:
        server, programs = _ssh_files(folder, port)
        with (folder / "log").open("wb") as log:
            argv = [sshd, "-D", "-e", "-f", str(server)]
            process = subprocess.Popen(argv, start_new_session=True, stderr=log)
        place = f"{getpass.getuser()}@127.0.0.1:{port}{engine_host.removeprefix('unix://')}"
        door = Door(f"ssh://{place}", process)
        try:
            await_listener(port, process)
            yield Ssh(door, programs)
        finally:
            door.close()


def _ssh_files(folder: Path, port: int) -> tuple[Path, Path]:
    """Write what an ssh server is told, and a folder with the client that it knows; return both."""
    ssh = program("ssh", "openssh-client")
    for name in ("host", "user"):
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    server, client = folder / "sshd_config", folder / "ssh_config"
    keys = f"HostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\nStrictModes no\n"
    methods = "PasswordAuthentication no\nPermitRootLogin prohibit-password\n"
    pam = f"UsePAM {'yes' if os.geteuid() == 0 else 'no'}\nPidFile none\n"
    server.write_text(f"Port {port}\nListenAddress 127.0.0.1\n{keys}{methods}{pam}")
    public = (folder / "host.pub").read_text()
    (folder / "known").write_text(f"[127.0.0.1]:{port} {public}")
    client.write_text(
        f"IdentityFile {folder}/user\nIdentitiesOnly yes\nUserKnownHostsFile {folder}/known\n"
    )
    programs = folder / "bin"
    programs.mkdir()
    (programs / "ssh").write_text(f'#!/bin/sh\nexec {ssh} -F {client} "$@"\n')
    (programs / "ssh").chmod(0o755)
    return server, programs


@contextmanager
def _socat(address: str, listening: str, engine_host: str) -> Iterator[Door]:
    # Clients that have said all may still be answered for long: `docker wait` is one.
    argv = [program("socat", "socat"), "-t", "600", listening, _connecting(engine_host)]
    door = Door(address, subprocess.Popen(argv, start_new_session=True))
    try:
        yield door
    finally:
        door.close()


def _connecting(engine_host: str) -> str:
    assert engine_host.startswith("unix://"), engine_host
    return f"UNIX-CONNECT:{engine_host.removeprefix('unix://')}"
