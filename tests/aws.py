"""An AWS on this machine: its command line and a server that answers for it (moto)."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.docker_engine import cache_folder, locked
from tests.installs import install
from tests.ports import await_listener, reserved_port

PACKAGES = ("awscli==1.46.2", "moto==5.2.5", "flask==3.1.3", "flask-cors==6.0.5")
PATIENCE = 120


def programs() -> Path:
    """Return the folder of `aws` and `moto_server`, in an environment kept between test runs."""
    version = hashlib.sha256(repr((PACKAGES, sys.version)).encode()).hexdigest()[:12]
    folder = cache_folder() / f"aws-{version}"
    with locked("aws"):
        if not (folder / "ready").exists():
            for old in cache_folder().glob("aws-*"):
                shutil.rmtree(old)
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            pip = [str(folder / "bin" / "pip"), "install", "--quiet", *PACKAGES]
            install(pip).check_returncode()
            (folder / "ready").touch()
    return folder / "bin"


@contextmanager
def served_cloud() -> Iterator[str]:
    """Yield the address of an AWS on this machine."""
    server = [str(programs() / "moto_server"), "-H", "127.0.0.1", "-p"]
    quiet = subprocess.DEVNULL
    with (
        reserved_port() as port,
        subprocess.Popen([*server, str(port)], stdout=quiet, stderr=quiet) as process,
    ):
        try:
            await_listener(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def aws() -> Path:
    """Return the folder of `aws` and `moto_server`."""
    return programs()


@pytest.fixture(scope="session")
def aws_server(aws: Path) -> Iterator[str]:
    """Yield the address of an AWS on this machine; it takes a second or two to start."""
    assert aws.is_dir()
    with served_cloud() as address:
        yield address


@pytest.fixture
def cloud(aws_server: str) -> str:
    """Return the address of an AWS on this machine that has nothing yet."""
    reset = urllib.request.Request(f"{aws_server}/moto-api/reset", method="POST")  # noqa: S310
    with urllib.request.urlopen(reset, timeout=PATIENCE) as answer:  # noqa: S310
        assert answer.status == HTTPStatus.OK
    return aws_server
