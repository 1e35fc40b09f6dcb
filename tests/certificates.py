"""A certificate of our own for tests, made with openssl."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest


class Certificate(NamedTuple):
    """Paths of a self-signed certificate for `localhost` and `127.0.0.1`, and of its key."""

    certificate: Path
    key: Path


def make_certificate(folder: Path) -> Certificate:
    """Make one in a folder. Skips the test where there is no openssl."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    made = Certificate(folder / "cert.pem", folder / "key.pem")
    kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    out = ["-days", "2", "-keyout", str(made.key), "-out", str(made.certificate)]
    subprocess.run(["openssl", *kind, *names, *out], check=True, capture_output=True)
    return made
