"""Uploads: start, look at, continue, finish, cancel."""

from __future__ import annotations

import msgspec

from trunkline.base.errors import NotFound
from trunkline.oci.digests import ALGORITHMS, CANONICAL, algorithm_of
from trunkline.oci.errors import RegistryError
from trunkline.oci.ranges import Part
from trunkline.ports.image_store import (
    BlobFacts,
    BrokenOff,
    DigestMismatch,
    Stream,
    Upload,
    UploadBusy,
    UploadOutOfOrder,
)
from trunkline.services.registry.registry import Registry, check_digest, check_repository


class Content(msgspec.Struct, frozen=True):
    """Content that a request brings: `length` as announced, `part` its place in the blob."""

    stream: Stream
    length: int | None = None
    part: Part | None = None


class OutOfOrder(RegistryError):
    """A chunk that does not continue the upload (416); `upload` is how far that has come."""

    def __init__(self, upload: Upload) -> None:
        super().__init__(
            "BLOB_UPLOAD_INVALID",
            f"the chunk does not begin at byte {upload.size}",
            detail={"offset": upload.size},
            status=416,
        )
        self.upload = upload


def start(registry: Registry, repository: str, algorithm: str = CANONICAL) -> Upload:
    """Begin an upload. Raises NAME_INVALID, DIGEST_INVALID for an unknown algorithm."""
    check_repository(repository)
    if algorithm not in ALGORITHMS:
        raise RegistryError(
            "DIGEST_INVALID",
            f"unknown digest algorithm; known are {', '.join(ALGORITHMS)}",
            detail={"digest-algorithm": algorithm},
        )
    return registry.store.uploads.start(repository, algorithm)


def find(registry: Registry, repository: str, upload: str) -> Upload:
    """Return how far an upload has come. Raises NAME_INVALID, BLOB_UPLOAD_UNKNOWN."""
    check_repository(repository)
    found = registry.store.uploads.find(repository, upload)
    if found is None:
        raise _unknown(upload)
    return found


def append(registry: Registry, repository: str, upload: str, content: Content) -> Upload:
    """Take the next chunk.

    Raises BLOB_UPLOAD_UNKNOWN, OutOfOrder, SIZE_INVALID, TOOMANYREQUESTS while another request
    writes, and BrokenOff when the client is gone: what came is kept.
    """
    before = find(registry, repository, upload)
    length = content.length
    if content.part is not None:
        if content.part.first != before.size:
            raise OutOfOrder(before)
        if length is not None and length != content.part.length:
            raise RegistryError("SIZE_INVALID", "Content-Range and Content-Length differ")
        length = content.part.length
    first = content.part.first if content.part else None
    try:
        return registry.store.uploads.append(repository, upload, content.stream, first, length)
    except NotFound as error:
        raise _unknown(upload) from error
    except UploadBusy as error:
        raise _busy() from error
    except UploadOutOfOrder as error:
        raise OutOfOrder(find(registry, repository, upload)) from error
    except ValueError as error:
        raise RegistryError("SIZE_INVALID", str(error)) from error


def finish(
    registry: Registry, repository: str, upload: str, digest: str, content: Content
) -> BlobFacts:
    """Take the last content, if any, and make the upload a blob.

    Raises as `append`, and DIGEST_INVALID: for what is no digest with the upload left as it is,
    for the wrong digest with nothing left.
    """
    check_repository(repository)
    check_digest(digest)
    if content.length != 0 or content.part is not None:
        append(registry, repository, upload, content)
    try:
        return registry.store.uploads.finish(repository, upload, digest)
    except NotFound as error:
        raise _unknown(upload) from error
    except UploadBusy as error:
        raise _busy() from error
    except DigestMismatch as error:
        raise RegistryError(
            "DIGEST_INVALID", detail={"digest": digest, "actual": error.actual}
        ) from error


def receive(registry: Registry, repository: str, digest: str, content: Content) -> BlobFacts:
    """Take a whole blob in one request; nothing is left when that fails. Raises as `finish`."""
    check_digest(digest)
    upload = start(registry, repository, algorithm_of(digest))
    try:
        return finish(registry, repository, upload.id, digest, content)
    except (RegistryError, BrokenOff):
        registry.store.uploads.cancel(repository, upload.id)
        raise


def cancel(registry: Registry, repository: str, upload: str) -> None:
    """Forget an upload. Raises NAME_INVALID, BLOB_UPLOAD_UNKNOWN, TOOMANYREQUESTS."""
    check_repository(repository)
    try:
        if not registry.store.uploads.cancel(repository, upload):
            raise _unknown(upload)
    except UploadBusy as error:
        raise _busy() from error


def _unknown(upload: str) -> RegistryError:
    return RegistryError("BLOB_UPLOAD_UNKNOWN", detail={"upload": upload})


def _busy() -> RegistryError:
    return RegistryError("TOOMANYREQUESTS", "another request is writing to this upload")
