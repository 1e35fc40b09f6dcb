"""Notes that a job has something at the container engine: a later engine of ours sweeps by them.

Without such a note no sweep asks the engine, so that a run without containers pays nothing.
"""

from __future__ import annotations

import os

from trunkline.adapters.process_table import identity, is_alive
from trunkline.adapters.slugs import slug
from trunkline.adapters.trees import make_private
from trunkline.base.errors import Unavailable

FOLDER = "containers"


def note_path(root: str, run_id: str, key: str) -> str:
    """Return where a job's note is, below the folder of workspaces."""
    return os.path.join(root, FOLDER, f"{slug(run_id)}-{slug(key)}")


def write_note(path: str) -> None:
    """Note that a job has something at the engine. Raises Unavailable."""
    try:
        make_private(os.path.dirname(path))
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(identity(os.getpid()))
    except OSError as error:
        raise Unavailable(f"'{path}' can't be written: {error.strerror}") from error


def remove_note(path: str) -> None:
    """Forget a job whose containers are gone. Idempotent."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def dead_notes(root: str) -> list[str]:
    """Return the notes of engines that no longer run."""
    folder = os.path.join(root, FOLDER)
    try:
        paths = [os.path.join(folder, name) for name in os.listdir(folder)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [path for path in paths if not is_alive(_read(path))]


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except FileNotFoundError:
        return ""
