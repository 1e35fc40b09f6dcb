"""What the steps of one list share: the job's own steps, or those of a composite action."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from trunkline.expr.values import Value
from trunkline.run.events import Conclusion


class EnvironmentChange(msgspec.Struct, frozen=True):
    """A step's wish for the steps after it: a variable, or a folder in front of PATH."""

    name: str
    value: str


PATH_CHANGE = ""


class SharedEnvironment:
    """Variables and PATH folders that steps pass on.

    A background step works on a copy and its changes are merged when a wait covers it.
    """

    def __init__(self, variables: dict[str, str], paths: Iterable[str] = ()) -> None:
        self.variables = variables
        self.paths = list(paths)
        self.changes: list[EnvironmentChange] = []

    def set(self, name: str, value: str) -> None:
        """Set a variable for the steps that follow."""
        self.variables[name] = value
        self.changes.append(EnvironmentChange(name, value))

    def prepend(self, path: str) -> None:
        """Put a folder in front of PATH; one that is there already moves to the front."""
        if path in self.paths:
            self.paths.remove(path)
        self.paths.append(path)
        self.changes.append(EnvironmentChange(PATH_CHANGE, path))

    def copy(self) -> SharedEnvironment:
        """Return an independent copy with no changes of its own."""
        return SharedEnvironment(dict(self.variables), self.paths)

    def merge(self, other: SharedEnvironment) -> None:
        """Take over what a copy changed, in its order."""
        for change in other.changes:
            if change.name == PATH_CHANGE:
                self.prepend(change.value)
            else:
                self.set(change.name, change.value)


class Scope:
    """One list of steps: its `steps` context, its inputs, and the environment around it.

    `outer` is the environment of the step that called a composite action; `status` is what
    `success()` and `failure()` ask inside it (None in the job's own list: the job's status counts).
    """

    def __init__(
        self,
        shared: SharedEnvironment,
        *,
        inputs: dict[str, Value] | None = None,
        outer: dict[str, str] | None = None,
        action: ActionIdentity | None = None,
        depth: int = 0,
    ) -> None:
        self.shared = shared
        self.inputs = inputs
        self.outer = outer or {}
        self.action = action
        self.depth = depth
        self.steps: dict[str, Value] = {}
        self.status: Conclusion | None = Conclusion.SUCCESS if action is not None else None

    def record(
        self, step_id: str, outcome: Conclusion, conclusion: Conclusion, outputs: dict[str, str]
    ) -> None:
        """Put a finished step into the `steps` context; automatic ids (`__run`) stay out."""
        if step_id and not step_id.startswith("__"):
            self.steps[step_id] = {
                "outputs": dict(outputs),
                "outcome": outcome.value,
                "conclusion": conclusion.value,
            }


class ActionIdentity(msgspec.Struct, frozen=True):
    """Which action runs: `owner/name`, its ref, and its folder in the sandbox ('' where unknown)."""

    repository: str
    ref: str
    path: str
