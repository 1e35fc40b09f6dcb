"""`trunkline plan [EVENT]`: what would run and why, what would not and why not."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping

import msgspec

from trunkline import settings
from trunkline.app import Choices as SystemChoices
from trunkline.app import System, adapter
from trunkline.cli import arguments
from trunkline.cli.workflow_files import loader, workflow_files
from trunkline.plan.forecast import Choices, RunForecast
from trunkline.services import planning
from trunkline.services.forecasts import forecasts
from trunkline.services.plan_drawings import dot, mermaid, svg
from trunkline.services.plan_graph import graph
from trunkline.services.plan_record import record
from trunkline.services.plan_tree import tree

WRONG = 2
DRAWINGS = {"dot": dot, "mermaid": mermaid, "svg": svg}


def main(argv: list[str]) -> int:
    """Print the plan; return 2 when a workflow file is wrong, else 0. Raises TrunklineError."""
    return show(_parser().parse_args(argv))


def show(options: argparse.Namespace) -> int:
    """Print the plan that parsed options ask for; `trunkline run --dryrun` comes here too."""
    picked = arguments.selection(options)
    system = System(
        settings.read(),
        SystemChoices(
            directory=arguments.repository_root(options.directory),
            offline=options.offline,
            committed=options.committed,
            local_repositories=arguments.pairs(
                options.local_repository, "--local-repository SPEC=DIR"
            ),
            variables=arguments.pairs(options.var, "--var K=V"),
            variable_file=arguments.dotenv_file(options, "var"),
        ),
    )
    variables = system.secrets.variables()
    request = planning.Request(
        event=options.event,
        payload=arguments.payload(options.eventpath),
        inputs=_inputs(options),
        actor=options.actor,
        repository=options.repository,
        server_url=options.server_url,
        committed=options.committed,
        jobs=picked.jobs,
        variables=variables,
    )
    facts = planning.repository_facts(system.forge, options.directory, request)
    root = facts.root or options.directory
    files = workflow_files(options.directory, root, options.workflows)
    found = planning.prospect(system.forge, facts, files, request, loader(root), system.readers)
    choices = Choices(
        jobs=picked.jobs,
        matrix=picked.matrix,
        platforms=picked.platforms,
        architecture=system.settings.architecture,
    )
    runs = forecasts(found, choices, variables)
    sys.stdout.write(_shown(options, found, runs, variables))
    return WRONG if found.errors else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trunkline plan",
        formatter_class=arguments.Help,
        description="Show what would run and why, what would not and why not.",
    )
    arguments.add_event(parser)
    arguments.add_repository(parser)
    arguments.add_selection(parser)
    arguments.add_values(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON document")
    form.add_argument("--format", choices=["tree", *DRAWINGS], default="tree", help="default: tree")
    return parser


def _inputs(options: argparse.Namespace) -> dict[str, str]:
    from_file: Mapping[str, str] = adapter("dotenv")(arguments.dotenv_file(options, "input"))
    return {**from_file, **arguments.pairs(options.input, "--input K=V")}


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
    return tree(found, runs, variables)
