"""Evidence of a job's images: what each was built on, told with every push."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection

import msgspec

from trunkline.base.errors import Unavailable
from trunkline.engine.push_evidence import Origin
from trunkline.oci.repository_digests import digest_under, name_of
from trunkline.ports.containers import ImageFacts, ImagePush, Images
from trunkline.run.events import Event, ImagePushed


class Base(msgspec.Struct, frozen=True):
    """The image that another was built on; '' for what is unknown, or no base at all.

    The digest is the manifest's; that of an image which only this machine has is its id.
    """

    name: str = ""
    digest: str = ""


class ImageEvidence:
    """Turns a job's pushes into events. Thread-safe: scripts push from threads of their own."""

    def __init__(
        self, origin: Origin, images: Callable[[], Images], report: Callable[[Event], None]
    ) -> None:
        """Ask the engine's `images` when a push is told that nobody knows the base of."""
        self._origin = origin
        self._images = images
        self._report = report
        self._bases: dict[str, Base] = {}
        self._pushed: set[str] = set()

    def built(self, image_id: str, base_name: str, base_digest: str) -> None:
        """Remember what an image was built on, as whoever built it knows."""
        self._bases[image_id] = Base(base_name, base_digest)

    def pushed(self, push: ImagePush) -> None:
        """Report a push. An engine that no longer answers leaves the base unknown."""
        base = self._bases.get(push.image_id)
        if base is None:
            base = Base(push.base)
            with contextlib.suppress(Unavailable):
                base = self._base(push)
        self._pushed.add(name_of(push.reference))
        self._report(
            ImagePushed(
                key=self._origin.key,
                reference=push.reference,
                digest=push.digest,
                kept_as=push.kept_as,
                image_id=push.image_id,
                size=push.size,
                commit=self._origin.commit,
                dirty=self._origin.dirty,
                base_name=base.name,
                base_digest=base.digest,
            )
        )

    def _base(self, push: ImagePush) -> Base:
        """Return what an image was built on: as its Dockerfile says, else as its parents do."""
        images = self._images()
        if not push.base:
            return base_of(images, push, self._pushed)
        name, _, digest = push.base.partition("@")
        image = None if digest else images.inspect(name)
        if image is None:
            return Base(name, digest)
        return Base(name, digest_under(name, image.digests) or image.id)


def base_of(images: Images, push: ImagePush, siblings: Collection[str] = ()) -> Base:
    """Return what an image was built on: the nearest of its parents with a name not its own.

    The classic builder makes each step's image the parent of the next one's, so older builds of
    the same image, and `siblings` that share its first steps, may be among them; BuildKit tells no
    parents. Raises Unavailable.
    """
    image = images.inspect(push.image_id or push.reference)
    if image is None:
        return Base()
    own = {name_of(each) for each in (push.reference, *image.tags)}.union(siblings)
    seen = {image.id}
    while image is not None and image.parent and image.parent not in seen:
        seen.add(image.parent)
        image = images.inspect(image.parent)
        if image is not None and not own.intersection(map(name_of, image.tags)):
            base = named(image)
            if base.name:
                return base
    return Base()


def named(image: ImageFacts) -> Base:
    """Return an image by its first name, with its digest under that name: else with its id."""
    references = [*image.tags, *(digest.partition("@")[0] for digest in image.digests)]
    if not references:
        return Base()
    return Base(references[0], digest_under(references[0], image.digests) or image.id)
