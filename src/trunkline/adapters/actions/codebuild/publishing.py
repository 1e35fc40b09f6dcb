"""Artifacts of a build in a bucket of Amazon S3: only where nothing of a rehearsal gets out."""

from __future__ import annotations

from typing import BinaryIO, NamedTuple
from urllib.parse import urlsplit

from trunkline.adapters.toolkit.world import World
from trunkline.ports.actions import ActionCall, ActionJob
from trunkline.ports.buckets import Destination

# Names the bucket of a project's artifacts, as its settings do at AWS.
BUCKET = "CODEBUILD_ARTIFACTS_BUCKET"
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Upload(NamedTuple):
    """What goes to a bucket, under which key."""

    bucket: str
    key: str
    content: BinaryIO


def object_key(name: str, prefix: str, call: ActionCall) -> str:
    """Return an artifact's key: `[<s3-prefix>/<build id>/]<name>.zip` (build-spec-ref)."""
    parts = [prefix.strip("/"), call.run_id] if prefix else []
    identifier = call.env.get("CODEBUILD_BATCH_BUILD_IDENTIFIER", "")
    parts += [identifier] if identifier else []
    return "/".join([*parts, f"{name.strip('/')}.zip"])


def publish(world: World, upload: Upload, call: ActionCall, job: ActionJob) -> None:
    """Put an artifact into its bucket, unless that would leave this machine in a rehearsal."""
    place = f"s3://{upload.bucket}/{upload.key}"
    endpoint = _endpoint(world, call)
    if not world.publish and urlsplit(endpoint).hostname not in _LOOPBACK:
        job.log(f"A rehearsal publishes nothing: {place} is not written (with --publish it is)")
        return
    destination = Destination(
        bucket=upload.bucket,
        key=upload.key,
        region=call.env.get("AWS_REGION", ""),
        endpoint=endpoint,
        environment=call.env,
    )
    about = {"codebuild-buildarn": call.env.get("CODEBUILD_BUILD_ARN", "")}
    world.buckets().put(destination, upload.content, about)
    job.log(f"Uploaded {place}")


def _endpoint(world: World, call: ActionCall) -> str:
    places = (call.env, world.environment)
    found = (place.get(name, "") for place in places for name in _ENDPOINTS)
    return next((endpoint for endpoint in found if endpoint), "")
