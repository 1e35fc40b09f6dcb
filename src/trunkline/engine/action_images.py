"""The images of a job's Docker actions: which there are, and having each of them once."""

from __future__ import annotations

import posixpath
import threading
from collections.abc import Callable, Iterable

import msgspec

from trunkline.base.errors import ActionUnavailable
from trunkline.engine.action_loader import DOCKER, Files, Image
from trunkline.engine.instances import Instance
from trunkline.ports.containers import BuildSpec, Images, Watch
from trunkline.ports.sandbox import Layout
from trunkline.workflow.model import DockerRuns, UsesStep


class ActionImage(msgspec.Struct, frozen=True):
    """The image of a Docker action: `reference` is pulled, else `dockerfile` is built.

    `title` is the step in which GitHub does it; `dockerfile` is a path in the sandbox.
    """

    title: str
    reference: str = ""
    dockerfile: str = ""

    @property
    def name(self) -> str:
        """What tells it from others."""
        return self.reference or self.dockerfile


class ActionImages:
    """One job's; every image is had once. Thread-safe: background steps ask too."""

    def __init__(self, images: Callable[[], Images], repository: str, layout: Layout) -> None:
        """Take what returns the engine's images: asked only by a job that has Docker actions."""
        self._images = images
        self._repository = repository
        self._layout = layout
        self._lock = threading.Lock()
        self._ready: dict[ActionImage, str] = {}

    def has(self, image: ActionImage) -> bool:
        """Tell whether `have` would do nothing."""
        return image in self._ready

    def have(self, image: ActionImage, watch: Watch) -> str:
        """Pull or build an image unless that was done; return its id. Raises Unavailable."""
        with self._lock:
            if image not in self._ready:
                self._ready[image] = self.make(image, watch)
            return self._ready[image]

    def make(self, image: ActionImage, watch: Watch) -> str:
        """Pull or build an image; return its id. Raises Unavailable."""
        images = self._images()
        if image.reference:
            watch.tell(f"Pull down action image '{image.reference}'")
            return images.pull(image.reference, None, watch).id
        watch.tell(f"Build container for action use: '{image.dockerfile}'.")
        context, action = posixpath.dirname(image.dockerfile), self._action(image.dockerfile)
        spec = BuildSpec(context=context, dockerfile=image.dockerfile, action=action)
        return images.build(spec, watch).id

    def _action(self, dockerfile: str) -> str:
        """Return what an action is called in every run: its own repository, else ours, and path."""
        actions, workspace = self._layout.actions, self._layout.workspace
        if posixpath.commonpath((actions, dockerfile)) == actions:
            return posixpath.relpath(dockerfile, actions)
        return f"{self._repository}/{posixpath.relpath(dockerfile, workspace)}"


def image_of(instance: Instance) -> ActionImage | None:
    """Return the image that a step's own action needs, None for any other kind of step.

    Raises ActionUnavailable for one that names neither an image nor a Dockerfile.
    """
    loaded, step = instance.loaded, instance.step
    if isinstance(loaded, Image):
        return _pulled(loaded.image)
    if not isinstance(loaded, Files) or not isinstance(step, UsesStep):
        return None
    runs = loaded.action.runs
    if not isinstance(runs, DockerRuns):
        return None
    if runs.image.startswith(DOCKER):
        return _pulled(runs.image.removeprefix(DOCKER))
    if not is_dockerfile(runs.image):
        raise ActionUnavailable(
            f"'{runs.image}' should be either '[path]/Dockerfile' or 'docker://image[:tag]'."
        )
    path = posixpath.normpath(posixpath.join(loaded.folder, runs.image))
    return ActionImage(f"Build {step.uses.value}", dockerfile=path)


def _pulled(reference: str) -> ActionImage:
    if not reference:
        raise ActionUnavailable(f"'{DOCKER}' should be '{DOCKER}image[:tag]'.")
    return ActionImage(f"Pull {reference}", reference=reference)


def images_of(instances: Iterable[Instance]) -> tuple[ActionImage, ...]:
    """Return the images of steps and of composite actions' own ones: to pull first, each once."""
    found: dict[str, ActionImage] = {}
    for instance in _all(instances):
        image = image_of(instance)
        if image is not None:
            found.setdefault(image.name, image)
    return tuple(sorted(found.values(), key=lambda image: not image.reference))


def is_dockerfile(image: str) -> bool:
    """Tell whether a Docker action's `image` names a Dockerfile."""
    name = posixpath.basename(image).lower()
    return name == "dockerfile" or name.startswith("dockerfile.") or name.endswith(".dockerfile")


def _all(instances: Iterable[Instance]) -> Iterable[Instance]:
    for instance in instances:
        yield instance
        yield from _all(instance.children)
