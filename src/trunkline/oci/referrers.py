"""The listing of referrers: an image index of the manifests that have a subject."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from trunkline.oci.descriptors import Descriptor
from trunkline.oci.media_types import OCI_INDEX
from trunkline.oci.pages import Page

# What one answer holds: a client need not read a larger manifest.
LARGEST_LISTING = 4 << 20


def of_type(found: Sequence[Descriptor], artifact_type: str) -> tuple[Descriptor, ...]:
    """Return the descriptors of an artifact type ('': all)."""
    if not artifact_type:
        return tuple(found)
    return tuple(one for one in found if one.artifact_type == artifact_type)


def page_of_referrers(
    found: Sequence[Descriptor], last: str = "", largest: int = LARGEST_LISTING
) -> Page[Descriptor]:
    """Return the descriptors (sorted by digest) after `last`, up to `largest` bytes of JSON.

    There is at least one, however large it is.
    """
    items: list[Descriptor] = []
    total = 0
    rest = [one for one in found if one.digest > last]
    for one in rest:
        total += len(msgspec.json.encode(one)) + 1
        if items and total > largest:
            break
        items.append(one)
    return Page(tuple(items), has_more=len(items) < len(rest))


def index_of(found: Sequence[Descriptor]) -> bytes:
    """Return the image index that lists referrers."""
    return msgspec.json.encode(
        {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(found)}
    )
