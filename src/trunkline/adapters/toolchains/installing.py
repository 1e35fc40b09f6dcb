"""What installers share: one at a time in a cache folder, and clients run to their end."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from trunkline.adapters.file_locks import locked
from trunkline.adapters.trees import make_cache
from trunkline.base.errors import Unavailable

SECONDS = 600


def held(folder: Path, name: str = "lock") -> AbstractContextManager[None]:
    """Hold a folder, which is made, against other processes that install into it.

    Raises Unavailable.
    """
    make_cache(folder)
    return locked(folder / name)


def run_client(failure: str, environment: Mapping[str, str], argv: Sequence[str]) -> str:
    """Run a client; return what it printed. Raises Unavailable: `failure`, then its last words."""
    try:
        done = subprocess.run(
            argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        told = _last_words(error.stdout, error.stderr)
        raise Unavailable(f"{failure}: {told or f'exit code {error.returncode}'}") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{failure}: no end after {SECONDS} seconds.") from error
    return done.stdout


def _last_words(stdout: str, stderr: str) -> str:
    """Return why a client failed: npm's summary (`--json`), else the last line."""
    try:
        return str(json.loads(stdout)["error"]["summary"])
    except (ValueError, KeyError, TypeError):
        return (stderr or stdout).strip().split("\n")[-1]
