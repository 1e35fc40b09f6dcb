"""The registry's end points for manifests and listings (end-3, 7, 8, 9 and 12)."""

from __future__ import annotations

from werkzeug.wrappers import Response

from trunkline.oci.manifests import LARGEST_MANIFEST, too_large
from trunkline.oci.media_types import JSON, OCI_INDEX
from trunkline.oci.pages import Page
from trunkline.oci.referrers import index_of
from trunkline.services.registry import listings, manifests
from trunkline.web.content import Incoming
from trunkline.web.registry_messages import (
    Asked,
    answer,
    link_to_next,
    listing,
    page_size,
    streamed,
)


def get_manifest(asked: Asked) -> Response:
    """Answer GET and HEAD of a manifest by tag or digest (end-3).

    It is served as it was pushed, whatever `Accept` says.
    """
    registry, request = asked.registry, asked.request
    if request.method == "HEAD":
        found, body = manifests.find(registry, asked.repository, asked.what), b""
    else:
        found, body = manifests.read(registry, asked.repository, asked.what)
    entity = f'"{found.digest}"'
    headers = {
        "Content-Type": found.media_type,
        "Content-Length": str(found.size),
        "Docker-Content-Digest": found.digest,
        "ETag": entity,
    }
    if request.method == "HEAD":
        return streamed(200, headers, ())
    if entity in request.headers.get("If-None-Match", ""):
        return answer(304, {"ETag": entity, "Docker-Content-Digest": found.digest})
    return answer(200, headers, body)


def put_manifest(asked: Asked) -> Response:
    """Answer PUT of a manifest by tag or digest, the latter with `?tag=` (end-7)."""
    request = asked.request
    incoming = Incoming(request)
    if (incoming.length or 0) > LARGEST_MANIFEST:
        raise too_large()
    put = manifests.put(
        asked.registry,
        manifests.PutRequest(
            asked.repository,
            asked.what,
            request.headers.get("Content-Type", ""),
            incoming.read_at_most(LARGEST_MANIFEST),
            tuple(request.args.getlist("tag")),
        ),
    )
    headers = {
        "Location": f"/v2/{asked.repository}/manifests/{put.digest}",
        "Docker-Content-Digest": put.digest,
    }
    if put.subject:
        headers["OCI-Subject"] = put.subject
    if put.tags and asked.what == put.digest:
        headers["OCI-Tag"] = ", ".join(put.tags)
    return answer(201, headers)


def delete_manifest(asked: Asked) -> Response:
    """Answer DELETE of a tag or manifest (end-9)."""
    manifests.delete(asked.registry, asked.repository, asked.what)
    return answer(202)


def get_base(_asked: Asked) -> Response:
    """Answer the question whether this is a registry, and the credentials are good (end-1)."""
    return answer(200, {"Content-Type": JSON}, b"{}")


def get_tags(asked: Asked) -> Response:
    """Answer the listing of tags (end-8)."""
    limit = page_size(asked.request)
    last = asked.request.args.get("last", "")
    page = listings.tags(asked.registry, asked.repository, limit, last)
    path = f"/v2/{asked.repository}/tags/list"
    return listing({"name": asked.repository, "tags": page.items}, _next(path, page, limit))


def get_catalog(asked: Asked) -> Response:
    """Answer Docker's listing of the repositories that the client may pull from."""
    limit = page_size(asked.request)
    last = asked.request.args.get("last", "")
    page = listings.repositories(asked.registry, limit, last, asked.may_pull)
    return listing({"repositories": page.items}, _next("/v2/_catalog", page, limit))


def get_referrers(asked: Asked) -> Response:
    """Answer the listing of referrers (end-12)."""
    artifact_type = asked.request.args.get("artifactType", "")
    last = asked.request.args.get("last", "")
    page = listings.referrers(asked.registry, asked.repository, asked.what, artifact_type, last)
    headers = {"Content-Type": OCI_INDEX}
    query: dict[str, str | int] = {}
    if artifact_type:
        headers["OCI-Filters-Applied"] = "artifactType"
        query["artifactType"] = artifact_type
    if page.has_more:
        query["last"] = page.items[-1].digest
        headers["Link"] = link_to_next(f"/v2/{asked.repository}/referrers/{asked.what}", query)
    return answer(200, headers, index_of(page.items))


def _next(path: str, page: Page[str], limit: int | None) -> str:
    if limit is None or not page.has_more:
        return ""
    return link_to_next(path, {"n": limit, "last": page.items[-1]})
