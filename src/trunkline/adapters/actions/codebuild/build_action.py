"""What the steps that a buildspec is lowered to have in common."""

from __future__ import annotations

from trunkline.adapters.toolkit.world import World
from trunkline.ports.actions import ActionCall, ActionJob


class BuildAction:
    """A native action without versions and without a post stage."""

    has_post = False
    post_condition = "always()"

    def __init__(self, world: World) -> None:
        """Take from `world` what the step needs."""
        self._world = world

    def describe(self, ref: str) -> str:
        """Return the version of CodeBuild's rules."""
        del ref
        return "CodeBuild"

    def post(self, call: ActionCall, job: ActionJob) -> None:
        """Nothing to do."""
