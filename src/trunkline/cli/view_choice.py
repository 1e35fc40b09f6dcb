"""Which view shows a run."""

from __future__ import annotations

import os
import sys
from typing import Protocol

from trunkline.app import System
from trunkline.app.adapter_table import load
from trunkline.run.events import Record

# A view is loaded when it is wanted: rich costs more than a whole one-step run.
VIEWS = {
    "live": "trunkline.cli.views.live:open_live",
    "plain": "trunkline.cli.views.plain:PlainView",
    "records": "trunkline.cli.views.records:RecordsView",
}

EXPECTED = "trunkline.services.durations:expected"


class View(Protocol):
    """Shows a run while it goes on. Called from several threads."""

    def record(self, record: Record) -> None:
        """Take an event."""
        ...

    def lines(self, key: str, step: int, data: bytes) -> None:
        """Take whole masked lines of a step."""
        ...

    def close(self) -> None:
        """Show what is left to show.

        Raises BrokenPipeError when nobody reads any more, Unavailable when something was not written.
        """
        ...


def open_view(style: str, system: System) -> View:
    """Return a view of standard output: `live`, `plain`, `quiet` or `json`."""
    out = sys.stdout.buffer
    found: View
    match style:
        case "live" if os.environ.get("TERM", "dumb") != "dumb":
            found = load(VIEWS["live"])(
                system.clock,
                system.logs,
                lambda run_id: load(EXPECTED)(system.journals, run_id),
            )
        case "json":
            found = load(VIEWS["records"])(out, system.clock)
        case _:
            found = load(VIEWS["plain"])(
                out, sys.stdout.encoding, quiet=style == "quiet", abreast=system.choices.pauses
            )
    return found
