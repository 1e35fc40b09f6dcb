"""Which view shows a run."""

from __future__ import annotations

import sys
from functools import partial
from typing import Protocol

from trunkline.app import System, load
from trunkline.cli.views.plain import PlainView
from trunkline.cli.views.records import RecordsView
from trunkline.run.events import Record
from trunkline.services.durations import expected

# Loaded on a terminal only: what draws it takes long to load.
LIVE = "trunkline.cli.views.live:open_live"


class View(Protocol):
    """Shows a run while it goes on. Called from several threads."""

    def record(self, record: Record) -> None:
        """Take an event."""
        ...

    def lines(self, key: str, step: int, data: bytes) -> None:
        """Take whole masked lines of a step."""
        ...

    def close(self) -> None:
        """Show what is left to show. Raises BrokenPipeError when nobody reads."""
        ...


def open_view(style: str, system: System) -> View:
    """Return a view of standard output: `json`, `plain`, `quiet` (results only) or `live`."""
    out = sys.stdout
    match style:
        case "json":
            return RecordsView(out.buffer, system.clock)
        case "live":
            live: View = load(LIVE)(system.clock, system.logs, partial(expected, system.journals))
            return live
        case _:
            return PlainView(out.buffer, out.encoding, quiet=style == "quiet")
