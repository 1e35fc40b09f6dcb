"""Images as users see them, and what a collection takes; on the image store in memory."""

from __future__ import annotations

import io
import json

import pytest

from trunkline.adapters.clock import FakeClock, FakeIds
from trunkline.adapters.registries.memory import MemoryImageStore
from trunkline.base.errors import NotFound
from trunkline.oci.built import Built
from trunkline.oci.collection import LEASE_SECONDS
from trunkline.oci.digests import digest_of
from trunkline.oci.errors import RegistryError
from trunkline.oci.media_types import OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST
from trunkline.oci.retention import Retention
from trunkline.ports.image_store import Collected
from trunkline.services.registry import collecting, images, manifests, uploads
from trunkline.services.registry.registry import Registry

APP = "ghcr.io/o/app"
DAY = 86400.0
MADE = "2024-05-06T07:08:09.123456789Z"
MADE_SECONDS = 1714979289.123456


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def registry(clock: FakeClock) -> Registry:
    return Registry(store=MemoryImageStore(clock, FakeIds()), clock=clock)


def described(content: bytes, media_type: str) -> dict[str, object]:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


def push_blob(registry: Registry, repository: str, content: bytes) -> None:
    uploads.receive(registry, repository, digest_of(content), uploads.Content(io.BytesIO(content)))


def put(registry: Registry, repository: str, reference: str, record: dict[str, object]) -> str:
    body = json.dumps(record).encode()
    media_type = str(record["mediaType"])
    asked = reference or digest_of(body)
    manifests.put(registry, manifests.PutRequest(repository, asked, media_type, body))
    return digest_of(body)


def push(
    registry: Registry,
    tag: str,
    *layers: bytes,
    repository: str = APP,
    config: bytes = b"{}",
    subject: str = "",
) -> str:
    for content in (config, *layers):
        push_blob(registry, repository, content)
    record: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": described(config, OCI_CONFIG),
        "layers": [described(layer, OCI_LAYER_GZIP) for layer in layers],
    }
    if subject:
        record["subject"] = {"mediaType": OCI_MANIFEST, "digest": subject, "size": 1}
    return put(registry, repository, tag, record)


def push_index(registry: Registry, tag: str, *digests: str) -> str:
    named = [{"mediaType": OCI_MANIFEST, "digest": digest, "size": 1} for digest in digests]
    record: dict[str, object] = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": named}
    return put(registry, APP, tag, record)


def test_images_are_listed_with_their_tags_and_digests(
    registry: Registry, clock: FakeClock
) -> None:
    second = push(registry, "b", b"layer")
    first = push(registry, "a", b"layer", repository="docker.io/library/x", config=b"{ }")
    found = images.list_images(registry)
    assert [(one.repository, one.tag, one.digest) for one in found] == [
        ("docker.io/library/x", "a", first),
        (APP, "b", second),
    ]
    assert {one.media_type for one in found} == {OCI_MANIFEST}
    assert {one.pushed for one in found} == {clock.now()}
    assert [one.tag for one in images.list_images(registry, APP)] == ["b"]
    with pytest.raises(NotFound, match="no repository 'other'"):
        images.list_images(registry, "other")


def test_what_images_share_is_counted_once(registry: Registry) -> None:
    push(registry, "a", b"shared" * 100, b"a" * 10)
    push(registry, "b", b"shared" * 100, b"b" * 20)
    push(registry, "c", b"c" * 30, repository="other")
    a, b, c = images.list_images(registry)
    assert (a.size, a.unique) == (600 + 10 + 2, 10)
    assert (b.size, b.unique) == (600 + 20 + 2, 20)
    assert (c.size, c.unique) == (30 + 2, 30)
    usage = images.usage(registry)
    assert (usage.repositories, usage.images, usage.blobs) == (2, 3, 5)
    assert usage.size == 600 + 10 + 20 + 30 + 2
    assert usage.named == a.size + b.size + c.size


def test_two_tags_of_one_image_do_not_share_it(registry: Registry) -> None:
    push(registry, "a", b"x" * 10)
    push(registry, "b", b"x" * 10)
    assert {one.unique for one in images.list_images(registry)} == {12}
    assert images.usage(registry).images == 1


def test_an_index_is_as_large_as_its_images_and_made_when_they_were(registry: Registry) -> None:
    config = json.dumps({"created": MADE}).encode()
    one = push(registry, "", b"1" * 10, config=config)
    two = push(registry, "", b"2" * 20, config=config)
    push_index(registry, "t", one, two)
    (found,) = images.list_images(registry)
    assert (found.media_type, found.size) == (OCI_INDEX, 30 + len(config))
    assert found.created == pytest.approx(MADE_SECONDS)


@pytest.mark.parametrize(
    "config", [b"{}", b'{"created": null}', b'{"created": "soon"}', b"no json", b'{"created": 5}']
)
def test_without_a_date_of_its_own_an_image_has_that_of_its_push(
    registry: Registry, clock: FakeClock, config: bytes
) -> None:
    push(registry, "t", config=config)
    assert images.list_images(registry)[0].created == clock.now()


