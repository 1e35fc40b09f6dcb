"""What every kind of bucket does: Amazon S3 (a server that answers for it), and the fake."""

from __future__ import annotations

import io
import time
from typing import NamedTuple

import boto3
import pytest

from trunkline.adapters.buckets.memory import MemoryBuckets
from trunkline.adapters.buckets.s3 import S3Buckets
from trunkline.base.errors import NotFound, Unavailable
from trunkline.ports.buckets import Buckets, Destination

REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


class Shelf(NamedTuple):
    """Buckets, where they are, and what lies in the one named `kept`."""

    buckets: Buckets
    endpoint: str

    def put(self, bucket: str, key: str, content: bytes) -> None:
        about = {"codebuild-buildarn": "arn:x"}
        self.buckets.put(self.place(bucket, key), io.BytesIO(content), about)

    def place(self, bucket: str, key: str) -> Destination:
        return Destination(
            bucket=bucket,
            key=key,
            region=REGION,
            endpoint=self.endpoint,
            environment=CREDENTIALS,
        )

    def get(self, key: str) -> tuple[bytes, dict[str, str]]:
        if isinstance(self.buckets, MemoryBuckets):
            content, about = self.buckets.kept["kept", key]
            return content, dict(about)
        client = boto3.client("s3", region_name=REGION, endpoint_url=self.endpoint)
        found = client.get_object(Bucket="kept", Key=key)
        return found["Body"].read(), found["Metadata"]


@pytest.fixture(params=[pytest.param("s3", marks=pytest.mark.registry), "memory"])
def shelf(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    if request.param == "memory":
        return Shelf(MemoryBuckets(["kept"]), "")
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    endpoint = request.getfixturevalue("cloud")
    boto3.client("s3", region_name=REGION, endpoint_url=endpoint).create_bucket(Bucket="kept")
    return Shelf(S3Buckets(), endpoint)


def test_what_was_put_is_there_with_what_is_said_about_it(shelf: Shelf) -> None:
    shelf.put("kept", "builds/7/app.zip", b"PK")
    assert shelf.get("builds/7/app.zip") == (b"PK", {"codebuild-buildarn": "arn:x"})


def test_the_last_one_counts(shelf: Shelf) -> None:
    shelf.put("kept", "app.zip", b"one")
    shelf.put("kept", "app.zip", b"two")
    assert shelf.get("app.zip")[0] == b"two"


def test_a_missing_bucket_is_told_in_the_cloud_s_words(shelf: Shelf) -> None:
    with pytest.raises(Unavailable, match="The specified bucket does not exist"):
        shelf.put("nobody", "app.zip", b"")
    with pytest.raises(Unavailable, match="The specified bucket does not exist"):
        shelf.buckets.get(shelf.place("nobody", "app.zip"))
    with pytest.raises(Unavailable, match="The specified bucket does not exist"):
        shelf.buckets.find(shelf.place("nobody", ""))


def test_what_was_put_is_read_from_its_beginning(shelf: Shelf) -> None:
    shelf.put("kept", "caches/a b+é,1", b"\0" * 300_000 + b"end")
    with shelf.buckets.get(shelf.place("kept", "caches/a b+é,1")) as content:
        assert content.read() == b"\0" * 300_000 + b"end"


def test_a_key_that_is_not_there_is_not_found(shelf: Shelf) -> None:
    shelf.put("kept", "caches/npm-1", b"")
    with pytest.raises(NotFound, match="The specified key does not exist"):
        shelf.buckets.get(shelf.place("kept", "caches/npm-"))


def test_what_begins_alike_is_found_with_its_time(shelf: Shelf) -> None:
    for key in ("caches/npm-2", "caches/pip-1", "caches/npm-1"):
        shelf.put("kept", key, b"")
    assert {found.key for found in shelf.buckets.find(shelf.place("kept", "caches/npm-"))} == {
        "caches/npm-1",
        "caches/npm-2",
    }
    assert shelf.buckets.find(shelf.place("kept", "none")) == ()
    # The cloud's times are whole seconds.
    time.sleep(1.1 if shelf.endpoint else 0)
    shelf.put("kept", "caches/npm-2", b"again")
    found = shelf.buckets.find(shelf.place("kept", "caches/"))
    assert max(found, key=lambda one: one.modified).key == "caches/npm-2"
