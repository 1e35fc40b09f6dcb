"""Steps that stand for a whole build: `aws-actions/aws-codebuild-run-build`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from trunkline.workflow.model import Action, UsesStep

RUN_BUILD = "aws-actions/aws-codebuild-run-build"
BuildAction = Callable[[UsesStep, Callable[[str], bytes | None]], Action]


class Builds:
    """Makes an action of the buildspec that a step names, in the user's repository."""

    def __init__(self, directory: str, find: Callable[[], BuildAction]) -> None:
        """Take the repository's folder; `find` loads what reads buildspecs."""
        self._directory = directory
        self._find = find

    def expand(self, step: UsesStep) -> Action | None:
        """Return the action of such a step, None of any other. Raises ActionUnavailable."""
        if step.uses.value.partition("@")[0].lower() != RUN_BUILD:
            return None
        return self._find()(step, self._load)

    def _load(self, path: str) -> bytes | None:
        """Return a file of the repository; one that lies outside is none of it."""
        root = Path(self._directory).resolve()
        file = (root / path).resolve()
        return file.read_bytes() if file.is_relative_to(root) and file.is_file() else None
