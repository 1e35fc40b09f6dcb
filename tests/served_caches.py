"""Caches and identity served on a port, as jobs of a run reach them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from trunkline.adapters.caches.folder import FolderCaches
from trunkline.adapters.clock import SystemClock, SystemIds
from trunkline.adapters.identity_keys.files import FileKeys
from trunkline.adapters.uploads.files import FileUploads
from trunkline.ports.clock import Clock
from trunkline.ports.identity_keys import IdentityKeys
from trunkline.ports.job_services import ServicesJob
from trunkline.services.actions.cache_service import KIND, SERVICE, CacheService
from trunkline.services.actions.caches import JobCaches
from trunkline.services.actions.identity import Identity, Subject
from trunkline.services.actions.jobs import LiveJobs
from trunkline.services.actions.signed_urls import SignedUrls
from trunkline.services.actions.tokens import JobTokens
from trunkline.web.blobs import BlobsApp
from trunkline.web.cache_v1 import PREFIX, CacheV1App
from trunkline.web.identity import PATHS, TOKEN_PATH, IdentityApp
from trunkline.web.results import ResultsApp
from trunkline.web.server import Server, serve
from trunkline.web.twirp import TwirpApp

KEY = b"k" * 32
MAIN = "refs/heads/main"


def job(*scopes: str, number: int = 1, **changes: Any) -> ServicesJob:
    """Return a job of octo/demo; the first of `scopes` is its own."""
    ref = (scopes or (MAIN,))[0]
    made = ServicesJob(
        run_id="77",
        key="build",
        number=number,
        repository="octo/demo",
        github={
            "event_name": "push",
            "ref": ref,
            "repository": "octo/demo",
            "repository_owner": "octo",
            "server_url": "https://github.com",
            "workflow_ref": f"octo/demo/.github/workflows/ci.yml@{ref}",
        },
        permissions={"id-token": "write"},
        scopes=scopes or (MAIN,),
        deadline=SystemClock().now() + 21600,
    )
    return msgspec.structs.replace(made, **changes)


class ServedCaches:
    """The services' parts; `application` answers for them, `url` is where once it is served."""

    def __init__(
        self,
        root: Path,
        clock: Clock | None = None,
        keys: IdentityKeys | None = None,
        subject: Subject | None = None,
    ) -> None:
        clock = clock or SystemClock()
        ids = SystemIds()
        wanted = subject or Subject()
        self.url = ""
        self.store = FolderCaches(root / "caches", clock, ids)
        self.uploads = FileUploads(str(root / "uploads"), clock, ids)
        self.jobs = LiveJobs(clock, ids)
        self.tokens = JobTokens(self.jobs, clock, ids, KEY)
        self.urls = SignedUrls(self.jobs, clock, KEY)
        self.caches = JobCaches(self.store, self.uploads, clock, ids)
        self.service = CacheService(self.caches, self.urls)
        keys = keys or FileKeys(str(root / "keys"), clock)
        self.identity = Identity(lambda: self.url, keys, clock, ids, lambda _: wanted)
        self.application = ResultsApp(
            {
                "/twirp/": lambda: TwirpApp(
                    {SERVICE: self.service.methods}, self.tokens.runtime_job
                ),
                "/blobs/": lambda: BlobsApp(self.urls, self.uploads, {KIND: self.service.open}),
                PREFIX: lambda: CacheV1App(self.caches, self.service, self.tokens),
                **dict.fromkeys(PATHS, lambda: IdentityApp(self.identity, self.tokens)),
            }
        )

    def begin(self, made: ServicesJob) -> dict[str, str]:
        """Let a job in; return the environment that its actions get."""
        self.jobs.begin(made)
        return {
            "ACTIONS_CACHE_SERVICE_V2": "True",
            "ACTIONS_CACHE_URL": f"{self.url}/",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": self.tokens.identity(made),
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}{TOKEN_PATH}?job={made.number}",
            "ACTIONS_RESULTS_URL": f"{self.url}/",
            "ACTIONS_RUNTIME_TOKEN": self.tokens.runtime(made),
        }

    def end(self, made: ServicesJob) -> None:
        """Shut a job out."""
        self.jobs.end(made)
        self.service.end(made)


@contextmanager
def served(root: Path, **chosen: Any) -> Iterator[ServedCaches]:
    """Serve them below `root` until the end of the block."""
    parts = ServedCaches(root, **chosen)
    server: Server = serve(parts.application)
    with server:
        parts.url = server.url
        yield parts
