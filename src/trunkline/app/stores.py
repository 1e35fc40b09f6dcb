"""Where this machine keeps what jobs leave for later: artifacts of runs, and caches."""

from __future__ import annotations

from trunkline.app import System
from trunkline.app.adapter_table import adapter
from trunkline.ports.artifacts import Artifacts
from trunkline.ports.caches import Caches


def artifacts(system: System) -> Artifacts:
    """Return the artifacts of this machine's runs."""
    folder = f"{system.settings.state}/runs"
    found: Artifacts = adapter("artifacts")(folder, system.clock, system.ids)
    return found


def caches(system: System) -> Caches:
    """Return the caches of this machine."""
    folder = f"{system.settings.state}/caches"
    found: Caches = adapter("caches")(folder, system.clock, system.ids)
    return found
