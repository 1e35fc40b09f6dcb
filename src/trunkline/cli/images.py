"""`trunkline images`: what runs pushed on this machine, how large it is, and where it came from."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import msgspec

from trunkline import settings
from trunkline.app import System
from trunkline.app import registry as composed
from trunkline.base.words import counted
from trunkline.cli.arguments import Help, RawHelp
from trunkline.cli.program import program
from trunkline.cli.registry_options import DEFAULT, add_store, existing_store
from trunkline.cli.times import ago
from trunkline.cli.views.summary import one_line, size
from trunkline.oci.built import Built
from trunkline.services import images as service
from trunkline.services import runs
from trunkline.services.images import Filter, Image
from trunkline.services.registry.images import Usage, usage
from trunkline.services.registry.registry import Registry

SHORT = 12
EPILOG = """\
also:
  trunkline images rm NAME:TAG...  delete images
  trunkline registry gc            give back what no image needs
"""


def main(argv: list[str]) -> int:
    """List images, or delete some; return 0. Raises TrunklineError."""
    removing = argv[:1] == ["rm"]
    options = _removing().parse_args(argv[1:]) if removing else _listing().parse_args(argv)
    system = System(settings.read())
    try:
        registry = composed.registry(system, existing_store(options))
        if removing:
            _remove(registry, options.names)
        else:
            _list(system, registry, options)
    finally:
        system.close()
    return 0


def _listing() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trunkline images",
        description="List the images of this machine's registry, and where each came from.",
        epilog=EPILOG,
        formatter_class=RawHelp,
    )
    parser.add_argument(
        "name",
        nargs="?",
        default="",
        metavar="NAME[:TAG|@DIGEST]",
        help="a repository, or one image of it (default: all)",
    )
    parser.add_argument(
        "--run", default="", help="what this run pushed (an id, or its last digits)"
    )
    parser.add_argument("--commit", default="", metavar="SHA", help="what was built from a commit")
    add_store(parser)
    parser.add_argument(
        "--published", action="store_true", help="what runs pushed elsewhere (`run --publish`)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON record a tag")
    return parser


def _removing() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trunkline images rm",
        description="Delete images of this machine's registry.",
        formatter_class=Help,
    )
    parser.add_argument(
        "names",
        nargs="+",
        metavar="NAME:TAG|NAME@DIGEST",
        help="a tag alone, or by its digest an image with all its tags",
    )
    add_store(parser)
    return parser


def _remove(registry: Registry, names: list[str]) -> None:
    for gone in service.remove(registry, names):
        mark = f"@{gone.digest}" if gone.digest else f":{gone.tag}"
        sys.stdout.write(f"deleted {gone.repository}{mark}\n")
    sys.stdout.write(f"`{program()} registry gc` gives back what nothing else needs\n")


def _list(system: System, registry: Registry, options: argparse.Namespace) -> None:
    run = runs.resolve(system.journals, options.run) if options.run else ""
    which = Filter(name=options.name, run=run, commit=options.commit.lower())
    now = system.clock.now()
    if options.published:
        builds = service.published(registry, which)
        lines = _published(builds, now)
        _tell(builds, lines, as_json=options.json)
        return
    found = service.find(registry, which)
    listed = service.grouped(found)
    lines = _lines(listed, now)
    if which == Filter() or not listed:
        lines += _closing(usage(registry), listed, is_filtered=which != Filter())
    _tell(found, lines, as_json=options.json)


def _tell(records: Sequence[msgspec.Struct], lines: list[str], *, as_json: bool) -> None:
    if as_json:
        lines = [msgspec.json.encode(record).decode() for record in records]
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _lines(listed: tuple[Image, ...], now: float) -> list[str]:
    lines: list[str] = []
    repository = ""
    for image in listed:
        if image.repository != repository:
            repository = image.repository
            lines.append(repository)
        tags = ", ".join(image.tags) or "untagged"
        alone = f", {size(image.unique)} of it alone" if image.unique != image.size else ""
        lines.append(f"  {tags}  {size(image.size)}{alone}  {ago(now - image.pushed)}")
        lines += [f"      {line}" for line in (image.digest, *_origin(image.built))]
    return lines


def _published(builds: Sequence[Built], now: float) -> list[str]:
    lines: list[str] = []
    for built in builds:
        tags = ", ".join(built.tags) or "untagged"
        lines.append(f"{built.repository}:{tags}  {ago(now - built.created)}")
        lines += [f"      {line}" for line in (built.digest, *_origin(built))]
    return lines or ["No run has published an image."]


def _origin(built: Built | None) -> list[str]:
    """Say where an image came from: source, run, base."""
    if built is None:
        return ["pushed by hand: no run tells where it came from"]
    work = " with uncommitted work" if built.dirty else ""
    run = f"{one_line(built.workflow)} #{built.number}, job {one_line(built.job)}"
    lines = [
        f"from {built.source}@{built.commit[:SHORT]}{work}",
        f"by {run}: {program()} show {built.run_id}",
    ]
    if built.base_name:
        digest = f"@{_short(built.base_digest)}" if built.base_digest else ""
        lines.append(f"on {built.base_name}{digest}")
    return lines


def _closing(kept: Usage, listed: tuple[Image, ...], *, is_filtered: bool) -> list[str]:
    if is_filtered:
        return [f"No image fits; `{program()} images` lists all."]
    if not listed:
        return [
            f"There are no images yet. What jobs of `{program()} run` push is kept here,",
            f"and `{program()} registry` takes what Docker's clients push.",
        ]
    shared = kept.named - kept.size
    saved = f", {size(shared)} shared" if shared > 0 else ""
    images = counted(kept.images, "image")
    places = counted(kept.repositories, "repository", "repositories")
    first = listed[0]
    mark = f":{first.tags[0]}" if first.tags else f"@{first.digest}"
    pull = f"docker pull {DEFAULT}/{first.repository}{mark}"
    return [
        "",
        f"{images} in {places}: {size(kept.size)}{saved}",
        f"To pull one: `{program()} registry`, then `{pull}`",
    ]


def _short(digest: str) -> str:
    return digest.partition(":")[2][:SHORT]
