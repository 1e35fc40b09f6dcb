"""Steps that stand for a whole build: `aws-actions/aws-codebuild-run-build`."""

from __future__ import annotations

from pathlib import Path

from trunkline.document.limits import MOST_BYTES
from trunkline.plan.codebuild_action import build_action
from trunkline.workflow.model import Action, UsesStep


def action_of_build(directory: str, step: UsesStep) -> Action:
    """Return the action of the buildspec that a step names, in the repository at `directory`.

    Raises ActionUnavailable.
    """
    root = Path(directory).resolve()

    def load(path: str) -> bytes | None:
        """Return a file of the repository; one that lies outside is none of it."""
        file = (root / path).resolve()
        if not file.is_relative_to(root) or not file.is_file():
            return None
        with file.open("rb") as opened:
            return opened.read(MOST_BYTES)

    return build_action(step, load)
