"""What a collection takes from every image store, and what it leaves: on disk, and the fake."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image_stores import KINDS, REPO, make_store, push_blob, push_image
from trunkline.adapters.clock import FakeClock
from trunkline.oci.collection import Rules
from trunkline.oci.digests import digest_of
from trunkline.oci.retention import Retention
from trunkline.ports.image_store import ImageStore

HOUR = 3600.0
WEEK = 7 * 24 * HOUR


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(start=4_000_000_000.0)  # files are never newer than that


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Iterator[ImageStore]:
    made = make_store(request.param, tmp_path / "registry", clock)
    yield made
    made.close()


def test_a_collection_takes_what_nothing_needs(store: ImageStore, clock: FakeClock) -> None:
    kept = push_image(store, "kept", layers=(b"shared", b"mine"))
    gone = push_image(store, "gone", layers=(b"shared", b"garbage"))
    push_image(store, "kept", layers=(b"elsewhere",), repository="other")
    push_blob(store, b"garbage too")
    store.manifests.remove(REPO, gone.digest)
    clock.advance(2 * HOUR)
    collected = store.collect(Rules(now=clock.now()))
    assert (collected.manifests, collected.tags, collected.uploads) == (0, 0, 0)
    assert (collected.blobs, collected.size) == (2, len(b"garbage" + b"garbage too"))
    assert store.blobs.find(REPO, digest_of(b"garbage")) is None
    for layer in (b"shared", b"mine"):
        with store.blobs.open(REPO, digest_of(layer)) as content:
            assert content.read() == layer
    assert store.manifests.find(REPO, kept.digest) is not None
    assert store.collect(Rules(now=clock.now())).blobs == 0


def test_a_collection_leaves_what_a_push_was_told_is_there(
    store: ImageStore, clock: FakeClock
) -> None:
    found, mounted, fresh = (push_blob(store, content) for content in (b"f", b"m", b"n"))
    clock.advance(2 * HOUR)
    assert store.blobs.find(REPO, found) is not None
    assert store.blobs.mount(REPO, mounted, "other")
    collected = store.collect(Rules(now=clock.now()))
    assert collected.blobs == 1
    assert store.blobs.find(REPO, fresh) is None
    assert store.blobs.find(REPO, found) is not None
    assert store.blobs.find("other", mounted) is not None
    assert store.blobs.find(REPO, mounted) is None


def test_a_collection_leaves_a_repository_that_is_being_pushed_to(
    store: ImageStore, clock: FakeClock
) -> None:
    digest = push_blob(store, b"early layer")
    upload = store.uploads.start(REPO, "sha256").id
    clock.advance(2 * HOUR)
    store.uploads.append(REPO, upload, io.BytesIO(b"late"), None, None)
    store.collect(Rules(now=clock.now()))
    assert store.blobs.find(REPO, digest) is not None


def test_a_collection_ends_uploads_that_nobody_continues(
    store: ImageStore, clock: FakeClock
) -> None:
    old = store.uploads.start(REPO, "sha256").id
    clock.advance(WEEK)
    young = store.uploads.start(REPO, "sha256").id
    store.uploads.append(REPO, old, io.BytesIO(b"half"), None, None)
    assert store.uploads.idle(clock.now()) == ()
    clock.advance(WEEK)
    store.uploads.append(REPO, young, io.BytesIO(b"more"), None, None)
    clock.advance(HOUR)
    assert store.uploads.idle(clock.now() - WEEK) == (store.uploads.find(REPO, old),)
    assert {one.id for one in store.uploads.idle(clock.now())} == {old, young}
    assert store.collect(Rules(now=clock.now())).uploads == 1
    assert store.uploads.find(REPO, old) is None
    assert store.uploads.find(REPO, young) is not None


def test_the_last_collection_is_remembered(store: ImageStore, clock: FakeClock) -> None:
    assert store.collected() == 0
    for _ in range(2):
        clock.advance(HOUR)
        store.collect(Rules(now=clock.now()))
        assert store.collected() == clock.now()


def test_retention_takes_tags_with_their_images(store: ImageStore, clock: FakeClock) -> None:
    for number in range(4):
        push_image(store, f"b{number}", layers=(f"layer {number}".encode(),))
        clock.advance(HOUR)
    clock.advance(2 * HOUR)
    rules = Rules(now=clock.now(), retention=(Retention(keep_last=2),))
    collected = store.collect(rules)
    assert (collected.tags, collected.manifests, collected.blobs) == (2, 2, 2)
    tags = store.manifests.tags(REPO)
    assert tags is not None
    assert [tag.name for tag in tags] == ["b2", "b3"]
    assert store.collect(rules).tags == 0
