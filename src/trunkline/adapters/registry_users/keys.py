"""The key that signs the registry's tokens: made once, kept in a file for its owner alone."""

from __future__ import annotations

import os
from pathlib import Path

from trunkline.base.errors import Corrupt, Unavailable

LENGTH = 32


def signing_key(path: str) -> bytes:
    """Return the key in a file, made with the first use. Raises Unavailable, Corrupt."""
    file = Path(path)
    try:
        if not file.exists():
            _make(file)
        key = file.read_bytes()
    except OSError as error:
        raise Unavailable(f"The key {path} can't be had: {error.strerror}") from error
    if len(key) != LENGTH:
        raise Corrupt(
            f"{path} is not a key of {LENGTH} bytes.",
            hint="Remove it: a new one is made, and everybody logs in again.",
        )
    return key


def _make(path: Path) -> None:
    """Write a new key whole before it has its name; another process's key stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}-{os.urandom(6).hex()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(os.urandom(LENGTH))
        path.hardlink_to(aside)
    except FileExistsError:
        return
    finally:
        aside.unlink()
