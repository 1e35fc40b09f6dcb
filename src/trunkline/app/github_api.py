"""Puts GitHub's REST API together, for the services that actions call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol
from wsgiref.types import WSGIApplication

from trunkline.app import System
from trunkline.app.adapter_table import adapter
from trunkline.app.late import Once
from trunkline.ports.github_data import GitHubData
from trunkline.ports.job_services import ServicesJob
from trunkline.ports.uploads import Uploads
from trunkline.services.actions.jobs import LiveJobs

# Kinds of downloads: the part of a signed address, and the method that opens it.
KINDS = {"archives": "archive", "files": "file", "logs": "log"}


class Shared(Protocol):
    """What the services of actions have in common."""

    system: System
    jobs: LiveJobs
    urls: Any
    uploads: Uploads
    artifacts: Any
    github: Callable[[], GitHubData]
    forwarding: Callable[[], Any]


def make_data(system: System) -> Callable[[], GitHubData]:
    """Return what makes the data of repositories when they are first asked for."""
    runs = f"{system.settings.state}/runs"
    return Once(
        lambda: adapter("github-data")(runs, system.choices.directory, system.ids, adapter("blobs"))
    )


def make_forwarding(system: System, jobs: LiveJobs) -> Any:
    """Return what sends requests to the real API; None for a rehearsal."""
    if not system.choices.publish:
        return None
    places = adapter("github-places")

    def of_job(job: ServicesJob) -> Any:
        return places(str(job.github.get("server_url") or ""), system.settings.github_api_url)

    return adapter("github-forwarding")(adapter("upstream")(), of_job, jobs.given, jobs.tell_stored)


def api(shared: Shared) -> WSGIApplication:
    """Return what answers below `/api/v3/`."""
    system = shared.system
    stores = adapter("github-stores")(
        data=shared.github(),
        uploads=shared.uploads,
        clock=system.clock,
        ids=system.ids,
        journals=system.journals,
        logs=system.logs,
        artifacts=shared.artifacts,
        caches=adapter("kept-caches")(system.caches),
        urls=shared.urls,
        tell=shared.jobs.tell_stored,
        stop=adapter("ask-to-stop"),
    )
    found: WSGIApplication = adapter("github-api")(
        stores, shared.jobs.of_token, shared.forwarding()
    )
    return found


def graphql(shared: Shared) -> WSGIApplication:
    """Return what answers GraphQL."""
    forwarding = shared.forwarding()
    found: WSGIApplication = (
        adapter("graphql-forwarded")(forwarding, shared.jobs.of_token)
        if forwarding
        else adapter("graphql")
    )
    return found


def subjects(shared: Shared) -> Callable[[ServicesJob], Any]:
    """Return what tells how a job's identity tokens name their subject."""
    return lambda job: adapter("subject-of")(shared.github().records(job))


def readers(shared: Shared) -> Mapping[str, Callable[..., Any]]:
    """Return what opens the downloads that the API leads to, by kind."""
    system = shared.system
    downloads = Once(
        lambda: adapter("github-downloads")(
            shared.github(), system.journals, system.logs, adapter("zip-files")
        )
    )
    return {
        kind: lambda job, place, method=method: getattr(downloads(), method)(job, place)
        for kind, method in KINDS.items()
    }
