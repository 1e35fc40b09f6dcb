"""Commands that ask registries of packages, which may be busy for a moment: tried more than once."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

# Seconds before each further try.
PAUSES = (2, 10)
PATIENCE = 900


def install(
    argv: Sequence[str], cwd: Path | None = None, patience: float = PATIENCE
) -> subprocess.CompletedProcess[str]:
    """Run a command up to three times, until it succeeds; return how it ended last.

    Each try has `patience` seconds. Raises OSError, and subprocess.TimeoutExpired.
    """
    done = _run(argv, cwd, patience)
    for pause in PAUSES:
        if done.returncode == 0:
            break
        time.sleep(pause)
        done = _run(argv, cwd, patience)
    return done


def _run(
    argv: Sequence[str], cwd: Path | None, patience: float
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, cwd=cwd, check=False, capture_output=True, text=True, timeout=patience
    )
