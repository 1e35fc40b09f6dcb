"""Buckets of Amazon S3, through boto3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from trunkline.base.errors import Unavailable
from trunkline.ports.buckets import Destination


class S3Buckets:
    """Puts objects with the credentials given, else with those of the caller's environment."""

    def put(self, destination: Destination, content: BinaryIO, about: Mapping[str, str]) -> None:
        """Store an object. Raises Unavailable."""
        given = destination.environment
        session = boto3.session.Session(
            aws_access_key_id=given.get("AWS_ACCESS_KEY_ID") or None,
            aws_secret_access_key=given.get("AWS_SECRET_ACCESS_KEY") or None,
            aws_session_token=given.get("AWS_SESSION_TOKEN") or None,
            region_name=destination.region,
        )
        try:
            client = session.client("s3", endpoint_url=destination.endpoint or None)
            client.put_object(
                Bucket=destination.bucket,
                Key=destination.key,
                Body=content,
                Metadata=dict(about),
            )
        except (BotoCoreError, ClientError) as error:
            raise Unavailable(
                f"CLIENT_ERROR: s3://{destination.bucket}/{destination.key}: {error}",
                hint="Trunkline needs AWS credentials that may write to that bucket.",
            ) from error
