"""How a file of text becomes a model: what `parse` and `parse_action` do, or what remembers them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

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


class ReadBuildspec(Protocol):
    """Reads a buildspec, and those it names (`trunkline.plan.buildspec_file`)."""

    def __call__(
        self, text: str, file: str, load: Callable[[str], bytes | None]
    ) -> tuple[Workflow | None, tuple[Diagnostic, ...]]:
        """Return the workflow that the buildspec stands for, None with an error in it."""
        ...


class Readers(msgspec.Struct, frozen=True):
    """What reads the kinds of pipeline files."""

    workflow: ReadWorkflow
    buildspec: ReadBuildspec


class ReadAction(Protocol):
    """Reads an `action.yml` (`trunkline.workflow.action`)."""

    def __call__(
        self, text: str, file: str, *, limits: Limits = GITHUB
    ) -> tuple[Action | None, tuple[Diagnostic, ...]]:
        """Return the action in `text`, None with an error among what is wrong with it."""
        ...
