"""`trunkline plan [EVENT]`: what would run and why, what would not and why not."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Mapping

import msgspec

from trunkline import settings
from trunkline.app import System
from trunkline.cli import arguments
from trunkline.cli.choices import choices
from trunkline.cli.program import program
from trunkline.cli.prospects import prospect
from trunkline.plan.forecast import Choices, RunForecast
from trunkline.services import planning
from trunkline.services.forecasts import forecasts
from trunkline.services.plan_drawings import dot, mermaid, svg
from trunkline.services.plan_graph import graph
from trunkline.services.plan_record import record
from trunkline.services.plan_tree import tree

WRONG = 2
NO_DIRECTORY = "."
# What a run is to be told as well; secrets are left out, which nobody wants printed.
REPEATED = {
    "directory": "-C",
    "workflows": "-W",
    "eventpath": "-e",
    "input": "--input",
    "input_file": "--input-file",
    "actor": "-a",
    "repository": "--repository",
    "server_url": "--server-url",
    "local_repository": "--local-repository",
    "job": "-j",
    "matrix": "--matrix",
    "platform": "-P",
    "env": "--env",
    "env_file": "--env-file",
    "var": "--var",
    "var_file": "--var-file",
    "secret_file": "--secret-file",
}
DRAWINGS = {"dot": dot, "mermaid": mermaid, "svg": svg}


def main(argv: list[str]) -> int:
    """Print the plan; return 2 when a workflow file is wrong, else 0. Raises TrunklineError."""
    return show(_parser().parse_args(argv))


def show(options: argparse.Namespace) -> int:
    """Print the plan that parsed options ask for; `trunkline run --dryrun` comes here too."""
    picked = arguments.selection(options)
    system = System(settings.read(), choices(options))
    found = prospect(system, options)
    variables = system.secrets.variables()
    asked = Choices(
        jobs=picked.jobs,
        matrix=picked.matrix,
        platforms=picked.platforms,
        architecture=system.settings.architecture,
    )
    runs = forecasts(found, asked, variables)
    sys.stdout.write(_shown(options, found, runs, variables))
    return WRONG if found.errors else 0


def _parser() -> argparse.ArgumentParser:
    parser = arguments.verb_parser(
        "plan", "Show what would run and why, what would not and why not."
    )
    arguments.add_event(parser)
    arguments.add_repository(parser)
    arguments.add_selection(parser)
    arguments.add_values(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON document")
    form.add_argument("--format", choices=["tree", *DRAWINGS], default="tree", help="default: tree")
    return parser


def _shown(
    options: argparse.Namespace,
    found: planning.Prospect,
    runs: Mapping[str, RunForecast],
    variables: Mapping[str, str],
) -> str:
    if options.json:
        return msgspec.json.encode(record(found, runs, variables)).decode() + "\n"
    if options.format in DRAWINGS:
        return DRAWINGS[options.format](graph(found, runs))
    return tree(found, runs, variables, _command(options))


def _command(options: argparse.Namespace) -> str:
    """Return the command that runs what was planned, as it is typed."""
    words = [program(), "run", options.event]
    for name, option in REPEATED.items():
        value = getattr(options, name)
        for given in value if isinstance(value, list) else [value]:
            if given not in {None, "", NO_DIRECTORY}:
                words += [option, given]
    words += [f"--{name}" for name in ("offline", "committed") if getattr(options, name)]
    return shlex.join(words)
