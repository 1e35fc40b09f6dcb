"""Assets of releases: uploaded, downloaded, renamed, removed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from trunkline.ports.image_store import BrokenOff
from trunkline.ports.uploads import TooLarge
from trunkline.services.github.calls import (
    Answer,
    Call,
    Content,
    Listing,
    Reply,
    given,
    number,
)
from trunkline.services.github.documents import bot, when
from trunkline.services.github.refusals import Refused, invalid, not_found
from trunkline.services.github.releases import ASSETS, asset_document, find

# GitHub: each file of a release is under 2 GiB.
LARGEST = (1 << 31) - 1
# GitHub puts a dot in the place of other characters.
PLAIN = re.compile(r"[^A-Za-z0-9._+@~-]+")
Unset = msgspec.UnsetType


def every(call: Call) -> Answer:
    """List a release's assets."""
    key, _ = find(call)
    found = call.records.every(ASSETS)
    return Listing([asset_document(call, n, each) for n, each in found if each["release"] == key])


def upload(call: Call) -> Answer:
    """Take an asset's content, as it comes, below the name of the query."""
    key, _ = find(call)
    name = PLAIN.sub(".", call.query.get("name", "")).strip(".")
    if not name:
        raise invalid("ReleaseAsset", "name", "missing_field")
    _check_name(call, key, name, 0)
    digest, size = _receive(call)
    now = when(call.stores.clock.now())
    kept = {
        "release": key,
        "name": name,
        "label": call.query.get("label") or None,
        "content_type": call.content_type or "application/octet-stream",
        "size": size,
        "digest": digest,
        "uploader": bot(call),
        "created_at": now,
        "updated_at": now,
    }
    made = asset_document(call, call.records.add(ASSETS, kept), kept)
    call.tell("release asset", f"{name}, {size} bytes")
    return Reply(made, 201, location=str(made["url"]))


def _receive(call: Call) -> tuple[str, int]:
    """Stream the content to the blobs; return its digest and size. Raises Refused."""
    uploads = call.stores.uploads
    if call.content is None or call.length == 0:
        raise Refused(400, "Bad Content-Length: the asset has no content")
    place = uploads.start(LARGEST)
    try:
        uploads.put(place, call.content, call.length, call.content_type)
        whole = uploads.take(place)
    except TooLarge as error:
        raise invalid("ReleaseAsset", "size", "custom", "size must be less than 2 GiB") from error
    except BrokenOff as error:
        raise Refused(400, "the content broke off") from error
    finally:
        uploads.discard(place)
    call.blobs.adopt(whole.path, whole.digest)
    return whole.digest, whole.size


def get(call: Call) -> Answer:
    """Return an asset, or its content for who accepts `application/octet-stream`."""
    key, kept = _find(call)
    if "application/octet-stream" not in call.accept:
        return Reply(asset_document(call, key, kept))
    return Content(
        content=call.blobs.open(kept["digest"]),
        content_type=str(kept["content_type"]),
        size=int(kept["size"]),
        name=str(kept["name"]),
    )


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Fields of an asset, told or not."""

    name: str | Unset = msgspec.UNSET
    label: str | Unset | None = msgspec.UNSET


def update(call: Call) -> Answer:
    """Rename or label an asset."""
    key, kept = _find(call)
    new = {**kept, **given(call.read(Change, "ReleaseAsset"))}
    new["name"] = PLAIN.sub(".", str(new["name"])).strip(".")
    _check_name(call, kept["release"], new["name"], key)
    new["updated_at"] = when(call.stores.clock.now())
    call.records.replace(ASSETS, key, new)
    return Reply(asset_document(call, key, new))


def delete(call: Call) -> Answer:
    """Remove an asset. Its content may be another's too: it goes with the run's blobs."""
    key, kept = _find(call)
    call.records.remove(ASSETS, key)
    call.tell("release asset", f"{kept['name']}, removed")
    return Reply(None, 204)


def _check_name(call: Call, release: int, name: str, but: int) -> None:
    for key, each in call.records.every(ASSETS):
        if key != but and each["release"] == release and each["name"] == name:
            raise invalid("ReleaseAsset", "name", "already_exists")


def _find(call: Call) -> tuple[int, Mapping[str, Any]]:
    key = number(call.path["asset"])
    found = call.records.find(ASSETS, key)
    if found is None:
        raise not_found()
    return key, found
