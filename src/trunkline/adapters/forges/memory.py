"""A forge for tests: facts and folders that were given to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from trunkline.base.errors import ActionUnavailable, NotFound
from trunkline.plan.facts import RepositoryFacts
from trunkline.plan.model import FileRef
from trunkline.ports.forge import Fetched, never


class MemoryForge:
    """Answers from tables. See the port `Forge`."""

    def __init__(
        self, facts: Mapping[str, RepositoryFacts], repositories: Mapping[str, Fetched]
    ) -> None:
        """Take facts by folder, and repositories by `owner/name@ref`."""
        self._facts = facts
        self._repositories = {spec.lower(): fetched for spec, fetched in repositories.items()}

    def facts(self, directory: str, *, committed: bool = False, event: str = "") -> RepositoryFacts:
        """Return the facts given for `directory`, whatever else is asked."""
        del committed, event
        try:
            return self._facts[directory]
        except KeyError as error:
            raise NotFound(f"There is no folder {directory}.") from error

    def workflow_file(self, ref: FileRef) -> str:
        """Return the text of a file in a repository that was given."""
        try:
            root = Path(self.fetch(ref.repository, ref.ref).path)
            return (root / ref.path).read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise NotFound(f"There is no file {ref.path} in {ref.repository}@{ref.ref}.") from error

    def files(self, directory: str) -> tuple[str, ...] | None:
        """Say that everything in `directory` belongs to it."""
        del directory
        return None

    def fetch(self, repository: str, ref: str, unwanted: Callable[[], bool] = never) -> Fetched:
        """Return the repository that was given for `repository@ref`."""
        del unwanted
        try:
            return self._repositories[f"{repository}@{ref}".lower()]
        except KeyError as error:
            message = f"Unable to resolve action `{repository}@{ref}`, unable to find version"
            raise ActionUnavailable(message) from error
