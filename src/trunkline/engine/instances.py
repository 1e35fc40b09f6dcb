"""One use of a step, with what its pre, main and post stages share."""

from __future__ import annotations

import msgspec

from trunkline.engine.action_loader import Files, Loaded, Native
from trunkline.engine.scopes import Scope
from trunkline.expr.template import Expression
from trunkline.run.events import Conclusion
from trunkline.run.job_machine import Stage
from trunkline.workflow.model import (
    Action,
    DockerRuns,
    JavaScriptRuns,
    WorkStep,
)

ALWAYS = Expression("always()")


class Instance:
    """A step that does work, in its scope. `children` are a composite action's own steps."""

    def __init__(self, step: WorkStep, scope: Scope) -> None:
        self.step = step
        self.scope = scope
        self.loaded: Loaded | None = None
        self.state: dict[str, str] = {}
        self.children: list[Instance] = []
        self.inner: Scope | None = None
        self.wants_post = False
        self.name = ""

    def declares_pre(self) -> bool:
        """Tell whether the action names a pre stage of its own."""
        match self.loaded:
            case Files(action=Action(runs=JavaScriptRuns(pre=pre))):
                return bool(pre)
            case Files(action=Action(runs=DockerRuns(pre_entrypoint=pre))):
                return bool(pre)
            case _:
                return False

    def has_pre(self) -> bool:
        """Tell whether a pre stage must run (never for an action of the workspace)."""
        match self.loaded:
            case Files(local=False):
                return self.declares_pre() or any(child.has_pre() for child in self.children)
            case _:
                return False

    def condition(self, stage: Stage) -> Expression:
        """Return the `if` of a stage: the step's own, or the action's `pre-if` and `post-if`."""
        if stage is Stage.MAIN:
            return self.step.condition
        match self.loaded:
            case Native(action=action):
                return Expression(action.post_condition)
            case Files(action=Action(runs=JavaScriptRuns() | DockerRuns() as runs)):
                return runs.pre_condition if stage is Stage.PRE else runs.post_condition
            case _:
                return ALWAYS


class StepResult(msgspec.Struct, frozen=True):
    """How a stage of a step ended."""

    outcome: Conclusion
    conclusion: Conclusion
    outputs: dict[str, str]
    exit_code: int | None = None
