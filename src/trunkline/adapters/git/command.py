"""Runs git: argv only, no prompt, and none of the caller's own GIT_* variables."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from functools import cache

from trunkline.base.errors import Unavailable

# What `git rev-parse --local-env-vars` lists: a hook that starts us has them set.
LOCAL_VARIABLES = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_CONFIG",
        "GIT_CONFIG_PARAMETERS",
        "GIT_CONFIG_COUNT",
        "GIT_OBJECT_DIRECTORY",
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_GRAFT_FILE",
        "GIT_INDEX_FILE",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_REPLACE_REF_BASE",
        "GIT_PREFIX",
        "GIT_SHALLOW_FILE",
        "GIT_COMMON_DIR",
        "GIT_NAMESPACE",
    }
)
QUIET = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
}
STEADY = (
    "git",
    *("-c", "core.quotePath=false"),
    *("-c", "i18n.logOutputEncoding=UTF-8"),
    *("-c", "log.showRoot=true"),
    *("-c", "log.showSignature=false"),
)
NO_GIT = "git is not installed here, or not on PATH."


class GitFailed(Exception):
    """Git ended with an error; `text` is what it said, `output` what it had printed by then."""

    def __init__(self, code: int, text: str, output: bytes) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.output = output


class Running:
    """A git process under way; several may run side by side."""

    def __init__(
        self, directory: str, args: tuple[str, ...], more: Mapping[str, str] | None = None
    ) -> None:
        """Start `git ARGS` in `directory` with `more` variables. Raises Unavailable."""
        try:
            self._process = subprocess.Popen(
                [*STEADY, *args],
                executable=_program(os.environ.get("PATH", os.defpath)),
                cwd=directory,
                env=environment(more),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise Unavailable(_missing(directory)) from error
        except OSError as error:
            raise Unavailable(f"Can't run git in {directory}: {error.strerror}.") from error

    def output(self, given: bytes = b"", timeout: float | None = None) -> bytes:
        """Return what it prints, `given` its input. Raises GitFailed; Unavailable past `timeout` s."""
        try:
            out, err = self._process.communicate(given, timeout)
        except subprocess.TimeoutExpired as error:
            self.stop()
            message = f"git gave no answer within {timeout:g} seconds."
            raise Unavailable(message) from error
        if self._process.returncode:
            text = err.decode(errors="replace").strip()
            raise GitFailed(self._process.returncode, text, out)
        return out

    def output_or_nothing(self) -> bytes:
        """Return what it prints, or b'' when it fails."""
        try:
            return self.output()
        except GitFailed:
            return b""

    def stop(self) -> None:
        """Kill it, if it still runs, and collect it."""
        self._process.kill()
        self._process.communicate()


def git(
    directory: str,
    *args: str,
    given: bytes = b"",
    timeout: float | None = None,
    more: Mapping[str, str] | None = None,
) -> bytes:
    """Run `git ARGS` in `directory`; return what it prints. Raises GitFailed, Unavailable."""
    return Running(directory, args, more).output(given, timeout)


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment git runs in, with `more` over it."""
    mine = {name: value for name, value in os.environ.items() if name not in LOCAL_VARIABLES}
    return {**mine, **QUIET, **(more or {})}


def without_credentials(url: str) -> str:
    """Return an http(s) URL without its `user:password@`."""
    return re.sub(r"^(https?://)[^/@]*@", r"\1", url)


@cache
def _program(search_path: str) -> str:
    """Return git's full path: no process then tries every folder of the search path again."""
    for folder in search_path.split(os.pathsep):
        path = os.path.join(folder, "git")
        if os.path.isabs(path) and os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return "git"


def _missing(directory: str) -> str:
    return NO_GIT if os.path.isdir(directory) else f"There is no folder {directory}."
