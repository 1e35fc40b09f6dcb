"""A program of somebody else's to compare with: an npm package, behind a line of JSON in and out."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.installs import install

_HERE = Path(__file__).resolve().parent
_CACHE = _HERE.parents[1] / ".cache" / "npm"


class NodePeer:
    """A script of this folder that answers each JSON line with one, started once for many questions."""

    def __init__(self, script: str, package: str) -> None:
        argv = ["node", str(_HERE / script), str(_installed(package))]
        self._process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def ask(self, question: Any) -> Any:
        """Return the answer to a question, both as JSON."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith(">"):
                return json.loads(line[1:])
        raise AssertionError("the peer has ended")

    def close(self) -> None:
        """End the program."""
        self._process.communicate(timeout=60)


def _installed(package: str) -> Path:
    """Return the folder where `package` (`name@version`) is installed; skip the tests without it."""
    folder = _CACHE / package.replace("/", "+")
    if folder.is_dir():
        return folder
    if shutil.which("npm") is None:
        pytest.skip("npm is not there")
    _CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_CACHE) as scratch:
        told = _install(package, scratch)
        if not told:
            return _keep(Path(scratch), folder)
    pytest.skip(f"{package} can't be installed: {told}")


def _install(package: str, folder: str) -> str:
    """Install a package; return what went wrong, if anything did."""
    argv = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder]
    try:
        done = install([*argv, package])
    except subprocess.TimeoutExpired as error:
        return str(error)
    told = re.findall(r"^npm error (.*)", done.stderr, re.MULTILINE) or ["npm failed"]
    return told[0] if done.returncode else ""


def _keep(scratch: Path, folder: Path) -> Path:
    """Move what was installed to its place, unless another test process was faster."""
    made = scratch / "made"
    made.mkdir()
    (scratch / "node_modules").rename(made / "node_modules")
    try:
        made.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
    return folder
