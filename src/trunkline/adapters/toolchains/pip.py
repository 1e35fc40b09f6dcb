"""A pip that works: our own Python's, else that of one on PATH."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping

from trunkline.base.errors import Unavailable


def find_pip(environment: Mapping[str, str], wanted: str) -> tuple[str, ...]:
    """Return how pip is called. Raises Unavailable, saying that `wanted` can't be installed."""
    path = environment.get("PATH", "")
    for python in (sys.executable, shutil.which("python3", path=path)):
        if python and _succeeds(python, "-m", "pip", "--version"):
            return (python, "-m", "pip")
    raise Unavailable(f"{wanted} can't be installed: no Python here has pip.")


def _succeeds(*argv: str) -> bool:
    try:
        subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    except (OSError, subprocess.SubprocessError):
        return False
    return True
