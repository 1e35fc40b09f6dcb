"""What is told of an image that a job pushes: above all what it was built on."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from trunkline.base.errors import Unavailable
from trunkline.engine.image_evidence import ImageEvidence
from trunkline.engine.push_evidence import Origin
from trunkline.ports.containers import ImageFacts, ImagePush
from trunkline.run.events import Event, ImagePushed

ORIGIN = Origin("build", "c0ffee", dirty=True)
PUSH = ImagePush(
    reference="ghcr.io/o/n:2",
    digest="sha256:pushed",
    kept_as="ghcr.io/o/n:2",
    image_id="sha256:app",
    size=10,
)
DEBIAN = ImageFacts(
    id="sha256:debian",
    tags=("debian:12",),
    digests=("mirror.example/debian@sha256:other", "debian@sha256:base"),
)


class KnownImages:
    """Images of an engine as the evidence sees them: it looks, and does nothing else."""

    def __init__(
        self,
        *known: ImageFacts,
        broken: bool = False,
        images: Mapping[str, ImageFacts] | None = None,
    ) -> None:
        self.images = {image.id: image for image in known} | dict(images or {})
        self.broken = broken

    def inspect(self, reference: str) -> ImageFacts | None:
        if self.broken:
            raise Unavailable("the engine is gone")
        return self.images.get(reference)


def told(*images: ImageFacts, push: ImagePush = PUSH, broken: bool = False) -> ImagePushed:
    events: list[Event] = []
    known = KnownImages(*images, broken=broken)
    ImageEvidence(ORIGIN, lambda: known, events.append).pushed(push)  # type: ignore[arg-type,return-value]
    (event,) = events
    assert isinstance(event, ImagePushed)
    return event


def test_a_push_tells_what_where_and_from_what():
    step = ImageFacts(id="sha256:step", parent="sha256:debian")
    app = ImageFacts(id="sha256:app", tags=("ghcr.io/o/n:2",), parent="sha256:step")
    assert told(app, step, DEBIAN) == ImagePushed(
        key="build",
        reference="ghcr.io/o/n:2",
        digest="sha256:pushed",
        kept_as="ghcr.io/o/n:2",
        image_id="sha256:app",
        size=10,
        commit="c0ffee",
        dirty=True,
        base_name="debian:12",
        base_digest="sha256:base",
    )


@pytest.mark.parametrize("older", ["ghcr.io/o/n:1", "app:1"])
def test_an_older_build_of_the_image_is_not_its_base(older: str):
    before = ImageFacts(id="sha256:before", tags=(older,), parent="sha256:debian")
    app = ImageFacts(id="sha256:app", tags=("app:2", "ghcr.io/o/n:2"), parent="sha256:before")
    assert told(app, before, DEBIAN).base_name == "debian:12"


def test_a_base_that_was_built_here_has_its_id_for_a_digest():
    base = ImageFacts(id="sha256:base", tags=("base:latest",), parent="sha256:debian")
    app = ImageFacts(id="sha256:app", parent="sha256:base")
    event = told(app, base, DEBIAN)
    assert (event.base_name, event.base_digest) == ("base:latest", "sha256:base")


def test_a_base_without_a_tag_goes_by_its_digest():
    base = ImageFacts(id="sha256:base", digests=("quay.io/o/base@sha256:b",))
    app = ImageFacts(id="sha256:app", parent="sha256:base")
    event = told(app, base)
    assert (event.base_name, event.base_digest) == ("quay.io/o/base", "sha256:b")


@pytest.mark.parametrize(
    "images",
    [
        (),
        (ImageFacts(id="sha256:app"),),
        (ImageFacts(id="sha256:app", parent="sha256:gone"),),
        (ImageFacts(id="sha256:app", parent="sha256:app"),),
    ],
)
def test_a_base_that_nothing_tells_is_unknown(images: tuple[ImageFacts, ...]):
    assert told(*images).base_name == ""


def test_an_engine_that_is_gone_takes_nothing_of_the_push():
    event = told(broken=True)
    assert (event.digest, event.base_name) == ("sha256:pushed", "")


def test_a_dockerfile_that_was_seen_comes_before_parents():
    app = ImageFacts(id="sha256:app", parent="sha256:other")
    other = ImageFacts(id="sha256:other", tags=("other:1",))
    known = KnownImages(app, other, images={"debian:12": DEBIAN})
    events: list[Event] = []
    evidence = ImageEvidence(ORIGIN, lambda: known, events.append)  # type: ignore[arg-type,return-value]
    for base in ("debian:12", "quay.io/o/base@sha256:b", "gone:1"):
        evidence.pushed(replace(PUSH, base=base))
    found = [event for event in events if isinstance(event, ImagePushed)]
    assert [(event.base_name, event.base_digest) for event in found] == [
        ("debian:12", "sha256:base"),
        ("quay.io/o/base", "sha256:b"),
        ("gone:1", ""),
    ]


def test_what_the_job_pushed_before_is_no_base_for_what_shares_its_steps():
    sibling = ImageFacts(id="sha256:sibling", tags=("o/one:1",), parent="sha256:debian")
    app = ImageFacts(id="sha256:app", tags=("o/two:1",), parent="sha256:sibling")
    known = KnownImages(app, sibling, DEBIAN)
    events: list[Event] = []
    evidence = ImageEvidence(ORIGIN, lambda: known, events.append)  # type: ignore[arg-type,return-value]
    evidence.pushed(replace(PUSH, reference="o/one:1", image_id="sha256:sibling"))
    evidence.pushed(replace(PUSH, reference="o/two:1"))
    found = [event.base_name for event in events if isinstance(event, ImagePushed)]
    assert found == ["debian:12", "debian:12"]


def test_whoever_built_the_image_knows_best():
    events: list[Event] = []
    app = ImageFacts(id="sha256:app", parent="sha256:debian")
    known = KnownImages(app, DEBIAN)
    evidence = ImageEvidence(ORIGIN, lambda: known, events.append)  # type: ignore[arg-type,return-value]
    evidence.built("sha256:app", "python:3", "sha256:py")
    evidence.pushed(PUSH)
    assert isinstance(events[0], ImagePushed)
    assert (events[0].base_name, events[0].base_digest) == ("python:3", "sha256:py")
