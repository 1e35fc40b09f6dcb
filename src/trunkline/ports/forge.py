"""Port: where source comes from: the user's repository, and other people's."""

from __future__ import annotations

from typing import Protocol

import msgspec

from trunkline.plan.facts import RepositoryFacts
from trunkline.plan.model import FileRef


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """A repository's files at one commit, on the engine's machine: read, never written to."""

    repository: str
    ref: str
    sha: str
    path: str


class Forge(Protocol):
    """Reads repositories. Thread-safe. Results are cached by commit on disk.

    `owner/name` repositories come from the `--local-repository` table first, then the cache, then
    the network (never when offline). Raises ActionUnavailable with the cause and what to do when a
    repository or ref can't be had; NotFound when a file is not in it.
    """

    def facts(self, directory: str, *, committed: bool = False) -> RepositoryFacts:
        """Read what event payloads need from the repository that holds `directory`."""
        ...

    def workflow_file(self, ref: FileRef) -> str:
        """Return the text of a workflow file in another repository."""
        ...

    def fetch(self, repository: str, ref: str) -> Fetched:
        """Return the files of `owner/name` at `ref` (branch, tag or commit)."""
        ...
