"""What `run` and `plan` do alike: ask what the event of a command line would start."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from trunkline.app import System
from trunkline.app.adapter_table import adapter
from trunkline.base.errors import UsageError
from trunkline.cli import arguments
from trunkline.cli.workflow_files import loader, workflow_files
from trunkline.plan.dispatch_inputs import HAND_STARTED
from trunkline.services import planning


def prospect(system: System, options: argparse.Namespace) -> planning.Prospect:
    """Return what the event of a command line would start. Raises TrunklineError."""
    from_file: Mapping[str, str] = adapter("dotenv")(arguments.dotenv_file(options, "input"))
    given = arguments.pairs(options.input, "--input K=V")
    if given and options.event not in HAND_STARTED:
        raise UsageError(
            f"{options.event} has no inputs: --input is for {' and '.join(sorted(HAND_STARTED))}",
            hint="`trunkline run workflow_dispatch --input K=V` starts by hand.",
        )
    request = planning.Request(
        event=options.event,
        payload=arguments.payload(options.eventpath),
        inputs={**from_file, **given},
        actor=options.actor,
        repository=options.repository,
        server_url=options.server_url,
        committed=options.committed,
        jobs=tuple(options.job),
        matrix=arguments.selection(options).matrix,
        variables=system.secrets.variables(),
    )
    facts = planning.repository_facts(system.forge, options.directory, request)
    root = facts.root or options.directory
    files = workflow_files(options.directory, root, options.workflows)
    return planning.prospect(system.forge, facts, files, request, loader(root), system.readers)
