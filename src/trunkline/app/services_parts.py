"""The parts of the services that actions call, each made with the first request for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from wsgiref.types import WSGIApplication

from trunkline.app import Choices, System, github_api
from trunkline.app.adapter_table import adapter
from trunkline.app.late import Once
from trunkline.ports.endpoints import RESULTS
from trunkline.ports.job_services import ServicesJob
from trunkline.ports.uploads import Uploads
from trunkline.run.api_host import hosts_of
from trunkline.services.actions.jobs import LiveJobs

# Uploads that got nothing for so long are nobody's: their process was killed.
ABANDONED = 24 * 60 * 60
RESULTS_SERVICES = "github.actions.results.api.v1"


class Shared:
    """What the parts have in common. Made when the first job opens its services."""

    def __init__(self, system: System, jobs: LiveJobs) -> None:
        self.system = system
        self.jobs = jobs
        clock, ids, state = system.clock, system.ids, system.settings.state
        key = bytes.fromhex(ids.token() + ids.token())
        self.tokens = adapter("job-tokens")(jobs, clock, ids, key)
        self.urls = adapter("signed-urls")(jobs, clock, key)
        self.uploads: Uploads = adapter("uploads")(f"{state}/uploads", clock, ids)
        self.uploads.sweep(clock.now() - ABANDONED)
        self.artifacts = adapter("artifact-service")(
            jobs, system.artifacts, self.uploads, self.urls, clock
        )
        self.job_caches = adapter("job-caches")(system.caches, self.uploads, clock, ids)
        self.caches = adapter("cache-service")(self.job_caches, self.urls)
        self.github = github_api.make_data(system)
        self.forwarding: Callable[[], Any] = Once(lambda: github_api.make_forwarding(system, jobs))

    def hosts(self, job: ServicesJob) -> tuple[str, ...]:
        """Return the hosts of GitHub's API that a job's actions are led from: none to publish."""
        if self.system.choices.publish:
            return ()
        return hosts_of(str(job.github.get("server_url") or ""))

    def end(self, job: ServicesJob) -> None:
        """Forget what a job left unfinished."""
        self.artifacts.end(job)
        self.caches.end(job)


def application(shared: Shared, api_of: Callable[[ServicesJob], str]) -> WSGIApplication:
    """Return what answers at the root of the port; `api_of` tells where a job finds the API."""
    parts = {prefix: _late(make, shared) for prefix, make in PARTS.items()}
    here, upstream = adapter("results-app")(parts), upstream_of(shared.system.choices)
    found: WSGIApplication = adapter("github-hosts")(here, shared.jobs.of_token, api_of, upstream)
    return found


def upstream_of(choices: Choices) -> Any:
    """Return what asks GitHub for what is not here; None where nobody, or no container, may."""
    is_open = not choices.offline and choices.network_policy == "open"
    return adapter("upstream")() if is_open else None


def _late(make: Callable[[Shared], WSGIApplication], shared: Shared) -> Callable[[], Any]:
    return lambda: make(shared)


def _twirp(shared: Shared) -> WSGIApplication:
    """Return what answers the services that speak Twirp."""
    services = {
        f"{RESULTS_SERVICES}.ArtifactService": shared.artifacts.methods,
        f"{RESULTS_SERVICES}.CacheService": shared.caches.methods,
    }
    found: WSGIApplication = adapter("twirp-app")(services, shared.tokens.runtime_job)
    return found


def _blobs(shared: Shared) -> WSGIApplication:
    """Return what answers signed addresses."""
    readers = {
        "artifacts": shared.artifacts.open,
        "caches": shared.caches.open,
        **github_api.readers(shared),
    }
    found: WSGIApplication = adapter("blobs-app")(shared.urls, shared.uploads, readers)
    return found


def _caches_v1(shared: Shared) -> WSGIApplication:
    """Return what answers version 1 of the cache service."""
    found: WSGIApplication = adapter("cache-v1")(shared.job_caches, shared.caches, shared.tokens)
    return found


def _identity(shared: Shared) -> WSGIApplication:
    """Return what answers who a job is, and everybody with what this is checked."""
    system = shared.system
    keys = adapter("identity-keys")(f"{system.settings.state}/identity-keys", system.clock)

    def issuer() -> str:
        return system.endpoints.ensure(RESULTS)

    made = adapter("identity")(issuer, keys, system.clock, system.ids, github_api.subjects(shared))
    found: WSGIApplication = adapter("identity-app")(made, shared.tokens)
    return found


def _old_artifacts(_shared: Shared) -> WSGIApplication:
    """Return what answers version 3 of the artifact actions."""
    found: WSGIApplication = adapter("old-artifacts")()
    return found


def _untold(_job: ServicesJob, _written: object) -> None:
    """Tell nobody."""


def _git(shared: Shared) -> WSGIApplication:
    """Return what answers git; repositories that are not here are at the job's server."""
    choices = shared.system.choices
    own: Any = shared.github()
    jobs = shared.jobs
    told = _untold if choices.publish else jobs.tell_stored  # the forwarded push is told, once
    service = adapter("git-service")(own.git_dir, choices.local_repositories, told)

    if choices.publish:
        upstream = adapter("upstream")()
        service = adapter("forwarded-pushes")(service, upstream, jobs.given, jobs.tell_stored)

    def elsewhere(job: ServicesJob) -> str:
        return "" if choices.offline else str(job.github.get("server_url") or "")

    found: WSGIApplication = adapter("git-app")(service, shared.jobs.of_token, elsewhere)
    return found


# Path, or start of paths that ends in `/` -> what makes the part that answers.
PARTS: Mapping[str, Callable[[Shared], WSGIApplication]] = {
    "/twirp/": _twirp,
    "/blobs/": _blobs,
    "/_apis/artifactcache/": _caches_v1,
    "/oidc/token": _identity,
    "/.well-known/": _identity,
    "/_apis/pipelines/": _old_artifacts,
    "/api/v3/": github_api.api,
    "/api/uploads/": github_api.api,
    "/api/graphql": github_api.graphql,
    "/": _git,
}
