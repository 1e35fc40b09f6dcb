"""The images of Docker actions that were built here: the newest of each stays, older ones go.

The newest has a name, so that the next build finds its layers. What a job builds has a second name
until the job ends: another job that builds the action anew meanwhile can't take its image away.
All is done by giving and taking names, since the engine removes an image with its last one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from zlib import crc32

from docker.errors import APIError, NotFound

from trunkline.adapters.docker.engine import Engine, refusals
from trunkline.adapters.docker.labels import machine
from trunkline.adapters.process_table import identity, is_alive
from trunkline.adapters.slugs import slug

NEWEST = "trunkline-action"
HELD = "trunkline-action-in-use"
ALGORITHM = "sha256:"
REMOVED = "##[debug]Removed the image {} of {}, which a newer build replaces."
STAYS = "##[debug]A newer build replaces the image {} of {}, which is in use and goes later."
# It is not there any more; a container uses it, so it loses its name later.
GONE = frozenset({404, 409})


class ActionBuilds:
    """One job's builds of Docker actions. Thread-safe."""

    def __init__(
        self, engine: Callable[[], Engine], token: Callable[[], str], begun: Callable[[], None]
    ) -> None:
        """Take what connects and what makes names; `begun` notes that there is something to end."""
        self._engine = engine
        self._token = token
        self._begun = begun
        self._lock = threading.Lock()
        self._held: dict[str, str] = {}

    def build(
        self, action: str, make: Callable[[tuple[str, ...]], str], tell: Callable[[str], None]
    ) -> str:
        """Build an action's image with `make`, which takes its names; return its id.

        The image that it replaces is removed unless something uses it, and `tell` takes a line of
        debug output that says so. Raises Unavailable.
        """
        newest, old, held = f"{NEWEST}/{slug(action)}:latest", self._name(), self._name()
        self._begun()
        replaced = self._named(newest, old)
        made = ""
        try:
            with self._lock:
                self._held[held] = action
            made = make((held, newest))
        finally:
            gone = take_name(self._engine(), old) if replaced else ""
            if gone:
                tell(REMOVED.format(gone, action))
            elif made and replaced not in {"", made}:
                tell(STAYS.format(replaced, action))
        return made

    def close(self, tell: Callable[[str], None]) -> None:
        """Let go of the images, at the job's end; `tell` of those removed. Idempotent.

        Raises Unavailable.
        """
        with self._lock:
            held, self._held = self._held, {}
        for name, action in held.items():
            gone = take_name(self._engine(), name)
            if gone:
                tell(REMOVED.format(gone, action))

    def _named(self, image: str, name: str) -> str:
        """Give an image another name; return its id, '' when it isn't there."""
        engine = self._engine()
        with refusals():
            return str(engine.image(name)["Id"]) if _tag(engine, image, name) else ""

    def _name(self) -> str:
        return f"{HELD}:{_here()}-{identity(os.getpid()).replace(' ', '-')}-{self._token()}"


def remove_held_by_the_dead(engine: Engine) -> None:
    """Take the names that engines of this machine left that were killed. Raises Unavailable."""
    with refusals():
        found = engine.client.images(HELD)
    for name in (name for image in found for name in image.get("RepoTags") or ()):
        place, _, rest = name.rpartition(":")[2].partition("-")
        if place == _here() and not is_alive(rest.rpartition("-")[0].replace("-", " ")):
            take_name(engine, name)


def take_name(engine: Engine, name: str) -> str:
    """Take a name from an image, and remove it with its last one unless something uses it.

    Returns the id of the image when it was removed, else ''. Raises Unavailable.
    """
    with refusals():
        try:
            told = engine.client.remove_image(name)
        except APIError as error:
            if error.response is None or error.response.status_code not in GONE:
                raise
            return ""
    # The image comes first, then the layers that only it had. Podman leaves out the algorithm.
    gone = next((str(each["Deleted"]) for each in told if each.get("Deleted")), "")
    return f"{ALGORITHM}{gone.removeprefix(ALGORITHM)}" if gone else ""


def _tag(engine: Engine, image: str, name: str) -> bool:
    """Give an image another name; tell whether it is there."""
    repository, _, tag = name.rpartition(":")
    try:
        return bool(engine.client.tag(image, repository, tag))
    except NotFound:  # Podman's words are not those that the library makes an ImageNotFound of
        return False


def _here() -> str:
    return f"{crc32(machine().encode()):08x}"
