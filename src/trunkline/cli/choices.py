"""What `run` and `plan` choose alike for the system."""

from __future__ import annotations

import argparse

from trunkline.app import Choices
from trunkline.cli import arguments


def choices(options: argparse.Namespace) -> Choices:
    """Return what a command line says of the repository and its variables.

    Raises NotFound, UsageError.
    """
    return Choices(
        directory=arguments.repository_root(options.directory),
        offline=options.offline,
        committed=options.committed,
        local_repositories=arguments.pairs(options.local_repository, "--local-repository SPEC=DIR"),
        variables=arguments.pairs(options.var, "--var K=V"),
        variable_file=arguments.dotenv_file(options, "var"),
    )
