"""What the engine's machine lends to native actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from trunkline.ports.artifacts import Artifacts
from trunkline.ports.buckets import Buckets
from trunkline.ports.caches import Caches
from trunkline.ports.clock import Clock
from trunkline.ports.forge import Forge
from trunkline.ports.parameters import Parameters
from trunkline.ports.toolchains import Toolchains


class World(NamedTuple):
    """Every native action is made with one of these; it takes what it needs.

    `source` is the root of the user's repository, `committed` leaves its uncommitted work out.
    `cache` is Trunkline's own cache folder; `environment` the caller's, where programs and their
    versions are looked for (its HOME and PATH; nothing of it is handed to jobs). `publish` says
    that what jobs push may leave this machine.
    """

    forge: Forge
    artifacts: Artifacts
    caches: Caches
    toolchains: Toolchains
    clock: Clock
    parameters: Callable[[], Parameters]
    buckets: Callable[[], Buckets]
    source: str
    cache: str
    environment: Mapping[str, str]
    committed: bool = False
    offline: bool = False
    publish: bool = False
