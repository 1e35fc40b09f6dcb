"""What a build puts into buckets of Amazon S3: only where nothing of a rehearsal gets out."""

from __future__ import annotations

from typing import BinaryIO, NamedTuple
from urllib.parse import urlsplit

from trunkline.adapters.toolkit.world import World
from trunkline.ports.actions import ActionCall, ActionFailed, ActionJob
from trunkline.ports.artifacts import ArtifactInfo
from trunkline.ports.buckets import Destination

# Names the bucket of a project's artifacts, as its settings do at AWS.
BUCKET = "CODEBUILD_ARTIFACTS_BUCKET"
# Tells how they lie there (API_ProjectArtifacts: packaging): one archive, or each file by itself.
PACKAGING = "CODEBUILD_ARTIFACTS_PACKAGING"
ARCHIVE, FILES = "ZIP", "NONE"
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def packaging(call: ActionCall) -> str:
    """Return how artifacts lie in a bucket: ARCHIVE or FILES. Raises ActionFailed."""
    found = call.env.get(PACKAGING, "") or ARCHIVE
    if found not in {ARCHIVE, FILES}:
        raise ActionFailed(f"CLIENT_ERROR: {PACKAGING} is {ARCHIVE} or {FILES}, not {found!r}")
    return found


class Publication(NamedTuple):
    """An artifact that was kept, and the name and `s3-prefix` that its buildspec gives it."""

    info: ArtifactInfo
    name: str
    prefix: str = ""

    def key(self, call: ActionCall) -> str:
        """Return its key without an ending: `[<s3-prefix>/<build id>/]<name>` (build-spec-ref)."""
        parts = [self.prefix.strip("/"), call.run_id] if self.prefix else []
        identifier = call.env.get("CODEBUILD_BATCH_BUILD_IDENTIFIER", "")
        parts += [identifier] if identifier else []
        return "/".join([*parts, self.name.strip("/")])


def publish(world: World, publication: Publication, call: ActionCall, job: ActionJob) -> None:
    """Put an artifact into the build's bucket, if it has one, as its packaging says.

    In a rehearsal only one of this machine is written. Raises ActionFailed, Unavailable.
    """
    bucket = call.env.get(BUCKET, "")
    if not bucket:
        return
    key = publication.key(call)
    is_archive = packaging(call) == ARCHIVE
    place = destination(world, bucket, f"{key}.zip" if is_archive else f"{key}/", call)
    if not may_write(world, place, job):
        return
    if is_archive:
        with world.artifacts.open(publication.info) as content:
            _put(world, place, content, call)
    else:
        for path, content in world.artifacts.read(publication.info):
            _put(world, destination(world, bucket, f"{key}/{path}", call), content, call)
    job.log(f"Uploaded {address(place)}")


def _put(world: World, place: Destination, content: BinaryIO, call: ActionCall) -> None:
    about = {"codebuild-buildarn": call.env.get("CODEBUILD_BUILD_ARN", "")}
    world.buckets().put(place, content, about)


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
