"""Port: where source comes from: the user's repository, and other people's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from trunkline.plan.facts import RepositoryFacts
from trunkline.plan.model import FileRef


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """A repository's files at one commit, on the engine's machine: read, never written to.

    `sha` is forty zeros for a folder that is no git repository. `git_dir` is a git directory that
    holds the commit, '' when there is none. `local` says that `path` is a folder the user named:
    its files are as they are on disk, uncommitted work included.
    """

    repository: str
    ref: str
    sha: str
    path: str
    git_dir: str = ""
    local: bool = False


def never() -> bool:
    """Say no: what is fetched stays wanted."""
    return False


class Forge(Protocol):
    """Reads repositories. Thread-safe. Results are cached by commit on disk.

    `owner/name` repositories come from the `--local-repository` table first, then the cache, then
    the network (never when offline). Raises ActionUnavailable with the cause and what to do when a
    repository or ref can't be had; NotFound when a file is not in it.
    """

    def facts(self, directory: str, *, committed: bool = False, event: str = "") -> RepositoryFacts:
        """Read what event payloads need from the repository that holds `directory`.

        `committed` leaves uncommitted work out. With an `event`, facts that only other events need
        may stay at their defaults. A folder without git is a repository without commits, with a
        note. Raises NotFound (no such folder, a bare repository), Unavailable (git refuses).
        """
        ...

    def workflow_file(self, ref: FileRef) -> str:
        """Return the text of a workflow file in another repository."""
        ...

    def files(self, directory: str) -> tuple[str, ...] | None:
        """Return what belongs to the repository at `directory`, as it is on disk.

        Tracked files that are there and untracked ones that are not ignored, relative to it; None
        for a folder without git: everything belongs to it.
        """
        ...

    def fetch(self, repository: str, ref: str, unwanted: Callable[[], bool] = never) -> Fetched:
        """Return the files of `owner/name` at `ref` (branch, tag or commit).

        `unwanted` is asked while it takes time: once it says yes, ActionUnavailable is raised soon.
        """
        ...
