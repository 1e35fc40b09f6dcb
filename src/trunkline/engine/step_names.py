"""Names of steps that have none of their own."""

from __future__ import annotations

from trunkline.expr.written import written
from trunkline.workflow.model import RunStep, SessionStep, UsesStep, WorkStep


def default_name(step: WorkStep) -> str:
    """Return GitHub's name for a step without one: `Run <first line>` or `Run <uses>`."""
    match step:
        case UsesStep():
            return f"Run {step.uses.value}"
        case SessionStep(phase=phase):
            return phase or "Run commands"
        case RunStep(run=script):
            return f"Run {first_line(written(script))}"


def first_line(script: str) -> str:
    """Return a script's first line that holds anything."""
    lines = script.strip().splitlines()
    return lines[0] if lines else ""
