"""Opens the services that actions call: one port on loopback, loaded with the first job that needs it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from trunkline.app import System
from trunkline.app.adapter_table import adapter
from trunkline.app.late import Once
from trunkline.ports.endpoints import LOOPBACK, RESULTS
from trunkline.ports.job_services import ServicesAccess, ServicesJob, StoredListener, ignore
from trunkline.services.actions.jobs import LiveJobs

IDENTITY_SCOPE = "id-token"
# What is written before a token in an address of git's.
USERS = ("", "x-access-token:", "github-actions:", "github-actions[bot]:", "git:", "oauth2:")
# The second counts where a workflow sets another address for pushes alone.
OWN_KEYS = ("insteadOf", "pushInsteadOf")
# Before a server's host in the services' addresses.
ELSEWHERE = "/-/"
API = "/api/v3"


class LocalJobServices:
    """See the port `JobServices`. Tokens live in this process alone, and die with their jobs."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._jobs = LiveJobs(system.clock, system.ids)
        self._gateways: dict[tuple[str, int], list[str]] = {}
        self._urls: dict[tuple[str, int], str] = {}
        self._shared = Once[Any](lambda: adapter("job-services-shared")(system, self._jobs))

    def token(self, job: ServicesJob, given: str = "") -> str:
        """Return the job's GITHUB_TOKEN; one that its user gave counts too."""
        if given:
            self._jobs.accept(job, given)
        return given or self._jobs.token(job)

    def open(
        self, job: ServicesJob, stored: StoredListener = ignore, host: str = ""
    ) -> ServicesAccess:
        """Have the services up and the job known to them. Raises Unavailable."""
        url = self._urls[job.run_id, job.number] = self._url(host, job)
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
            "ACTIONS_CACHE_MODE": job.cache_mode,
        }
        secret = (runtime, *(scripts[name] for name in scripts if name.endswith("_TOKEN")))
        return ServicesAccess(
            actions={**actions, **scripts},
            scripts=scripts,
            git=git_settings(job, url, self._jobs.tokens(job)),
            github={"api_url": f"{url}{API}", "graphql_url": f"{url}/api/graphql"},
            hosts=self._shared().hosts(job),
            secrets=secret,
        )

    def _url(self, host: str, job: ServicesJob) -> str:
        """Return the address; a name of this machine (not a number) leads to its loopback."""
        endpoints = self._system.endpoints
        if not host:
            return endpoints.ensure(RESULTS)
        if not host.replace(".", "").isdigit():
            return endpoints.ensure(RESULTS).replace(LOOPBACK, host)
        self._gateways.setdefault((job.run_id, job.number), []).append(host)
        return endpoints.ensure(RESULTS, host)

    def close(self, job: ServicesJob) -> None:
        """End the job's access, and forget what it left unfinished.

        The addresses in networks of its own are given up.
        """
        self._jobs.end(job)
        self._urls.pop((job.run_id, job.number), None)
        if self._shared.is_made:
            self._shared().end(job)
        for host in self._gateways.pop((job.run_id, job.number), ()):
            self._system.endpoints.release(RESULTS, host)

    def _api_of(self, job: ServicesJob) -> str:
        return f"{self._urls.get((job.run_id, job.number), '')}{API}"

    def application(self) -> object:
        """Return what answers at the root of the port (WSGI)."""
        found: object = adapter("job-services-application")(self._shared(), self._api_of)
        return found


def git_settings(job: ServicesJob, url: str, tokens: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return how git finds the services instead of the job's server (git-config(1), `url.*`).

    The server is named without a `/` behind it: an address that a workflow itself sets for
    `https://github.com/` is longer, and counts (a token of its own for private repositories, say).
    The job's own repository is here whatever it sets, below its plain name, which tools read. One
    of the job's tokens leads here in an address too, with the names that people write before it.
    """
    server, (scheme, _, rest) = str(job.github.get("server_url") or ""), url.partition("://")
    if not server:
        return ()
    there, _, place = server.rstrip("/").partition("://")
    host = place.partition("/")[0]
    actor = str(job.github.get("actor") or "")
    users = dict.fromkeys((*USERS, *([f"{actor}:"] if actor else [])))
    found = [(f"http.{url}/.proxy", "")]
    for number, token in enumerate(tokens):
        ours = f"url.{scheme}://x-access-token:{token}@{rest}"
        names = [f"{user}{token}@" for user in users]
        for name in names if number else ["", *names]:
            found.append((f"{ours}{ELSEWHERE}{host}.insteadOf", f"{there}://{name}{place}"))
            own = f"{there}://{name}{place}/{job.repository}"
            found += [(f"{ours}/{job.repository}.{key}", own) for key in OWN_KEYS]
    return tuple(found)
