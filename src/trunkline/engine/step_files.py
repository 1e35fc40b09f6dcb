"""The files a step writes to: GITHUB_ENV, GITHUB_OUTPUT, GITHUB_PATH, GITHUB_STATE, the summary."""

from __future__ import annotations

import posixpath

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
    """One stage's set of files; made empty, read once."""

    def __init__(self, sandbox: Sandbox, folder: str, token: str) -> None:
        self._sandbox = sandbox
        self.paths = {
            kind: posixpath.join(folder, f"{prefix}{token}") for kind, prefix in KINDS.items()
        }

    def create(self) -> None:
        """Make the files: @actions/core refuses to write to one that is missing."""
        for path in self.paths.values():
            self._sandbox.put(path, b"", 0o666)

    def read(self, kind: str) -> bytes:
        """Return what the step wrote, b'' for nothing."""
        stream = self._sandbox.get(self.paths[kind])
        if stream is None:
            return b""
        with stream:
            return stream.read()
