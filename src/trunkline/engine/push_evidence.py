"""Who hears of a job's images: made of its heavier parts when the first one is built or pushed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

import msgspec

from trunkline.ports.containers import ImagePush, Images
from trunkline.run.events import Event


class Evidence(Protocol):
    """Turns a job's pushes into events (`image_evidence.ImageEvidence`). Thread-safe."""

    def built(self, image_id: str, base_name: str, base_digest: str) -> None:
        """Remember what an image was built on."""
        ...

    def pushed(self, push: ImagePush) -> None:
        """Report a push."""
        ...


class Origin(msgspec.Struct, frozen=True):
    """What a job's images are built from: a commit, and uncommitted work with it when `dirty`."""

    key: str
    commit: str
    dirty: bool = False


# Makes a job's: where its images come from, what returns the engine's images, whom to report to.
MakeEvidence = Callable[[Origin, Callable[[], Images], Callable[[Event], None]], Evidence]


class LateEvidence:
    """An `Evidence` that is made when it is first needed."""

    def __init__(self, make: Callable[[], Evidence]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: Evidence | None = None

    def built(self, image_id: str, base_name: str, base_digest: str) -> None:
        """Remember what an image was built on."""
        self._evidence().built(image_id, base_name, base_digest)

    def pushed(self, push: ImagePush) -> None:
        """Report a push."""
        self._evidence().pushed(push)

    def _evidence(self) -> Evidence:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made
