"""Leads git of a job's processes to the job's services: by the configuration in its HOME.

A file rather than variables: libraries refuse to run git where variables bring settings, and what is
in the HOME holds for scripts, for actions, and for whatever they start.
"""

from __future__ import annotations

import posixpath
import threading
from collections.abc import Mapping

from trunkline.base.bounded_files import TooLarge, read_whole
from trunkline.base.errors import Unavailable
from trunkline.ports.sandbox import Layout, Sandbox
from trunkline.run.git_settings import Settings, as_file, as_variables, including
from trunkline.run.step_files import FILE_LIMIT

CONFIG = ".gitconfig"
# Each is there in its own place alone: the job's, or Docker actions', which reach another address.
IN_JOB = "git-services.config"
CONTAINED = "git-services-contained.config"
CONTAINED_TEMP = "/github/runner_temp"


class GitLead:
    """Writes the settings when a step first needs them. Thread-safe."""

    def __init__(self, sandbox: Sandbox, layout: Layout) -> None:
        self._sandbox = sandbox
        self._layout = layout
        self._lock = threading.Lock()
        self._written: set[str] = set()

    def lead(self, settings: Settings, *, contained: bool) -> None:
        """Have git take `settings` from now on: in the job, or in Docker actions (`contained`).

        Raises Unavailable when the user's own configuration is too large.
        """
        name = CONTAINED if contained else IN_JOB
        with self._lock:
            if not settings or name in self._written:
                return
            temp = self._layout.temp
            self._sandbox.put(posixpath.join(temp, name), as_file(settings))
            if not self._written:
                self._include(posixpath.join(temp, IN_JOB), f"{CONTAINED_TEMP}/{CONTAINED}")
            self._written.add(name)

    def variables(self, settings: Settings, env: Mapping[str, str]) -> dict[str, str]:
        """Return the settings as variables for a step that has another HOME, else nothing."""
        home = env.get("HOME") or self._layout.env.get("HOME")
        return {} if home == self._layout.home else as_variables(settings, env)

    def _include(self, *paths: str) -> None:
        config = posixpath.join(self._layout.home, CONFIG)
        stream = self._sandbox.get(config)
        before = b""
        if stream is not None:
            try:
                with stream:
                    before = read_whole(stream, FILE_LIMIT)
            except TooLarge as error:
                raise Unavailable(
                    f"{config} can't lead git to the job's services: up to {FILE_LIMIT // 1024}k of it "
                    f"are read, and it holds {error.size // 1024}k."
                ) from error
        self._sandbox.put(config, including(before, paths))
