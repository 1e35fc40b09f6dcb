"""Runs git: argv only, no prompt, and none of the caller's own GIT_* variables."""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from functools import cache

from trunkline.adapters.process_table import children, descendants, look_up
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
# How often a git that may be stopped is looked after (seconds).
TICK = 0.1
# How long gits that are killed at our end are waited for, and how often they are looked at (seconds).
LONGEST_END, POLL = 5.0, 0.002
NO_GIT = "git is not installed here, or not on PATH."


class GitFailed(Exception):
    """Git ended with an error; `text` is what it said, `output` what it had printed by then."""

    def __init__(self, code: int, text: str, output: bytes) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.output = output


class Stopped(Exception):
    """Git was stopped because nobody wants its answer any more."""


class Running:
    """A git process under way; several may run side by side."""

    def __init__(
        self, directory: str, args: tuple[str, ...], more: Mapping[str, str] | None = None
    ) -> None:
        """Start `git ARGS` in `directory` with `more` variables. Raises Unavailable."""
        _end_with_us()
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

    def output(
        self,
        given: bytes = b"",
        timeout: float | None = None,
        unwanted: Callable[[], bool] | None = None,
    ) -> bytes:
        """Return what it prints, `given` its input.

        Raises GitFailed; Unavailable past `timeout` s; Stopped when it has become `unwanted`.
        """
        try:
            if unwanted is None:
                out, err = self._process.communicate(given, timeout)
            else:
                out, err = self._watched(timeout, unwanted)
        except subprocess.TimeoutExpired as error:
            self.stop()
            message = f"git gave no answer within {timeout:g} seconds."
            raise Unavailable(message) from error
        except BaseException:  # Ctrl-C, for one
            self.stop()
            raise
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
        """Kill it and its helpers, if it still runs, and collect it."""
        if self._process.returncode is not None:  # its number may be another's by now
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()

    def _watched(self, timeout: float | None, unwanted: Callable[[], bool]) -> tuple[bytes, bytes]:
        """Wait for its end, looking now and then whether it is still wanted."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                return self._process.communicate(timeout=TICK)
            except subprocess.TimeoutExpired:
                if end is not None and time.monotonic() >= end:
                    raise
                if unwanted():
                    raise Stopped from None


def git(
    directory: str,
    *args: str,
    given: bytes = b"",
    timeout: float | None = None,
    more: Mapping[str, str] | None = None,
    unwanted: Callable[[], bool] | None = None,
) -> bytes:
    """Run `git ARGS` in `directory`; return what it prints.

    Raises GitFailed, Unavailable; Stopped when the answer has become `unwanted`.
    """
    return Running(directory, args, more).output(given, timeout, unwanted)


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment git runs in, with `more` over it."""
    mine = {name: value for name, value in os.environ.items() if name not in LOCAL_VARIABLES}
    return {**mine, **QUIET, **(more or {})}


def without_credentials(url: str) -> str:
    """Return an http(s) URL without its `user:password@`."""
    return re.sub(r"^(https?://)[^/@]*@", r"\1", url) if "@" in url else url


@cache
def _end_with_us() -> None:
    """See to it that no git outlives this process: once, however often it is asked for."""
    atexit.register(_end_left)


def _end_left() -> None:
    """Kill the gits that still run, with their helpers, and wait until they are gone.

    An interrupt that comes while one starts leaves nobody who knows of it.
    """
    left = [pid for pid in children(os.getpid()) if _is_git(pid)]
    below = [each for pid in left for each in descendants(pid)]
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    end = time.monotonic() + LONGEST_END
    while time.monotonic() < end and any(map(_runs, (*left, *below))):
        time.sleep(POLL)


def _is_git(pid: int) -> bool:
    kin = look_up(pid)
    return kin is not None and kin.name == "git" and kin.session == pid


def _runs(pid: int) -> bool:
    kin = look_up(pid)
    return kin is not None and kin.state not in "ZX"


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
