"""GitHub's cache service, version 2, as @actions/cache and BuildKit call it."""

from __future__ import annotations

from trunkline.ports.job_services import ServicesJob
from trunkline.services.actions.cache_messages import (
    Created,
    CreateRequest,
    DownloadRequest,
    Finalized,
    FinalizeRequest,
    Found,
)
from trunkline.services.actions.caches import JobCaches, WriteDenied
from trunkline.services.actions.calls import Caller, Download, Method, Service
from trunkline.services.actions.signed_urls import READ, WRITE, SignedUrls

SERVICE = "github.actions.results.api.v1.CacheService"
KIND = "caches"
CONTENT_TYPE = "application/octet-stream"


class CacheService:
    """The three methods of the service, over the caches of all jobs. Thread-safe."""

    def __init__(self, caches: JobCaches, urls: SignedUrls) -> None:
        self._caches = caches
        self._urls = urls

    def methods(self) -> Service:
        """Return the methods by name."""
        return {
            "CreateCacheEntry": Method(CreateRequest, self.create),
            "FinalizeCacheEntryUpload": Method(FinalizeRequest, self.finalize),
            "GetCacheEntryDownloadURL": Method(DownloadRequest, self.find),
        }

    def create(self, caller: Caller, request: CreateRequest) -> Created:
        """Reserve a cache; return where its content goes."""
        try:
            made = self._caches.reserve(caller.job, request.key, request.version)
        except WriteDenied as denied:
            return Created(ok=False, message=denied.message)
        url = self._urls.url(caller.base, caller.job, WRITE, KIND, made.upload)
        return Created(signed_upload_url=url)

    def finalize(self, caller: Caller, request: FinalizeRequest) -> Finalized:
        """Keep a cache that was uploaded."""
        entry = self._caches.finish(caller.job, request.key, request.version, request.size_bytes)
        return Finalized(entry_id=entry.id)

    def find(self, caller: Caller, request: DownloadRequest) -> Found:
        """Return where the cache that fits best is read."""
        restore_keys = request.restore_keys or ()
        entry = self._caches.find(caller.job, request.key, restore_keys, request.version)
        if entry is None:
            return Found()
        return Found(
            ok=True, signed_download_url=self.address(caller, entry.id), matched_key=entry.key
        )

    def address(self, caller: Caller, number: str) -> str:
        """Return where the caller reads a cache, by its id, for a while."""
        return self._urls.url(caller.base, caller.job, READ, KIND, number)

    def open(self, job: ServicesJob, place: str) -> Download:
        """Open what an address leads to. Raises NotFound."""
        entry, file = self._caches.open(job, place)
        return Download(
            file=file,
            size=entry.size,
            digest=f"cache-{entry.id}",
            content_type=CONTENT_TYPE,
            name=f"cache-{entry.id}",
        )

    def end(self, job: ServicesJob) -> None:
        """Forget what a job reserved and did not finish."""
        self._caches.end(job)
