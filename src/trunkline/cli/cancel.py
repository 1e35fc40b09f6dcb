"""`trunkline cancel RUN`: ask a run that goes on to stop."""

from __future__ import annotations

import os
import signal
import sys

from trunkline import settings
from trunkline.app import System
from trunkline.base.errors import NotFound
from trunkline.cli.arguments import add_run, verb_parser
from trunkline.services import runs as service


def main(argv: list[str]) -> int:
    """Cancel a run as Ctrl-C in its terminal would; return 0."""
    parser = verb_parser("cancel", "Cancel a run that is going on.")
    add_run(parser)
    options = parser.parse_args(argv)
    journals = System(settings.read()).journals
    run_id = service.resolve(journals, options.run)
    process = journals.open(run_id).writer()
    if process is None:
        raise NotFound(
            f"Run {run_id} is not going on.", hint="`trunkline runs` tells how runs ended."
        )
    os.kill(process, signal.SIGTERM)
    sys.stdout.write(f"asked run {run_id} to stop\n")
    return 0
