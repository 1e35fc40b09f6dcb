"""Images that a build starts from, brought from the local registry before the engine looks for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from trunkline.adapters.docker.publishing import Publisher, Tell
from trunkline.oci.dockerfiles import SCRATCH, read_stages


class Bases(msgspec.Struct, frozen=True):
    """What a build is to be told: its arguments, and whether its engine is to pull what it needs."""

    arguments: Mapping[str, str]
    pull: bool


def bring_bases(
    publisher: Publisher,
    text: str,
    wanted: Bases,
    login: Callable[[str], Mapping[str, str]],
    tell: Tell,
) -> Bases:
    """Pull what a rehearsal pushed and this Dockerfile starts from; return how to build then.

    The engine's own builder knows the real registries alone. When it would ask them for newer
    images (`wanted.pull`) and one of ours is among them, all are pulled here (`login` gives their
    registries' credentials), and it asks for none. Raises Unavailable.
    """
    if not publisher.is_rehearsal:
        return wanted
    stages = read_stages(text, wanted.arguments)
    names = {stage.name.lower() for stage in stages}
    sources = {stage.source for stage in stages if stage.source.lower() not in names}
    sources -= {"", SCRATCH}
    kept = {source for source in sources if publisher.is_kept(source)}
    for source in sorted(kept):
        publisher.pull(source, {}, tell)
    if kept and wanted.pull:
        for source in sorted(sources - kept):
            publisher.pull(source, login(source), tell)
    ids = {name: publisher.known_id(value) for name, value in wanted.arguments.items()}
    arguments = {name: ids[name] or value for name, value in wanted.arguments.items()}
    return Bases(arguments, wanted.pull and not kept)
