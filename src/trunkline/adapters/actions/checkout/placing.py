"""Which way a checkout is put in place."""

from __future__ import annotations

from collections.abc import Callable

from trunkline.adapters.actions.checkout.copied import place_copy
from trunkline.adapters.actions.checkout.place import Placed, place
from trunkline.adapters.actions.checkout.settings import Settings
from trunkline.adapters.actions.checkout.source import Source
from trunkline.ports.actions import ActionJob


def placing(job: ActionJob) -> Callable[[Source, Settings, str, ActionJob], Placed]:
    """Return how: on the source's own objects where the job sees them, else as a copy."""
    return place if job.layout.host_paths else place_copy
