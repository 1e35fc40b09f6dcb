"""Digests that an image is known by: `name@sha256:...`, one for each repository it was seen in."""

from __future__ import annotations

from collections.abc import Iterable

from trunkline.oci.references import InvalidReference, parse_reference


def name_of(reference: str) -> str:
    """Return a reference's host and repository; a text that is none stands for itself."""
    try:
        return parse_reference(reference).name
    except InvalidReference:
        return reference


def digest_under(reference: str, digests: Iterable[str]) -> str:
    """Return the digest of `digests` in the repository that `reference` names, '' for none."""
    name = name_of(reference)
    found = (each.partition("@") for each in digests)
    return next((digest for known, _, digest in found if name_of(known) == name), "")
