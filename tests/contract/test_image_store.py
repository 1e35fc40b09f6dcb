"""What every image store does: on disk, and the fake."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image_stores import KINDS, REPO, image, index, make_store, push_blob, push_image
from trunkline.adapters.clock import FakeClock
from trunkline.base.errors import NotFound
from trunkline.oci.built import Built
from trunkline.oci.digests import digest_of
from trunkline.oci.manifests import read_manifest
from trunkline.oci.media_types import OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST
from trunkline.ports.image_store import (
    BlobNamed,
    BrokenOff,
    DigestMismatch,
    ImageStore,
    MissingContent,
    TagFixed,
    UploadBusy,
    UploadOutOfOrder,
)

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


def test_a_blob_comes_in_chunks(store: ImageStore) -> None:
    upload = store.uploads.start(REPO, "sha256")
    assert (upload.repository, upload.size) == (REPO, 0)
    assert store.uploads.append(REPO, upload.id, io.BytesIO(b"abc"), 0, 3).size == 3
    assert store.uploads.append(REPO, upload.id, io.BytesIO(b"de"), None, None).size == 5
    found = store.uploads.find(REPO, upload.id)
    assert found is not None
    assert found.size == 5
    digest = digest_of(b"abcde")
    assert store.uploads.finish(REPO, upload.id, digest).digest == digest
    assert store.uploads.find(REPO, upload.id) is None
    with store.blobs.open(REPO, digest) as content:
        assert content.read() == b"abcde"


@pytest.mark.parametrize("expected", ["sha256", "sha512"])
@pytest.mark.parametrize("given", ["sha256", "sha512"])
def test_the_digest_may_be_of_another_algorithm(
    store: ImageStore, expected: str, given: str
) -> None:
    upload = store.uploads.start(REPO, expected)
    store.uploads.append(REPO, upload.id, io.BytesIO(b"content"), None, None)
    digest = digest_of(b"content", given)
    store.uploads.finish(REPO, upload.id, digest)
    assert store.blobs.find(REPO, digest) is not None


def test_an_empty_blob_is_one(store: ImageStore) -> None:
    assert store.blobs.find(REPO, push_blob(store, b"")) is not None


def test_a_chunk_out_of_order_is_refused_and_changes_nothing(store: ImageStore) -> None:
    upload = store.uploads.start(REPO, "sha256").id
    store.uploads.append(REPO, upload, io.BytesIO(b"abc"), 0, 3)
    for first in (0, 2, 4):
        with pytest.raises(UploadOutOfOrder) as caught:
            store.uploads.append(REPO, upload, io.BytesIO(b"x"), first, 1)
        assert caught.value.size == 3
    store.uploads.append(REPO, upload, io.BytesIO(b"d"), 3, 1)
    store.uploads.finish(REPO, upload, digest_of(b"abcd"))


class Breaking:
    """A client that stops after its first piece."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, _size: int, /) -> bytes:
        content, self._content = self._content, b""
        if not content:
            raise BrokenOff
        return content


def test_what_came_before_a_client_left_is_kept(store: ImageStore) -> None:
    upload = store.uploads.start(REPO, "sha256").id
    with pytest.raises(BrokenOff):
        store.uploads.append(REPO, upload, Breaking(b"abc"), None, None)
    with pytest.raises(BrokenOff):
        store.uploads.append(REPO, upload, io.BytesIO(b"de"), 3, 10)
    found = store.uploads.find(REPO, upload)
    assert found is not None
    assert found.size == 5
    store.uploads.append(REPO, upload, io.BytesIO(b"f"), 5, None)
    store.uploads.finish(REPO, upload, digest_of(b"abcdef"))


def test_more_than_was_announced_is_not_kept(store: ImageStore) -> None:
    upload = store.uploads.start(REPO, "sha256").id
    store.uploads.append(REPO, upload, io.BytesIO(b"abc"), 0, 3)
    with pytest.raises(ValueError, match="2 were announced"):
        store.uploads.append(REPO, upload, io.BytesIO(b"defg"), 3, 2)
    store.uploads.finish(REPO, upload, digest_of(b"abc"))


