"""The registry's end points for blobs and uploads (end-2, 4, 5, 6, 10, 11, 13 and 14)."""

from __future__ import annotations

from werkzeug.wrappers import Request, Response

from trunkline.oci.digests import CANONICAL
from trunkline.oci.errors import RegistryError
from trunkline.oci.media_types import OCTET_STREAM
from trunkline.oci.ranges import NotSatisfiable, Part, parse_content_range, parse_range, received
from trunkline.ports.image_store import Upload
from trunkline.services.registry import blobs, uploads
from trunkline.web.content import FilePart, Incoming
from trunkline.web.registry_messages import Asked, answer, refusal, streamed


def get_blob(asked: Asked) -> Response:
    """Answer GET and HEAD of a blob: all of it, or the part that `Range` asks for (end-2)."""
    request, digest = asked.request, asked.what
    found = blobs.find(asked.registry, asked.repository, digest)
    entity = f'"{digest}"'
    headers = {
        "Content-Type": OCTET_STREAM,
        "Content-Length": str(found.size),
        "Docker-Content-Digest": digest,
        "ETag": entity,
        "Accept-Ranges": "bytes",
    }
    if request.method == "HEAD":
        return streamed(200, headers, ())
    if entity in request.headers.get("If-None-Match", ""):
        return answer(304, {"ETag": entity})
    status, part = 200, Part(0, found.size)
    if request.headers.get("If-Range", entity) == entity:
        try:
            wanted = parse_range(request.headers.get("Range", ""), found.size)
        except NotSatisfiable:
            error = RegistryError("SIZE_INVALID", "the blob has no such range", status=416)
            return refusal(error, {"Content-Range": f"bytes */{found.size}"})
        if wanted is not None:
            status, part = 206, wanted
            headers["Content-Length"] = str(part.length)
            headers["Content-Range"] = f"bytes {part.first}-{part.last}/{found.size}"
    file = blobs.open_blob(asked.registry, asked.repository, digest)
    return streamed(status, headers, FilePart(file, part.first, part.length))


def delete_blob(asked: Asked) -> Response:
    """Answer DELETE of a blob (end-10)."""
    blobs.delete(asked.registry, asked.repository, asked.what)
    return answer(202)


def post_upload(asked: Asked) -> Response:
    """Answer POST: mount a blob (end-11), receive a whole one (end-4b), or begin an upload."""
    registry, repository, query = asked.registry, asked.repository, asked.request.args
    if digest := query.get("mount", ""):
        if blobs.mount(registry, repository, digest, query.get("from", ""), asked.may_pull):
            return _created(repository, digest)
    elif digest := query.get("digest", ""):
        uploads.receive(registry, repository, digest, _content(asked.request))
        return _created(repository, digest)
    algorithm = query.get("digest-algorithm", CANONICAL)
    return _state(202, uploads.start(registry, repository, algorithm))


def get_upload(asked: Asked) -> Response:
    """Answer GET of an upload: how far it has come (end-13)."""
    return _state(204, uploads.find(asked.registry, asked.repository, asked.what))


def patch_upload(asked: Asked) -> Response:
    """Answer PATCH: the next chunk, or all of a blob as a stream (end-5)."""
    content = _content(asked.request)
    try:
        now = uploads.append(asked.registry, asked.repository, asked.what, content)
    except uploads.OutOfOrder as error:
        return _out_of_order(error)
    return _state(202, now)


def put_upload(asked: Asked) -> Response:
    """Answer PUT: the last chunk or none, and the end of an upload (end-6)."""
    digest = asked.request.args.get("digest", "")
    content = _content(asked.request)
    try:
        uploads.finish(asked.registry, asked.repository, asked.what, digest, content)
    except uploads.OutOfOrder as error:
        return _out_of_order(error)
    return _created(asked.repository, digest)


def delete_upload(asked: Asked) -> Response:
    """Answer DELETE of an upload (end-14)."""
    uploads.cancel(asked.registry, asked.repository, asked.what)
    return answer(204)


def _content(request: Request) -> uploads.Content:
    incoming = Incoming(request)
    header = request.headers.get("Content-Range", "")
    if not header:
        return uploads.Content(incoming, incoming.length)
    try:
        part = parse_content_range(header)
    except ValueError as error:
        raise RegistryError("BLOB_UPLOAD_INVALID", str(error)) from error
    return uploads.Content(incoming, incoming.length, part)


def _created(repository: str, digest: str) -> Response:
    headers = {
        "Location": f"/v2/{repository}/blobs/{digest}",
        "Docker-Content-Digest": digest,
    }
    return answer(201, headers)


def _state(status: int, upload: Upload) -> Response:
    return answer(status, _progress(upload))


def _out_of_order(error: uploads.OutOfOrder) -> Response:
    return refusal(error, _progress(error.upload))


def _progress(upload: Upload) -> dict[str, str]:
    return {
        "Location": f"/v2/{upload.repository}/blobs/uploads/{upload.id}",
        "Range": received(upload.size),
        "Docker-Upload-UUID": upload.id,
    }
