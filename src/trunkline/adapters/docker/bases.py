"""Images that a build starts from, brought from the local registry before the engine looks for them."""

from __future__ import annotations

from collections.abc import Mapping

from trunkline.adapters.docker.publishing import Publisher, Tell
from trunkline.oci.dockerfiles import read_stages


def bring_bases(publisher: Publisher, text: str, arguments: Mapping[str, str], tell: Tell) -> None:
    """Pull what a rehearsal pushed and this Dockerfile starts from. Raises Unavailable.

    The engine's own builder knows the real registries alone.
    """
    sources = {stage.source for stage in read_stages(text, arguments)}
    for source in sorted(sources):
        if source and publisher.is_kept(source):
            publisher.pull(source, {}, tell)