def test_the_wrong_digest_leaves_nothing(store: ImageStore) -> None:
    upload = store.uploads.start(REPO, "sha256").id
    store.uploads.append(REPO, upload, io.BytesIO(b"abc"), None, None)
    with pytest.raises(DigestMismatch) as caught:
        store.uploads.finish(REPO, upload, digest_of(b"abd"))
    assert caught.value.actual == digest_of(b"abc")
    assert store.uploads.find(REPO, upload) is None
    assert store.blobs.find(REPO, digest_of(b"abc")) is None
    assert store.blobs.find(REPO, digest_of(b"abd")) is None


def test_a_cancelled_upload_is_gone(store: ImageStore) -> None:
    upload = store.uploads.start(REPO, "sha256").id
    assert store.uploads.cancel(REPO, upload)
    assert not store.uploads.cancel(REPO, upload)
    with pytest.raises(NotFound):
        store.uploads.append(REPO, upload, io.BytesIO(b"x"), None, None)
    with pytest.raises(NotFound):
        store.uploads.finish(REPO, upload, digest_of(b""))


@pytest.mark.parametrize(
    "upload", ["", "x", "../blobs", "0" * 32, "00000000-0000-0000-0000-000000000000"]
)
def test_an_unknown_upload_is_not_found(store: ImageStore, upload: str) -> None:
    assert store.uploads.find(REPO, upload) is None
    assert not store.uploads.cancel(REPO, upload)


def test_an_upload_belongs_to_its_repository(store: ImageStore) -> None:
    upload = store.uploads.start(REPO, "sha256").id
    assert store.uploads.find("other", upload) is None
    assert not store.uploads.cancel("other", upload)
    with pytest.raises(NotFound):
        store.uploads.append("other", upload, io.BytesIO(b"x"), None, None)


def test_one_request_at_a_time_writes_to_an_upload(store: ImageStore) -> None:
    upload = store.uploads.start(REPO, "sha256").id
    begun, go_on = threading.Event(), threading.Event()

    class Slow:
        def __init__(self) -> None:
            self.pieces = [b"abc", b""]

        def read(self, _size: int, /) -> bytes:
            begun.set()
            assert go_on.wait(60)
            return self.pieces.pop(0)

    def send() -> None:
        store.uploads.append(REPO, upload, Slow(), None, None)

    sender = threading.Thread(target=send)
    sender.start()
    assert begun.wait(60)
    with pytest.raises(UploadBusy):
        store.uploads.append(REPO, upload, io.BytesIO(b"x"), None, None)
    with pytest.raises(UploadBusy):
        store.uploads.finish(REPO, upload, digest_of(b""))
    with pytest.raises(UploadBusy):
        store.uploads.cancel(REPO, upload)
    go_on.set()
    sender.join(60)
    store.uploads.finish(REPO, upload, digest_of(b"abc"))


def test_repositories_do_not_see_each_others_blobs_until_mounted(store: ImageStore) -> None:
    digest = push_blob(store, b"shared", "one")
    assert store.blobs.find("two", digest) is None
    with pytest.raises(NotFound):
        store.blobs.open("two", digest)
    assert not store.blobs.mount("two", digest, "three")
    assert store.blobs.mount("one", digest, "two")
    assert store.blobs.holders(digest) == ("one", "two")
    assert store.blobs.remove("one", digest)
    assert not store.blobs.remove("one", digest)
    with store.blobs.open("two", digest) as content:
        assert content.read() == b"shared"


def test_manifests_are_kept_byte_by_byte(store: ImageStore, clock: FakeClock) -> None:
    push_blob(store, b"{}")
    push_blob(store, b"l")
    manifest, body = image(b"l")
    facts = store.manifests.put(REPO, manifest, body, ["v1", "latest"])
    assert (facts.digest, facts.media_type) == (digest_of(body), OCI_MANIFEST)
    assert (facts.size, facts.created) == (len(body), clock.now())
    assert store.manifests.body(REPO, facts.digest) == body
    for reference in ("v1", "latest", facts.digest):
        assert store.manifests.find(REPO, reference) == facts
    assert store.manifests.find(REPO, "v2") is None
    assert store.manifests.find("other", "v1") is None
    with pytest.raises(NotFound):
        store.manifests.body("other", facts.digest)


