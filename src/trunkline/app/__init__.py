"""The composition root: Settings -> a running system. Only here are concrete adapters named."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from trunkline.engine.action_loader import Sources
from trunkline.engine.job_worker import World
from trunkline.ports.actions import NativeActions
from trunkline.ports.clock import Clock, Ids
from trunkline.ports.forge import Forge
from trunkline.ports.gate import Gate
from trunkline.ports.journal import Journals
from trunkline.ports.logs import LogStore
from trunkline.ports.sandbox import Sandboxes
from trunkline.ports.secrets import Secrets
from trunkline.ports.toolchains import Toolchains
from trunkline.settings import Settings

# Adapters are imported on first use: a one-step run must load little.
ADAPTERS = {
    "clock": "trunkline.adapters.clock:SystemClock",
    "ids": "trunkline.adapters.clock:SystemIds",
    "journals": "trunkline.adapters.journals.files:FileJournals",
    "logs": "trunkline.adapters.logs.files:FileLogStore",
    "sandboxes": "trunkline.adapters.sandboxes.host.sandbox:HostSandboxes",
    "gate": "trunkline.adapters.gates.files:FileGate",
    "secrets": "trunkline.adapters.secrets.files:FileSecrets",
    "blobs": "trunkline.adapters.blobs.files:FileBlobs",
    "forge": "trunkline.adapters.forges.git:GitForge",
    "toolchains": "trunkline.adapters.toolchains.node:NodeToolchains",
    "natives": "trunkline.adapters.actions.registry:NativeRegistry",
    "natives-world": "trunkline.adapters.toolkit.world:World",
    "artifacts": "trunkline.adapters.artifacts.folder:FolderArtifacts",
    "caches": "trunkline.adapters.caches.folder:FolderCaches",
    "dotenv": "trunkline.adapters.dotenv:read",
    "given": "trunkline.adapters.secrets.files:Given",
    "subreaper": "trunkline.adapters.sandboxes.host.subreaper:become_subreaper",
}


def adapter(name: str) -> Any:
    """Return the factory of the adapter table's entry `name`."""
    module, _, factory = ADAPTERS[name].partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), factory)
    return found


class Choices(NamedTuple):
    """What a command line chose for the system."""

    directory: str = "."
    offline: bool = False
    native: bool = True
    committed: bool = False
    local_repositories: Mapping[str, str] = {}
    pass_env: tuple[str, ...] = ()


class System:
    """A running system; each part is made when it is first asked for."""

    def __init__(self, settings: Settings, choices: Choices = Choices()) -> None:
        self.settings = settings
        self.choices = choices

    @cached_property
    def clock(self) -> Clock:
        """Return the machine's clock."""
        found: Clock = adapter("clock")()
        return found

    @cached_property
    def ids(self) -> Ids:
        """Return the maker of names."""
        found: Ids = adapter("ids")()
        return found

    @cached_property
    def journals(self) -> Journals:
        """Return the runs of this machine."""
        found: Journals = adapter("journals")(str(self.settings.state), self.clock)
        return found

    @cached_property
    def logs(self) -> LogStore:
        """Return the log lines of this machine's runs."""
        found: LogStore = adapter("logs")(str(self.settings.state))
        return found

    @cached_property
    def forge(self) -> Forge:
        """Return the reader of repositories."""
        found: Forge = adapter("forge")(
            self.settings.cache,
            self.choices.local_repositories,
            offline=self.choices.offline,
        )
        return found
