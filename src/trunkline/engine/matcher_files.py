"""Problem matcher files, and the files that matched lines name, in a job's sandbox."""

from __future__ import annotations

import posixpath

from trunkline.base.errors import Unavailable
from trunkline.ports.sandbox import Sandbox
from trunkline.run.matchers import Compile, MatcherError, MatcherRule, parse_matchers

LARGEST = 1 << 20


class MatcherFiles:
    """Reads matcher files and finds matched ones, from the workspace of one job."""

    def __init__(self, sandbox: Sandbox, workspace: str, compile_: Compile) -> None:
        self._sandbox = sandbox
        self._compile = compile_
        self._workspace = posixpath.normpath(workspace)
        self._roots: dict[str, str] = {}

    def load(self, path: str) -> tuple[MatcherRule, ...]:
        """Return the rules of a file (relative to the workspace). Raises MatcherError."""
        full = posixpath.join(self._workspace, path)
        try:
            stream = self._sandbox.get(full)
        except Unavailable as error:
            raise MatcherError(str(error)) from error
        if stream is None:
            raise MatcherError(f"Could not find file '{full}'.")
        with stream:
            return parse_matchers(stream.read(LARGEST), self._compile)

    def locate(self, file: str, from_path: str) -> str:
        """Return a matched file relative to its repository, '' when there is no such file in it.

        A relative file is looked for beside `from_path` (a project file), else in the workspace.
        """
        folder = posixpath.dirname(from_path) if from_path.strip() else ""
        full = posixpath.normpath(posixpath.join(self._workspace, folder, file))
        if not full.startswith(self._workspace + "/") or not self._exists(full):
            return ""
        return full[len(self._root(posixpath.dirname(full))) + 1 :]

    def _root(self, folder: str) -> str:
        """Return the folder of the nearest repository around `folder`, at most the workspace."""
        if folder == self._workspace:
            return folder
        if folder not in self._roots:
            is_repository = self._exists(posixpath.join(folder, ".git", "config"))
            self._roots[folder] = folder if is_repository else self._root(posixpath.dirname(folder))
        return self._roots[folder]

    def _exists(self, path: str) -> bool:
        try:
            stream = self._sandbox.get(path)
        except Unavailable:  # a folder, or not ours to read
            return False
        if stream is None:
            return False
        stream.close()
        return True
