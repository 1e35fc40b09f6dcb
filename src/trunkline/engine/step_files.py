"""The files a step writes to: GITHUB_ENV, GITHUB_OUTPUT, GITHUB_PATH, GITHUB_STATE, the summary."""

from __future__ import annotations

import posixpath
from collections import deque
from contextlib import suppress

from trunkline.base.bounded_files import read_whole
from trunkline.ports.sandbox import Sandbox

# Context key -> file name prefix (runner, FileCommandManager; reference section 3.16).
KINDS = {
    "env": "set_env_",
    "output": "set_output_",
    "path": "add_path_",
    "state": "save_state_",
    "step_summary": "step_summary_",
}


class StepFiles:
    """One stage's set of files; made empty, read once.

    `spent` are the job's files whose stages are over: new ones may be made of them.
    """

    def __init__(self, sandbox: Sandbox, folder: str, token: str, spent: deque[str]) -> None:
        self._sandbox = sandbox
        self._spent = spent
        self.paths = {
            kind: posixpath.join(folder, f"{prefix}{token}") for kind, prefix in KINDS.items()
        }

    def create(self) -> None:
        """Make the files: @actions/core refuses to write to one that is missing."""
        old: list[str] = []
        with suppress(IndexError):  # another step may take the last
            while len(old) < len(self.paths):
                old.append(self._spent.popleft())
        self._sandbox.renew(old, tuple(self.paths.values()), 0o666)

    def read(self, kind: str, limit: int) -> bytes:
        """Return what the step wrote, b'' for nothing. Raises TooLarge above `limit` bytes."""
        stream = self._sandbox.get(self.paths[kind])
        if stream is None:
            return b""
        with stream:
            found = read_whole(stream, limit)
        if not found:
            self._spent.append(self.paths[kind])
        return found
