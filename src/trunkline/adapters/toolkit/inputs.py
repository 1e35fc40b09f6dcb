"""Inputs of actions, read as GitHub's toolkit reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from trunkline.ports.actions import ActionCall, ActionFailed, ActionJob

_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False} | {
    "FALSE": False
}
_MAJOR = re.compile(r"(?:refs/tags/)?v?(\d+)(?:\.\d+){0,2}")


class Inputs:
    """What `with` says, over an action's defaults."""

    def __init__(self, call: ActionCall, defaults: Mapping[str, str]) -> None:
        """Read the call's inputs; `defaults` are those of `action.yml`, names in lower case."""
        self._values = {**defaults, **call.inputs}

    def text(self, name: str) -> str:
        """Return an input without the space around it, '' when it is not given."""
        return self._values.get(name, "").strip()

    def required(self, name: str) -> str:
        """Return an input that must be given. Raises ActionFailed."""
        value = self.text(name)
        if not value:
            raise ActionFailed(f"Input required and not supplied: {name}")
        return value

    def lines(self, name: str) -> list[str]:
        """Return an input's lines, the empty ones left out."""
        return [line.strip() for line in self.text(name).split("\n") if line.strip()]

    def boolean(self, name: str) -> bool:
        """Return a YAML boolean. Raises ActionFailed for anything else."""
        value = self.text(name)
        if value not in _BOOLEANS:
            raise ActionFailed(
                f'Input does not meet YAML 1.2 "Core Schema" specification: {name}\n'
                "Support boolean input list: `true | True | TRUE | false | False | FALSE`"
            )
        return _BOOLEANS[value]

    def flag(self, name: str) -> bool:
        """Return whether an input says `true`, in any case."""
        return self.text(name).upper() == "TRUE"


def warn_of_unsupported(call: ActionCall, job: ActionJob, reasons: Mapping[str, str]) -> None:
    """Warn of inputs that are given and have no effect here; `reasons` says why, by input."""
    for name, reason in reasons.items():
        if call.inputs.get(name, "").strip():
            job.annotate("warning", f"Input '{name}' has no effect here: {reason}")


def major_version(ref: str, oldest: int, newest: int) -> str:
    """Return the major version whose behaviour applies to `@ref` (`v4`), the newest when in doubt."""
    found = _MAJOR.fullmatch(ref)
    major = int(found[1]) if found else newest
    return f"v{min(max(major, oldest), newest)}"
