"""Unpacks a commit's files, as GitHub's archives are."""

from __future__ import annotations

import subprocess
from pathlib import Path

from trunkline.adapters.git.command import environment


def unpack(git_dir: str, commit: str, folder: Path) -> bool:
    """Unpack the files of `commit` (an object id) into `folder`; tell whether all are there."""
    with subprocess.Popen(
        ["git", "archive", "--format=tar", commit],
        cwd=git_dir,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as archive:
        unpacked = subprocess.run(
            ["tar", "-x", "-f", "-", "-C", folder], stdin=archive.stdout, check=False
        )
    return not archive.returncode and not unpacked.returncode
