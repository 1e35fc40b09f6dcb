"""Puts an artifact where its user wants it: a folder with its files, or the one file that it is."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from trunkline.base.errors import Unavailable, UsageError
from trunkline.ports.artifacts import ArtifactInfo, Artifacts

CHUNK = 1 << 20
MODE = 0o755


def put(artifacts: Artifacts, info: ArtifactInfo, folder: str) -> Path:
    """Write what an artifact holds, and return where.

    An archive becomes `folder`, by default one of its name here; a file that is none goes into it,
    by default the current one. All of it is there, or nothing. Raises UsageError when something is
    there already, NotFound, Corrupt, Unavailable.
    """
    target = Path(folder or info.name) if info.archived else Path(folder, info.name)
    _check_free(target, info)
    draft = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".", suffix=".part", dir=target.parent))
        _write(artifacts, info, draft)
        if info.archived:
            draft.chmod(MODE)
            draft.rename(target)  # takes the place of an empty folder
        else:
            (draft / info.name).rename(target)
    except OSError as error:
        raise Unavailable(f"{target} can't be written: {error.strerror}") from error
    finally:
        if draft is not None:
            shutil.rmtree(draft, ignore_errors=True)
    return target


def _check_free(target: Path, info: ArtifactInfo) -> None:
    """Raise UsageError where something is, but for an empty folder that takes an archive."""
    if info.archived and target.is_dir() and not any(target.iterdir()):
        return
    if target.exists() or target.is_symlink():
        raise UsageError(f"{target} is there already.", hint="--dir names another folder.")


def _write(artifacts: Artifacts, info: ArtifactInfo, folder: Path) -> None:
    for path, content in artifacts.read(info):
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("wb") as file:
            shutil.copyfileobj(content, file, CHUNK)