def test_untagged_images_are_listed_but_not_what_is_part_of_another(registry: Registry) -> None:
    part = push(registry, "", b"part")
    top = push_index(registry, "t", part)
    push(registry, "", b"signature", subject=top)
    alone = push(registry, "", b"alone")
    found = [(one.tag, one.digest) for one in images.list_images(registry)]
    assert found == [("t", top), ("", alone)]


def test_every_image_tells_where_it_came_from(registry: Registry) -> None:
    digest = push(registry, "t")
    built = Built(digest=digest, repository=APP, created=5.0, commit="c" * 40, run_id="7", job="b")
    images.record(registry, built)
    assert images.list_images(registry)[0].built == (built,)
    assert images.built(registry, digest) == (built,)


def test_references_are_resolved(registry: Registry) -> None:
    digest = push(registry, "t")
    assert images.resolve(registry, APP, "t") == digest
    assert images.resolve(registry, APP, digest) == digest
    with pytest.raises(NotFound, match=f"no image '{APP}:u'"):
        images.resolve(registry, APP, "u")
    with pytest.raises(NotFound, match=f"no image '{APP}@sha256:x'"):
        images.resolve(registry, APP, "sha256:x")


def test_the_last_tag_takes_the_image_with_it(registry: Registry) -> None:
    digest = push(registry, "a")
    push(registry, "b")
    images.delete(registry, APP, "a")
    assert images.resolve(registry, APP, digest) == digest
    images.delete(registry, APP, "b")
    with pytest.raises(NotFound):
        images.resolve(registry, APP, digest)
    with pytest.raises(NotFound):
        images.delete(registry, APP, "b")


def test_a_digest_takes_all_tags(registry: Registry) -> None:
    digest = push(registry, "a")
    push(registry, "b")
    images.delete(registry, APP, digest)
    assert images.list_images(registry) == ()


def test_immutable_tags_can_not_be_moved_or_deleted(clock: FakeClock) -> None:
    registry = Registry(
        store=MemoryImageStore(clock, FakeIds()), clock=clock, immutable=("v[0-9]*",)
    )
    digest = push(registry, "v1")
    push(registry, "latest")
    for attempt in ("v1", digest):
        with pytest.raises(RegistryError, match="the tag 'v1' is immutable") as caught:
            images.delete(registry, APP, attempt)
        assert (caught.value.code, caught.value.status) == ("DENIED", 403)
    with pytest.raises(RegistryError, match="points to " + digest):
        push(registry, "v1", b"other")
    push(registry, "latest", b"other")


def test_a_collection_follows_the_registrys_rules(clock: FakeClock) -> None:
    registry = Registry(
        store=MemoryImageStore(clock, FakeIds()),
        clock=clock,
        immutable=("v*",),
        retention=(Retention(older_than=DAY),),
        untagged=DAY,
    )
    push(registry, "v1", b"release")
    push(registry, "old", b"old")
    push(registry, "", b"untagged")
    clock.advance(2 * DAY)
    push(registry, "new", b"new")
    (planned,) = collecting.preview(registry)
    assert planned.tags == ("old",)
    assert (len(planned.manifests), len(planned.blobs)) == (2, 2)
    collected = collecting.collect(registry)
    assert (collected.tags, collected.manifests, collected.blobs) == (1, 2, 2)
    assert [one.tag for one in images.list_images(registry)] == ["new", "v1"]
    assert collecting.preview(registry) == ()


def test_an_upload_that_was_broken_off_stays_a_week_or_until_no_push_goes_on(
    registry: Registry, clock: FakeClock
) -> None:
    uploads.start(registry, APP)
    clock.advance(DAY)
    for lease, count in ((LEASE_SECONDS, 0), (0, 1)):
        assert len(collecting.abandoned(registry, lease)) == count
        assert collecting.collect(registry, lease).uploads == count
    left = uploads.start(registry, APP)
    clock.advance(8 * DAY)
    assert collecting.abandoned(registry) == (left,)
    assert collecting.collect(registry).uploads == 1
    assert collecting.abandoned(registry) == ()


def test_what_kept_runs_pushed_stays(clock: FakeClock) -> None:
    runs = ["1", "2"]
    registry = Registry(
        store=MemoryImageStore(clock, FakeIds()), clock=clock, untagged=DAY, runs=lambda: runs
    )
    base = push(registry, "", b"base")
    digest = push(registry, "", b"base", b"app")
    built = Built(digest=digest, repository=APP, created=0, run_id="1", base_digest=base)
    images.record(registry, built)
    push(registry, "", b"by hand")
    clock.advance(2 * DAY)
    assert collecting.collect(registry).manifests == 1
    assert {one.digest for one in images.list_images(registry)} == {base, digest}
    runs.remove("1")
    assert collecting.collect(registry).manifests == 2
    assert images.list_images(registry) == ()
    assert images.built(registry, digest) == (built,)


def test_garbage_is_collected_when_it_is_due(registry: Registry, clock: FakeClock) -> None:
    clock.advance(DAY)
    assert collecting.collect_if_due(registry, DAY) == Collected()
    clock.advance(DAY / 2)
    assert collecting.collect_if_due(registry, DAY) is None
    clock.advance(DAY / 2)
    assert collecting.collect_if_due(registry, DAY) == Collected()
