"""How a file of text becomes a model: what `parse` and `parse_action` do, or what remembers them."""

from __future__ import annotations

from typing import Protocol

from trunkline.base.diagnostics import Diagnostic
from trunkline.document.limits import GITHUB, Limits
from trunkline.workflow.model import Action, Workflow


class ReadWorkflow(Protocol):
    """Reads a workflow file (`trunkline.workflow.parse`)."""

    def __call__(
        self, text: str, file: str, *, limits: Limits = GITHUB
    ) -> tuple[Workflow | None, tuple[Diagnostic, ...]]:
        """Return the workflow in `text`, None with an error among what is wrong with it."""
        ...


class ReadAction(Protocol):
    """Reads an `action.yml` (`trunkline.workflow.action`)."""

    def __call__(
        self, text: str, file: str, *, limits: Limits = GITHUB
    ) -> tuple[Action | None, tuple[Diagnostic, ...]]:
        """Return the action in `text`, None with an error among what is wrong with it."""
        ...
