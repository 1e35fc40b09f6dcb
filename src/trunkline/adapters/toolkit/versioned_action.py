"""What native actions that stand in for published ones have in common."""

from __future__ import annotations

from typing import ClassVar

from trunkline.adapters.toolkit.inputs import major_version
from trunkline.adapters.toolkit.world import World
from trunkline.ports.actions import ActionCall, ActionJob


class VersionedAction:
    """Behaves as the published action's major versions `oldest` to `newest` do."""

    oldest: ClassVar[int]
    newest: ClassVar[int]
    has_post = False
    post_condition = "always()"

    def __init__(self, world: World) -> None:
        """Take from `world` what the action needs."""
        self._world = world

    def describe(self, ref: str) -> str:
        """Return the major version whose behaviour applies."""
        return major_version(ref, self.oldest, self.newest)

    def post(self, call: ActionCall, job: ActionJob) -> None:
        """Nothing to do."""
