"""What a build puts into buckets of Amazon S3: only where nothing of a rehearsal gets out."""

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
    place = destination(world, upload.bucket, upload.key, call)
    if may_write(world, place, job):
        about = {"codebuild-buildarn": call.env.get("CODEBUILD_BUILD_ARN", "")}
        world.buckets().put(place, upload.content, about)
        job.log(f"Uploaded {address(place)}")


def destination(world: World, bucket: str, key: str, call: ActionCall) -> Destination:
    """Return a place in a bucket, as the build's and the caller's environment reach it."""
    return Destination(
        bucket=bucket,
        key=key,
        region=call.env.get("AWS_REGION", ""),
        endpoint=_endpoint(world, call),
        environment=call.env,
    )


def address(place: Destination) -> str:
    """Return a place as the log names it."""
    return f"s3://{place.bucket}/{place.key}"


def may_write(world: World, place: Destination, job: ActionJob) -> bool:
    """Tell whether a place may be written; in a rehearsal that is not, the log says so."""
    if world.publish or is_here(place):
        return True
    told = f"{address(place)} is not written (with --publish it is)"
    job.log(f"A rehearsal publishes nothing: {told}")
    return False


def is_here(place: Destination) -> bool:
    """Tell whether a place's endpoint is on this machine."""
    return urlsplit(place.endpoint).hostname in _LOOPBACK


def _endpoint(world: World, call: ActionCall) -> str:
    places = (call.env, world.environment)
    found = (place.get(name, "") for place in places for name in _ENDPOINTS)
    return next((endpoint for endpoint in found if endpoint), "")
