"""Buckets of Amazon S3, through boto3."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from trunkline.base.errors import NotFound, Unavailable
from trunkline.ports.buckets import Destination, StoredObject

# Seconds until a cloud that does not answer is given up, per attempt.
_CONNECT_SECONDS = 10


class S3Buckets:
    """Reaches objects with the credentials given, else with those of the caller's environment."""

    def put(self, destination: Destination, content: BinaryIO, about: Mapping[str, str]) -> None:
        """Store an object. Raises Unavailable."""
        with _told(destination, "write to"):
            # In parts where it is large, and not sought in: a file in a zip can't be, cheaply.
            _client(destination).upload_fileobj(
                content,
                destination.bucket,
                destination.key,
                ExtraArgs={"Metadata": dict(about)},
                Config=TransferConfig(use_threads=False),
            )

    def get(self, source: Destination) -> BinaryIO:
        """Return an object in a file of no name. Raises NotFound, Unavailable."""
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
        try:
            with _told(source, "read"):
                found = _client(source).get_object(Bucket=source.bucket, Key=source.key)
                shutil.copyfileobj(found["Body"], file)
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file

    def find(self, prefix: Destination) -> tuple[StoredObject, ...]:
        """Return the objects whose keys begin so. Raises Unavailable."""
        with _told(prefix, "list"):
            pages = _client(prefix).get_paginator("list_objects_v2")
            return tuple(
                StoredObject(found["Key"], found["LastModified"].timestamp())
                for page in pages.paginate(Bucket=prefix.bucket, Prefix=prefix.key)
                for found in page.get("Contents", ())
            )


def _client(place: Destination) -> Any:
    given = place.environment
    session = boto3.session.Session(
        aws_access_key_id=given.get("AWS_ACCESS_KEY_ID") or None,
        aws_secret_access_key=given.get("AWS_SECRET_ACCESS_KEY") or None,
        aws_session_token=given.get("AWS_SESSION_TOKEN") or None,
        region_name=place.region,
    )
    return session.client(
        "s3",
        endpoint_url=place.endpoint or None,
        config=Config(connect_timeout=_CONNECT_SECONDS),
    )


@contextmanager
def _told(place: Destination, wish: str) -> Iterator[None]:
    """Tell in the cloud's words what it, or the disk, refuses."""
    try:
        yield
    except (BotoCoreError, ClientError, OSError) as error:
        words = f"CLIENT_ERROR: s3://{place.bucket}/{place.key}: {error}"
        if isinstance(error, ClientError) and error.response["Error"]["Code"] == "NoSuchKey":
            raise NotFound(words) from error
        raise Unavailable(
            words, hint=f"Trunkline needs AWS credentials that may {wish} that bucket."
        ) from error
