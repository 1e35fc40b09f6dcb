"""`trunkline run [EVENT]`: run what an event starts in this repository, on this machine."""

from __future__ import annotations

import argparse
import sys

from msgspec.structs import replace

from trunkline import settings
from trunkline.app import System
from trunkline.app.adapter_table import adapter
from trunkline.base.errors import UsageError
from trunkline.cli import arguments
from trunkline.cli.choices import choices
from trunkline.cli.main import load

# What performs runs is loaded while git looks at the repository.
RUN_EVENT = "trunkline.cli.run_event:run_event"
DRY_RUN = "trunkline.cli.plan:show"
ASK_SECRET = "getpass:getpass"  # noqa: S105 - where it is


def main(argv: list[str]) -> int:
    """Run the event; return the worst exit code of its runs. Raises TrunklineError."""
    options = _parser().parse_args(argv)
    if options.dryrun:
        return _dry_run(options)
    system = _system(options)
    try:
        system.look_at(options.directory)
        code: int = load(RUN_EVENT)(system, options)
        return code
    finally:
        system.close()


def _parser() -> argparse.ArgumentParser:
    parser = arguments.verb_parser(
        "run", "Run what an event starts in this repository, on this machine."
    )
    arguments.add_event(parser)
    arguments.add_repository(parser)
    arguments.add_selection(parser)
    arguments.add_values(parser)
    parser.add_argument(
        "--native",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="built-in implementations of well-known actions (default: on)",
    )
    parser.add_argument(
        "--max-parallel", type=_count, metavar="N", help="jobs at once (default: cores)"
    )
    parser.add_argument(
        "--pass-env",
        action="append",
        default=[],
        metavar="NAME",
        help="let jobs see this variable of yours (repeatable)",
    )
    parser.add_argument(
        "--publish",
        action="store_true",
        help="let images be pushed to the registries that they name, artifacts of builds to their "
        "buckets, and what jobs write to GitHub with your GITHUB_TOKEN",
    )
    parser.add_argument(
        "--network-policy",
        choices=("none", "registry", "open"),
        help="what containers of jobs reach besides each other (default: open): nothing, the "
        "local registry, or everything",
    )
    parser.add_argument(
        "--pause-on-failure",
        action="store_true",
        help="open a shell in the place of a step that failed, then go on (implies --plain)",
    )
    parser.add_argument(
        "-n", "--dryrun", action="store_true", help="show what would run, run nothing"
    )
    _add_views(parser)
    return parser


def _add_views(parser: argparse.ArgumentParser) -> None:
    """Let the user choose how a run is shown."""
    parser.add_argument(
        "--json", action="store_true", help="one JSON record a line: events and log lines"
    )
    parser.add_argument("--plain", action="store_true", help="plain lines, also on a terminal")
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="tell what was not started, too"
    )
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="results only, no output of jobs"
    )


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of jobs")
    return int(text)


def _system(options: argparse.Namespace) -> System:
    found = settings.read()
    given, to_ask = arguments.secrets(options.secret, found.environment)
    for name in to_ask:
        given[name] = _ask(name)
    dotenv = adapter("dotenv")
    env = {
        **dotenv(arguments.dotenv_file(options, "env")),
        **arguments.pairs(options.env, "--env K=V"),
    }
    return System(
        found,
        replace(
            choices(options),
            native=options.native,
            pass_env=tuple(options.pass_env),
            publish=options.publish,
            pauses=options.pause_on_failure,
            network_policy=options.network_policy or found.network_policy,
            secrets=given,
            env=env,
            secret_file=arguments.dotenv_file(options, "secret"),
        ),
    )


def _ask(name: str) -> str:
    if not sys.stdin.isatty():
        raise UsageError(
            f"The secret {name} is not in the environment.",
            hint=f"Give it as -s {name}=VALUE, in the environment, or in .secrets.",
        )
    secret: str = load(ASK_SECRET)(f"{name}: ")
    return secret


def _dry_run(options: argparse.Namespace) -> int:
    options.format = "tree"
    shown: int = load(DRY_RUN)(options)
    return shown
