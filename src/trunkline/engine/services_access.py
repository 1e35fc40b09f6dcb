"""A job's way to the services that actions call: opened when a step first needs it, then shut."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping

from trunkline.base.errors import Unavailable
from trunkline.ports.job_services import JobServices, ServicesAccess, ServicesJob, StoredListener
from trunkline.ports.job_services import ignore as ignore_stored
from trunkline.run.cache_access import cache_mode
from trunkline.run.encodings import token_values
from trunkline.run.git_settings import Settings
from trunkline.run.job_request import JobRequest
from trunkline.run.token_access import granted

IDENTITY = "id-token"
# Docker actions get the old cache protocol (reference section 6.1).
NOT_IN_CONTAINERS = "ACTIONS_CACHE_SERVICE_V2"
# How long tokens outlive the job's own time limits, for what ends it (seconds).
GRACE = 10 * 60
HEADS = "refs/heads/"
NONE_HERE = "Actions have no services here (artifacts, caches, identity, GitHub's API)"
NOTHING = ServicesAccess(actions={}, scripts={}, github={})


class NoServices:
    """Services of which there are none: jobs get no token."""

    def token(self, _job: ServicesJob, given: str = "") -> str:
        """Return what the user gave."""
        return given

    def open(
        self, _job: ServicesJob, _stored: StoredListener = ignore_stored, _host: str = ""
    ) -> ServicesAccess:
        """Return nothing."""
        return NOTHING

    def close(self, _job: ServicesJob) -> None:
        """Do nothing."""


class JobAccess:
    """What one job has of its services. Thread-safe: background steps share it."""

    def __init__(self, services: JobServices, job: ServicesJob) -> None:
        self._services = services
        self._job = job
        self._lock = threading.Lock()
        self._opened: dict[bool, ServicesAccess] = {}
        self._stored: StoredListener = ignore_stored
        self._mask: Callable[[Iterable[str]], None] = _show_all
        self._failed: set[bool] = set()
        self._problem = ""
        self.own_token = ""

    def begin(
        self, given: str, stored: StoredListener, mask: Callable[[Iterable[str]], None]
    ) -> str:
        """Return the job's GITHUB_TOKEN, which is `given` where the user gave one.

        `stored` hears of artifacts that actions upload; `mask` hides secrets.
        """
        self._stored, self._mask = stored, mask
        token = self._services.token(self._job, given)
        self.own_token = "" if given else token
        mask(token_values(token))
        return token

    @property
    def github(self) -> Mapping[str, str]:
        """What the `github` context has from the services, once they are open."""
        with self._lock:
            return next(iter(self._opened.values()), NOTHING).github

    @property
    def scripts(self) -> Mapping[str, str]:
        """What `run` steps get, once the services are open."""
        with self._lock:
            return next(iter(self._opened.values()), NOTHING).scripts

    @property
    def git(self) -> Settings:
        """Settings of git that lead to the services, once they are open."""
        with self._lock:
            return next(iter(self._opened.values()), NOTHING).git

    @property
    def cache_mode(self) -> str:
        """What the job may do with caches."""
        return self._job.cache_mode

    @property
    def permissions(self) -> Mapping[str, str]:
        """What the job's token may do."""
        return self._job.permissions

    def gives_identity(self) -> bool:
        """Tell whether the job may ask who it is."""
        return self._job.permissions.get(IDENTITY) == "write"

    def open(self, address: Callable[[], str] | None = None) -> ServicesAccess:
        """Return how to reach the services on this machine, or from containers by an `address` of it.

        Where they can't be started there is nothing, and `problem` says so: many actions do without.
        """
        with self._lock:
            is_contained = address is not None
            if is_contained not in self._opened and is_contained not in self._failed:
                try:
                    host = "" if address is None else address()
                    found = self._services.open(self._job, self._stored, host)
                except Unavailable as error:
                    self._failed.add(is_contained)
                    self._problem = f"{NONE_HERE}: {error} {error.hint}".rstrip()
                else:
                    self._mask(found.secrets)
                    self._opened[is_contained] = found
            return self._opened.get(is_contained, NOTHING)

    def problem(self) -> str:
        """Return, once, why there are no services."""
        with self._lock:
            found, self._problem = self._problem, ""
            return found

    def close(self) -> None:
        """End the job's access. Idempotent."""
        self._services.close(self._job)


def services_job(request: JobRequest, now: float) -> ServicesJob:
    """Return whose services a job's are; `now` is in seconds since the epoch."""
    leg, source = request.leg, request.job.source
    minutes = leg.timeout_minutes + leg.cancel_timeout_minutes
    return ServicesJob(
        run_id=request.run_id,
        key=request.key,
        number=request.job_number,
        repository=request.repository,
        github=request.github,
        permissions=granted(request.job.permissions, request.github),
        scopes=cache_scopes(request.github),
        deadline=now + minutes * 60 + GRACE,
        environment=leg.environment,
        workflow_path=f"{source.repository}/{source.path}@{source.ref}",
        cache_mode=cache_mode(request.job.cache_mode, request.github),
    )


def cache_scopes(github: Mapping[str, object]) -> tuple[str, ...]:
    """Return the refs whose caches a run reads: its own, its base branch, the default branch.

    GitHub: restrictions for accessing a cache.
    """
    event = github.get("event")
    repository = event.get("repository") if isinstance(event, Mapping) else None
    default = repository.get("default_branch") if isinstance(repository, Mapping) else None
    base = github.get("base_ref")
    found = [str(github.get("ref") or "")]
    found += [f"{HEADS}{branch}" for branch in (base, default) if branch]
    return tuple(dict.fromkeys(ref for ref in found if ref))


def _show_all(_values: Iterable[str]) -> None:
    """Hide nothing: nobody reads yet."""
