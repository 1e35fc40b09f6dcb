"""The messages of GitHub's artifact service: proto3 JSON, numbers of 64 bits as strings."""

from __future__ import annotations

from datetime import datetime

import msgspec


class CreateRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for an upload. `version` is the client's protocol; `mime_type` the content's."""

    workflow_run_backend_id: str = ""
    workflow_job_run_backend_id: str = ""
    name: str = ""
    version: int = 0
    mime_type: str = ""
    expires_at: datetime | None = None


class Created(msgspec.Struct, frozen=True, kw_only=True):
    """Where the content goes."""

    signed_upload_url: str
    ok: bool = True


class FinalizeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Tells that the content is uploaded: its size in bytes and its hash, `sha256:<hex>`."""

    workflow_run_backend_id: str = ""
    workflow_job_run_backend_id: str = ""
    name: str = ""
    size: int = 0
    hash: str = ""


class Finalized(msgspec.Struct, frozen=True, kw_only=True):
    """The artifact is there."""

    artifact_id: str
    ok: bool = True


class ListRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for the artifacts of a run, or those of one name or id."""

    workflow_run_backend_id: str = ""
    workflow_job_run_backend_id: str = ""
    name_filter: str | None = None
    id_filter: int | None = None


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact of a list."""

    workflow_run_backend_id: str
    workflow_job_run_backend_id: str
    database_id: str
    name: str
    size: str
    created_at: str
    digest: str


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """Artifacts."""

    artifacts: tuple[Record, ...]


class SignedUrlRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Asks where an artifact is read."""

    workflow_run_backend_id: str = ""
    workflow_job_run_backend_id: str = ""
    name: str = ""


class SignedUrl(msgspec.Struct, frozen=True, kw_only=True):
    """Where an artifact is read."""

    signed_url: str


class DeleteRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for the end of an artifact."""

    workflow_run_backend_id: str = ""
    workflow_job_run_backend_id: str = ""
    name: str = ""


class Deleted(msgspec.Struct, frozen=True, kw_only=True):
    """The artifact is gone."""

    artifact_id: str
    ok: bool = True
