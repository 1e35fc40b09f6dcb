"""`trunkline runs`: the runs of this machine."""

from __future__ import annotations

import sys

import msgspec

from trunkline import settings
from trunkline.app import System
from trunkline.base.words import printable
from trunkline.cli.arguments import verb_parser
from trunkline.cli.times import ago, duration
from trunkline.services import runs as service


def main(argv: list[str]) -> int:
    """List the newest runs; return 0."""
    parser = verb_parser("runs", "List the runs of this machine.")
    parser.add_argument(
        "-n", "--limit", type=int, default=20, metavar="N", help="how many (default: 20; 0: all)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON record a run")
    options = parser.parse_args(argv)
    system = System(settings.read())
    found = list(service.listed(system.journals, options.limit))
    if options.json:
        for run in found:
            sys.stdout.write(msgspec.json.encode(run).decode() + "\n")
        return 0
    if not found:
        sys.stdout.write("There are no runs yet; `trunkline run` makes one.\n")
    now = system.clock.now()
    for run in found:
        end = run.ended or now
        spent = duration(end - run.started) if run.started and not run.is_torn else ""
        state = run.conclusion or ("killed" if run.is_torn else "running")
        sys.stdout.write(
            f"{run.run_id}  {state:<9}  {ago(now - run.started):>8}  "
            f"{spent:>7}  {run.event:<12}  {run.repository}  {printable(run.workflow)}"
            f"  {printable(run.name)}\n"
        )
    return 0
