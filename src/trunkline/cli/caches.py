"""`trunkline caches`: what jobs keep between runs, how large it is, and when it was used last."""

from __future__ import annotations

import argparse
import sys
from itertools import groupby

import msgspec

from trunkline import settings
from trunkline.app import System
from trunkline.base.errors import UsageError
from trunkline.base.words import counted, printable
from trunkline.cli.arguments import Help, RawHelp
from trunkline.cli.program import program
from trunkline.cli.times import ago
from trunkline.cli.views.summary import one_line, size
from trunkline.ports.caches import CacheEntry
from trunkline.services import machine_caches as service

EPILOG = """\
also:
  trunkline caches rm KEY... [--repository OWNER/NAME] [--ref REF]  delete some; --all: all of them
"""


def main(argv: list[str]) -> int:
    """List caches, or delete some; return 0. Raises TrunklineError."""
    removing = argv[:1] == ["rm"]
    options = _removing().parse_args(argv[1:]) if removing else _listing().parse_args(argv)
    system = System(settings.read())
    caches = system.caches
    whose = (options.repository, options.ref)
    if removing:
        keys = _keys(options) or [each.key for each in service.find(caches, "", *whose)]
        gone = list(service.remove(caches, keys, *whose))
        for each in gone:
            sys.stdout.write(f"deleted {printable(each.key)} of {printable(each.scope)}\n")
        sys.stdout.write(f"{_total(gone)} given back\n")
    else:
        found = service.find(caches, options.key, *whose)
        is_filtered = any((options.key, *whose))
        _list(found, system.clock.now(), is_filtered=is_filtered, as_json=options.json)
    return 0


def _keys(options: argparse.Namespace) -> list[str]:
    """Return the keys that were given, [] for all. Raises UsageError."""
    keys: list[str] = options.keys
    if bool(keys) == options.all:
        raise UsageError("Which caches?", hint="Give their keys, or --all.")
    return keys


def _listing() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trunkline caches",
        description="List the caches that jobs keep between runs on this machine.",
        epilog=EPILOG,
        formatter_class=RawHelp,
    )
    parser.add_argument(
        "key", nargs="?", default="", metavar="KEY", help="what keys begin with (default: all)"
    )
    _add_place(parser)
    parser.add_argument("--json", action="store_true", help="one JSON record a cache")
    return parser


def _removing() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trunkline caches rm",
        description="Delete caches; jobs that restore one now still can.",
        formatter_class=Help,
    )
    parser.add_argument("keys", nargs="*", metavar="KEY", help="a whole key")
    parser.add_argument("--all", action="store_true", help="all of them")
    _add_place(parser)
    return parser


def _add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--repository", default="", metavar="OWNER/NAME", help="of this repository alone"
    )
    parser.add_argument("--ref", default="", help="of this branch, tag or other ref alone")


def _list(found: tuple[CacheEntry, ...], now: float, *, is_filtered: bool, as_json: bool) -> None:
    if as_json:
        lines = [msgspec.json.encode(each).decode() for each in found]
    else:
        lines = _lines(found, now) if found else _none(is_filtered=is_filtered)
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _lines(found: tuple[CacheEntry, ...], now: float) -> list[str]:
    lines = []
    by_place = sorted(found, key=service.place)  # the newest of each stays first
    for (repository, ref), entries in groupby(by_place, service.place):
        lines.append(f"{one_line(repository)}  {one_line(ref)}")
        for each in entries:
            times = f"made {ago(now - each.created)}, used {ago(now - each.used)}"
            lines.append(f"  {printable(each.key)}  {size(each.size)}  {times}")
    closing = "What was not used for 7 days goes, and the longest unused beyond 10 GB."
    return [*lines, "", f"{_total(found)}. {closing}"]


def _total(entries: list[CacheEntry] | tuple[CacheEntry, ...]) -> str:
    count = counted(len(entries), "cache")
    return f"{count}, {size(sum(each.size for each in entries))}"


def _none(*, is_filtered: bool) -> list[str]:
    if is_filtered:
        return [f"No cache fits; `{program()} caches` lists all."]
    return [
        f"There are no caches yet. What jobs of `{program()} run` save",
        "(actions/cache, a `cache` of a setup action or a buildspec) is kept here.",
    ]
