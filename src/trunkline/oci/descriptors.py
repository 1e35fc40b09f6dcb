"""Descriptors: what a manifest says about content it names (OCI image specification)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

Size = Annotated[int, msgspec.Meta(ge=0)]


class Descriptor(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Content by its type, digest and size in bytes, as it is written in JSON."""

    media_type: str
    digest: str
    size: Size
    artifact_type: str = ""
    urls: tuple[str, ...] = ()
    annotations: Mapping[str, str] = {}
    platform: Mapping[str, Any] = {}
