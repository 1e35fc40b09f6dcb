"""Notes that a job has something at the container engine: a later engine of ours sweeps by them.

Without such a note no sweep asks the engine, so that a run without containers pays nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from trunkline.adapters.process_table import identity, is_alive
from trunkline.adapters.slugs import slug
from trunkline.adapters.trees import make_private
from trunkline.base.errors import Unavailable

FOLDER = "containers"
# How many other engines are swept for a job before it is forgotten.
MOST_OTHERS = 8


def note_path(root: str, run_id: str, key: str) -> str:
    """Return where a job's note is, below the folder of workspaces."""
    return os.path.join(root, FOLDER, f"{slug(run_id)}-{slug(key)}")


def write_note(path: str, address: str) -> None:
    """Note that a job has something at the engine with this address. Raises Unavailable."""
    try:
        make_private(os.path.dirname(path))
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(f"{identity(os.getpid())}\n{address}\n")
    except OSError as error:
        raise Unavailable(f"'{path}' can't be written: {error.strerror}") from error


def settle_note(path: str, address: str) -> None:
    """Forget a job when its own engine has been swept; of another one note that it has been.

    That may be the same engine behind another address (a tunnel's is new each time), or one that
    knows nothing of the job.
    """
    own, *others = _read(path)[1:] or [address]
    if own == address or len(others) >= MOST_OTHERS:
        remove_note(path)
        return
    with open(path, "a", encoding="utf-8") as stream:
        stream.write(f"{address}\n")


def remove_note(path: str) -> None:
    """Forget a job whose containers are gone. Idempotent."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def dead_notes(root: str) -> list[str]:
    """Return the notes of engines of ours that no longer run."""
    folder = os.path.join(root, FOLDER)
    try:
        paths = [os.path.join(folder, name) for name in os.listdir(folder)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [path for path in paths if not is_alive("".join(_read(path)[:1]))]


def unseen_notes(paths: Iterable[str], address: str) -> list[str]:
    """Return the notes for which the engine with this address is to be swept."""
    found = ((path, _read(path)[1:]) for path in paths)
    return [
        path for path, addresses in found if addresses[:1] == [address] or address not in addresses
    ]


def _read(path: str) -> list[str]:
    """Return a note's lines: who wrote it, at which engine, and which others were swept since."""
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read().splitlines()
    except FileNotFoundError:
        return []
