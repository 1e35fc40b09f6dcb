"""Puts the services that actions call together: one port on loopback, its parts made late."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from wsgiref.types import WSGIApplication

from trunkline.app import Once, System, adapter
from trunkline.ports.artifacts import Artifacts
from trunkline.ports.caches import Caches
from trunkline.ports.endpoints import LOOPBACK, RESULTS
from trunkline.ports.job_services import ServicesAccess, ServicesJob, StoredListener, ignore
from trunkline.ports.uploads import Uploads
from trunkline.services.actions.jobs import LiveJobs

# Uploads that got nothing for so long are nobody's: their process was killed.
ABANDONED = 24 * 60 * 60
RESULTS_SERVICES = "github.actions.results.api.v1"
IDENTITY_SCOPE = "id-token"


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
        store: Artifacts = adapter("artifacts")(f"{state}/runs", clock, ids)
        self.artifacts = adapter("artifact-service")(jobs, store, self.uploads, self.urls, clock)
        caches: Caches = adapter("caches")(f"{state}/caches", clock, ids)
        self.job_caches = adapter("job-caches")(caches, self.uploads, clock, ids)
        self.caches = adapter("cache-service")(self.job_caches, self.urls)

    def end(self, job: ServicesJob) -> None:
        """Forget what a job left unfinished."""
        self.artifacts.end(job)
        self.caches.end(job)


class LocalJobServices:
    """See the port `JobServices`. Tokens live in this process alone, and die with their jobs."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._jobs = LiveJobs(system.clock, system.ids)
        self._shared = Once(lambda: Shared(system, self._jobs))

    def token(self, job: ServicesJob, given: str = "") -> str:
        """Return the job's GITHUB_TOKEN; one that its user gave counts too."""
        if given:
            self._jobs.accept(job, given)
        return given or self._jobs.token(job)

    def open(
        self, job: ServicesJob, stored: StoredListener = ignore, host: str = ""
    ) -> ServicesAccess:
        """Have the services up and the job known to them. Raises Unavailable."""
        url = self._url(host)
        self._jobs.begin(job, stored)
        tokens = self._shared().tokens
        runtime: str = tokens.runtime(job)
        scripts: dict[str, str] = {}
        if job.permissions.get(IDENTITY_SCOPE) == "write":
            asked = f"{url}/oidc/token?run={job.run_id}&job={job.number}"
            scripts["ACTIONS_ID_TOKEN_REQUEST_URL"] = asked
            scripts["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = tokens.identity(job)
        actions = {
            "ACTIONS_RUNTIME_URL": f"{url}/",
            "ACTIONS_RUNTIME_TOKEN": runtime,
            "ACTIONS_RESULTS_URL": f"{url}/",
            "ACTIONS_CACHE_URL": f"{url}/",
            "ACTIONS_CACHE_SERVICE_V2": "True",
        }
        secret = (runtime, *(scripts[name] for name in scripts if name.endswith("_TOKEN")))
        return ServicesAccess(
            actions={**actions, **scripts},
            scripts=scripts,
            git=git_settings(job, url, self._jobs.token(job)),
            github={"api_url": f"{url}/api/v3", "graphql_url": f"{url}/api/graphql"},
            secrets=secret,
        )

    def _url(self, host: str) -> str:
        """Return the address; a name of this machine (not a number) leads to its loopback."""
        is_name = bool(host) and not host.replace(".", "").isdigit()
        if not is_name:
            return self._system.endpoints.ensure(RESULTS, host or LOOPBACK)
        return self._system.endpoints.ensure(RESULTS).replace(LOOPBACK, host)

    def close(self, job: ServicesJob) -> None:
        """End the job's access, and forget what it left unfinished."""
        self._jobs.end(job)
        if self._shared.is_made:
            self._shared().end(job)

    def application(self) -> WSGIApplication:
        """Return what answers at the root of the port."""
        shared = self._shared()
        parts = {prefix: _late(make, shared) for prefix, make in PARTS.items()}
        found: WSGIApplication = adapter("results-app")(parts)
        return found


def git_settings(job: ServicesJob, url: str, token: str) -> dict[str, str]:
    """Return how git finds the services instead of the job's server (git-config(1), `url.*`)."""
    server = str(job.github.get("server_url") or "")
    scheme, _, rest = url.partition("://")
    return (
        {f"url.{scheme}://x-access-token:{token}@{rest}/.insteadOf": f"{server}/"} if server else {}
    )


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
    readers = {"artifacts": shared.artifacts.open, "caches": shared.caches.open}
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
    made = adapter("identity")(
        lambda: system.endpoints.ensure(RESULTS), keys, system.clock, system.ids
    )
    found: WSGIApplication = adapter("identity-app")(made, shared.tokens)
    return found


def _old_artifacts(_shared: Shared) -> WSGIApplication:
    """Return what answers version 3 of the artifact actions."""
    found: WSGIApplication = adapter("old-artifacts")()
    return found


def _git(shared: Shared) -> WSGIApplication:
    """Return what answers git; repositories that are not here are at the job's server."""
    choices = shared.system.choices
    service = adapter("git-service")(choices.directory, choices.local_repositories)

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
    "/": _git,
}
