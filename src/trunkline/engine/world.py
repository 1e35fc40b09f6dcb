"""What jobs work with: every port, and what the whole run is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from trunkline.engine.action_loader import Sources
from trunkline.engine.job_context import Digest
from trunkline.engine.push_evidence import MakeEvidence
from trunkline.engine.services_access import NoServices
from trunkline.engine.step_runner import FindHandler
from trunkline.ports.actions import NativeAction, NativeActions
from trunkline.ports.clock import Clock, Ids
from trunkline.ports.job_services import JobServices
from trunkline.ports.logs import LogStore
from trunkline.ports.sandbox import Sandboxes
from trunkline.ports.secrets import Secrets
from trunkline.ports.toolchains import Toolchains
from trunkline.run.matchers import Compile

# Called with a job's key, a step's number and whole masked lines.
Listener = Callable[[str, int, bytes], None]


class NoSetUps:
    """Nothing fills the tool cache."""

    def find(self, repository: str) -> NativeAction | None:
        """Return nothing for any."""
        del repository
        return None


class World(msgspec.Struct, frozen=True):
    """The ports that jobs need.

    `pass_env` names variables of the caller that jobs may see; `env` is the outermost layer of
    every job's `env` (`--env`, `.env`). `handler` finds what carries out a kind of step: kinds are
    loaded with the first step that is one. `set_ups` are native actions that fill the tool cache for
    the files of real ones. `dirty`: jobs see uncommitted work of the repository.
    """

    sandboxes: Sandboxes
    logs: LogStore
    secrets: Secrets
    clock: Clock
    ids: Ids
    sources: Sources
    toolchains: Toolchains
    compile_pattern: Compile
    digest: Digest
    evidence: MakeEvidence
    handler: FindHandler
    listen: Listener | None = None
    pass_env: tuple[str, ...] = ()
    env: Mapping[str, str] = {}
    dirty: bool = False
    services: JobServices = NoServices()
    set_ups: NativeActions = NoSetUps()
