"""`trunkline artifacts`: what runs kept, how large it is, and how to have it."""

from __future__ import annotations

import argparse
import sys
from itertools import groupby

import msgspec

from trunkline import settings
from trunkline.app import System
from trunkline.base.words import counted, printable
from trunkline.cli.arguments import Help, RawHelp
from trunkline.cli.artifact_files import put
from trunkline.cli.program import program
from trunkline.cli.times import MINUTE, ago
from trunkline.cli.views.summary import one_line, size
from trunkline.ports.artifacts import Artifacts
from trunkline.services.run_artifacts import KeptArtifact, RunArtifacts

EPILOG = """\
also, each with --help:
  trunkline artifacts download NAME [--run RUN] [--dir DIR]  have the files of one
  trunkline artifacts rm NAME... [--run RUN]                 delete some
"""
OF_RUN = "of this run alone (an id, its last digits, or latest)"


def main(argv: list[str]) -> int:
    """List artifacts, download one, or delete some; return 0. Raises TrunklineError."""
    verb = argv[0] if argv and argv[0] in {"download", "rm"} else ""
    options = _parser(verb).parse_args(argv[1:] if verb else argv)
    system = System(settings.read())
    store = system.artifacts
    kept = RunArtifacts(store, system.journals)
    if verb == "download":
        _download(store, kept.one(options.name, options.run), options.dir)
    elif verb == "rm":
        for gone in kept.remove(options.names, options.run):
            sys.stdout.write(f"deleted {printable(gone.name)} of run {gone.run_id}\n")
    else:
        _list(kept.find(options.name, options.run), options, system.clock.now())
    return 0


def _parser(verb: str) -> argparse.ArgumentParser:
    makers = {"": _listing, "download": _downloading, "rm": _removing}
    parser = makers[verb]()
    parser.add_argument("--run", default="", help=OF_RUN)
    return parser


def _listing() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trunkline artifacts",
        description="List the artifacts that runs kept on this machine.",
        epilog=EPILOG,
        formatter_class=RawHelp,
    )
    parser.add_argument("name", nargs="?", default="", metavar="NAME", help="default: all")
    parser.add_argument("--json", action="store_true", help="one JSON record an artifact")
    return parser


def _downloading() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trunkline artifacts download",
        description="Have the files of an artifact: in a folder of its name, or in DIR.",
        formatter_class=Help,
    )
    parser.add_argument("name", metavar="NAME", help="its name")
    parser.add_argument("--dir", default="", metavar="DIR", help="a folder that is new, or empty")
    return parser


def _removing() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trunkline artifacts rm",
        description="Delete artifacts that runs kept on this machine.",
        formatter_class=Help,
    )
    parser.add_argument("names", nargs="+", metavar="NAME", help="its name")
    return parser


def _download(store: Artifacts, artifact: KeptArtifact, folder: str) -> None:
    place = put(store, artifact, folder)
    files = counted(artifact.files, "file")
    sys.stdout.write(f"{printable(artifact.name)} of run {artifact.run_id}: {files} in {place}\n")


def _list(found: tuple[KeptArtifact, ...], options: argparse.Namespace, now: float) -> None:
    if options.json:
        lines = [msgspec.json.encode(each).decode() for each in found]
    else:
        lines = _lines(found, now) if found else _none(options.run)
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _lines(found: tuple[KeptArtifact, ...], now: float) -> list[str]:
    lines = []
    for run_id, kept in groupby(found, lambda each: each.run_id):
        artifacts = list(kept)
        run = artifacts[0]
        lines.append(f"{run_id}  {one_line(run.workflow)} #{run.number}, {one_line(run.ref)}")
        for each in artifacts:
            files = counted(each.files, "file")
            lines += [
                f"  {one_line(each.name)}  {size(each.size)}, {files}  {_when(each, now)}",
                f"      {each.digest}",
                f"      {printable(each.path)}",
            ]
    total = size(sum(each.size for each in found))
    count = counted(len(found), "artifact")
    one = f"{printable(found[0].name)} --run {found[0].run_id}"
    return [*lines, "", f"{count}: {total}", f"To have one: `{program()} artifacts download {one}`"]


def _when(artifact: KeptArtifact, now: float) -> str:
    made = ago(now - artifact.created)
    if not artifact.expires:
        return made
    # A moment after it was made it has as many days as were asked for.
    left = ago(artifact.expires - now + MINUTE).removesuffix(" ago")
    return f"{made}, goes in {left}"


def _none(run: str) -> list[str]:
    if run:
        return [f"This run kept no artifacts; `{program()} artifacts` lists those of all."]
    return [
        f"There are no artifacts yet. What jobs of `{program()} run` upload",
        "(actions/upload-artifact) is kept here, as long as its run.",
    ]
