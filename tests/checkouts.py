"""Checking repositories out into jobs, in tests."""

from __future__ import annotations

from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

from tests.jobs import LocalJob, world
from tests.repositories import git
from trunkline.adapters.actions.checkout.action import Checkout


def github(root: Path, **changes: str) -> dict[str, Any]:
    try:
        sha = git(root, "rev-parse", "HEAD")
    except CalledProcessError:  # no commits, or no git at all
        sha = "0" * 40
    return {
        "repository": "octo/demo",
        "ref": "refs/heads/main",
        "sha": sha,
        "server_url": "https://github.com",
        "token": "",
        **changes,
    }


def check_out(job: LocalJob, tmp_path: Path, root: Path, **inputs: str) -> None:
    action = Checkout(world(tmp_path, root))
    action.main(job.call("actions/checkout@v4", github(root), **inputs), job)


def tree(folder: Path) -> dict[str, str]:
    """Return every file below a folder, without git's own."""
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git/" not in f"{path}/"
    }