def test_a_manifest_that_names_what_is_missing_is_not_kept(store: ImageStore) -> None:
    push_blob(store, b"{}")
    push_blob(store, b"l", "other")
    manifest, body = image(b"l", b"m")
    with pytest.raises(MissingContent) as caught:
        store.manifests.put(REPO, manifest, body, ["t"])
    assert caught.value.digests == (digest_of(b"l"), digest_of(b"m"))
    assert store.manifests.find(REPO, manifest.digest) is None
    assert store.manifests.find(REPO, "t") is None
    top, top_body = index(manifest)
    with pytest.raises(MissingContent):
        store.manifests.put(REPO, top, top_body, ["t"])


def test_an_index_may_name_manifests_and_blobs(store: ImageStore) -> None:
    manifest = push_image(store)
    top, body = index(manifest)
    store.manifests.put(REPO, top, body, ["t"])
    digest = push_blob(store, b"cache")
    named = [{"mediaType": OCI_LAYER_GZIP, "digest": digest, "size": 5}]
    body = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": named}).encode()
    store.manifests.put(REPO, read_manifest(body, OCI_INDEX), body, ["cache"])


def test_tags_move_and_are_sorted_by_their_bytes(store: ImageStore, clock: FakeClock) -> None:
    first = push_image(store, "b", "A", "a.1", "a-1")
    clock.advance(5)
    second = push_image(store, "b", layers=(b"other",))
    tags = store.manifests.tags(REPO)
    assert tags is not None
    assert [tag.name for tag in tags] == ["A", "a-1", "a.1", "b"]
    assert {tag.name: tag.digest for tag in tags}["b"] == second.digest
    assert tags[3].updated - tags[0].updated == 5
    assert store.manifests.tags(REPO, "A", 2) == tags[1:3]
    assert store.manifests.tags(REPO, "a", 9) == tags[1:]
    assert store.manifests.tags(REPO, "b") == ()
    assert store.manifests.tags(REPO, most=0) == ()
    assert store.manifests.tags("nobody", "A", 2) is None
    assert store.manifests.find(REPO, first.digest) is not None


def test_a_repository_that_nobody_pushed_to_is_unknown(store: ImageStore) -> None:
    assert store.manifests.tags(REPO) is None
    push_blob(store, b"x")
    assert store.manifests.tags(REPO) == ()
    assert store.manifests.repositories() == (REPO,)


def test_repositories_are_listed_in_parts(store: ImageStore) -> None:
    for name in ("b/c", "a", "b"):
        push_image(store, repository=name)
    push_blob(store, b"x", "a-b")
    assert store.manifests.repositories() == ("a", "a-b", "b", "b/c")
    assert store.manifests.repositories("a", 2) == ("a-b", "b")
    assert store.manifests.repositories("b") == ("b/c",)
    assert store.manifests.repositories(most=0) == ()


def test_fixed_tags_can_be_made_but_not_moved_or_removed(store: ImageStore) -> None:
    manifest = push_image(store)
    _, body = image(b"layer")
    store.manifests.put(REPO, manifest, body, ["v1"], ["v*"])
    store.manifests.put(REPO, manifest, body, ["v1"], ["v*"])
    push_blob(store, b"other")
    other, other_body = image(b"other")
    with pytest.raises(TagFixed) as caught:
        store.manifests.put(REPO, other, other_body, ["new", "v1"], ["v*"])
    assert (caught.value.tag, caught.value.digest) == ("v1", manifest.digest)
    assert store.manifests.find(REPO, "new") is None
    assert store.manifests.find(REPO, other.digest) is None
    with pytest.raises(TagFixed):
        store.manifests.remove_tag(REPO, "v1", ["v*"])
    with pytest.raises(TagFixed):
        store.manifests.remove(REPO, manifest.digest, ["v*"])
    assert store.manifests.find(REPO, "v1") is not None
    store.manifests.put(REPO, other, other_body, ["v1"])


