"""What of an engine's things is one job's: its scripts reach those, and no others."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from trunkline.adapters.docker.publishing import read_reference
from trunkline.adapters.docker.wire import EngineRefused, Wire
from trunkline.base.errors import Unavailable

# Networks that every engine has.
EVERYBODYS = frozenset({"bridge", "host", "none", "podman"})


class Belongings:
    """Tells a job's containers, networks, volumes and images from others. Thread-safe.

    Every method raises Unavailable when the engine does not answer.
    """

    def __init__(self, wire: Wire, labels: Mapping[str, str]) -> None:
        """Take the labels on all that the job makes."""
        self._wire = wire
        self._labels = labels
        self._lock = threading.Lock()
        # The images that were here before the job's scripts made any; None: not looked yet.
        self._before: frozenset[str] | None = None
        # The names that the job's scripts have given to images.
        self._named: set[str] = set()

    def has_container(self, name: str) -> bool:
        """Tell whether a container is the job's."""
        found = self._find(f"/containers/{quote(name, safe='')}/json")
        return self.is_ours((found.get("Config") or {}).get("Labels"))

    def has_network(self, name: str) -> bool:
        """Tell whether a network is the job's."""
        return self.is_ours(self._find(f"/networks/{quote(name, safe='')}").get("Labels"))

    def has_volume(self, name: str) -> bool:
        """Tell whether a volume is the job's."""
        return self.is_ours(self._find(f"/volumes/{quote(name, safe='')}").get("Labels"))

    def is_ours(self, labels: object) -> bool:
        """Tell whether what carries these labels is the job's."""
        return isinstance(labels, dict) and self._labels.items() <= labels.items()

    def _find(self, path: str) -> dict[str, Any]:
        """Return what the engine says of a thing, {} when it has none of this name."""
        try:
            found = self._wire.call("GET", path)
        except EngineRefused as error:
            if error.status in {400, 404}:
                return {}
            raise
        return found if isinstance(found, dict) else {}

    # --- images: all jobs share the engine's, and none carries a job's label ---------------

    def look_at_images(self) -> None:
        """Remember, once, which images are here: what comes later is the job's."""
        with self._lock:
            if self._before is None:
                listed = self._wire.call("GET", "/images/json", {"all": "1"})
                self._before = frozenset(str(image["Id"]) for image in listed or ())

    def name_images(self, names: Iterable[str]) -> None:
        """Remember that the job's scripts give these names to images."""
        with self._lock:
            self._named.update(map(_whole, names))

    def may_remove_image(self, name: str) -> bool:
        """Tell whether an image, or one name of it, came with the job. One not here may go."""
        found = self._find(f"/images/{quote(name)}/json")
        with self._lock:
            if not found or found["Id"] not in (self._before or ()):
                return True
            tags = {_whole(tag) for tag in found.get("RepoTags") or ()}
            wanted = {_whole(name)} & tags or tags
            return bool(wanted) and wanted <= self._named


def _whole(name: str) -> str:
    """Return an image's name with its registry and its tag; others as they are."""
    try:
        read = read_reference(name)
    except Unavailable:
        return name
    return name if read.digest else f"{read.name}:{read.tag or 'latest'}"
