"""The messages of GitHub's cache service, version 2: proto3 JSON, numbers of 64 bits as strings."""

from __future__ import annotations

import msgspec


class CreateRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for the upload of a new cache."""

    key: str = ""
    version: str = ""


class Created(msgspec.Struct, frozen=True, kw_only=True):
    """Where the content goes; not `ok`: nowhere, and why."""

    ok: bool = True
    signed_upload_url: str = ""
    message: str = ""


class FinalizeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Tells that the content is uploaded, and its size."""

    key: str = ""
    version: str = ""
    size_bytes: int = 0


class Finalized(msgspec.Struct, frozen=True, kw_only=True):
    """The cache is there."""

    entry_id: str
    ok: bool = True
    message: str = ""


class DownloadRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for the cache that fits best."""

    key: str = ""
    restore_keys: tuple[str, ...] | None = None
    version: str = ""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Where a cache is read; not `ok`: there is none."""

    ok: bool = False
    signed_download_url: str = ""
    matched_key: str = ""