def test_deleting_a_manifest_deletes_its_tags_and_what_is_attached(store: ImageStore) -> None:
    manifest = push_image(store, "a", "b")
    signature, body = image(b"layer", subject=manifest.digest)
    store.manifests.put(REPO, signature, body, [])
    again, body = image(b"layer", subject=signature.digest)
    store.manifests.put(REPO, again, body, [])
    tagged, body = image(b"layer", subject=manifest.digest, note="tagged")
    store.manifests.put(REPO, tagged, body, ["c"])
    assert store.manifests.remove(REPO, manifest.digest)
    assert not store.manifests.remove(REPO, manifest.digest)
    for gone in ("a", "b", manifest.digest, signature.digest, again.digest):
        assert store.manifests.find(REPO, gone) is None
    assert store.manifests.find(REPO, "c") is not None


def test_deleting_a_tag_leaves_the_manifest(store: ImageStore) -> None:
    manifest = push_image(store, "a", "b")
    assert store.manifests.remove_tag(REPO, "a")
    assert not store.manifests.remove_tag(REPO, "a")
    assert store.manifests.find(REPO, "b") is not None
    assert store.manifests.find(REPO, manifest.digest) is not None


def test_a_manifest_in_two_repositories_survives_in_one(store: ImageStore) -> None:
    manifest = push_image(store, "a")
    push_image(store, "a", repository="other")
    store.manifests.remove(REPO, manifest.digest)
    assert store.manifests.body("other", manifest.digest) == image(b"layer")[1]


def test_a_blob_that_a_manifest_names_can_not_be_removed(store: ImageStore) -> None:
    manifest = push_image(store, "a")
    with pytest.raises(BlobNamed) as caught:
        store.blobs.remove(REPO, digest_of(b"layer"))
    assert caught.value.manifest == manifest.digest
    store.manifests.remove(REPO, manifest.digest)
    assert store.blobs.remove(REPO, digest_of(b"layer"))


def test_referrers_are_listed_for_subjects_that_are_there_or_not(store: ImageStore) -> None:
    push_image(store)
    missing = digest_of(b"missing")
    found = []
    for note in ("a", "b", "c"):
        manifest, body = image(b"layer", subject=missing, note=note)
        store.manifests.put(REPO, manifest, body, [])
        found.append(manifest.descriptor)
    assert store.manifests.referrers(REPO, missing) == tuple(sorted(found, key=lambda d: d.digest))
    assert store.manifests.referrers("other", missing) == ()
    assert found[0].annotations == {"note": "a"}


def test_records_outlive_their_images_newest_first(store: ImageStore) -> None:
    manifest = push_image(store, "a")
    first = Built(digest=manifest.digest, repository=REPO, created=1.0, tags=("a",), commit="c1")
    second = Built(digest=manifest.digest, repository=REPO, created=2.0, base_name="debian:12")
    other = Built(digest="sha256:x", repository="o", created=3.0)
    for record in (second, first, other):
        store.evidence.record(record)
    store.manifests.remove(REPO, manifest.digest)
    assert store.evidence.records(manifest.digest) == (second, first)
    assert store.evidence.records() == (other, second, first)
    assert store.evidence.records("sha256:y") == ()


def test_holdings_show_all_that_is_there(store: ImageStore, clock: FakeClock) -> None:
    manifest = push_image(store, "a")
    top, body = index(manifest)
    store.manifests.put(REPO, top, body, ["i"])
    (held,) = store.holdings()
    assert held.repository == REPO
    assert {name: tag.digest for name, tag in held.tags.items()} == {
        "a": manifest.digest,
        "i": top.digest,
    }
    found = held.manifests[manifest.digest]
    assert set(found.blobs) == set(manifest.blobs)
    assert (found.config, found.created) == (digest_of(b"{}"), clock.now())
    assert held.manifests[top.digest].children == (manifest.digest,)
    assert {digest: blob.size for digest, blob in held.blobs.items()} == {
        digest_of(b"{}"): 2,
        digest_of(b"layer"): 5,
    }


def test_many_push_the_same_layer_at_once(store: ImageStore) -> None:
    content = b"x" * 300_000
    failed: list[BaseException] = []

    def push(number: int) -> None:
        try:
            push_image(store, f"t{number}", layers=(content,), repository=f"r{number % 3}")
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)

    threads = [threading.Thread(target=push, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failed
    assert store.blobs.holders(digest_of(content)) == ("r0", "r1", "r2")
    assert sum(len(held.tags) for held in store.holdings()) == 8
