"""Port: the services that actions call: artifacts, caches, identity, GitHub's API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from trunkline.ports.artifacts import ArtifactInfo


class Written(msgspec.Struct, frozen=True):
    """What a job wrote to its repository: recorded here, or sent to the server `sent_to` (a host).

    `kind` is what GitHub calls it (`release`, `check run`), `what` names it and tells its state.
    """

    kind: str
    what: str
    sent_to: str = ""


# Hears of artifacts that a job's actions finish uploading and of what it writes to its repository,
# from threads of the services.
StoredListener = Callable[[ArtifactInfo | Written], None]


def ignore(_info: ArtifactInfo | Written) -> None:
    """Do nothing about what was stored or written."""


class ServicesJob(msgspec.Struct, frozen=True, kw_only=True):
    """Whose services: one job of one run.

    `number` is unique among the run's jobs (it stands for the job in backend ids); `permissions`
    are effective (`read`, `write`, `none` by scope); `github` is the job's context without a token;
    `scopes` are the cache scopes it may read (refs, its own first); `cache_mode` is what it may do with
    them (`read`, `write`, `write-only`, `none`).
    `deadline` is when it must have ended, in seconds since the epoch: no token lives longer.
    """

    run_id: str
    key: str
    number: int
    repository: str
    github: Mapping[str, Any]
    permissions: Mapping[str, str]
    scopes: tuple[str, ...]
    deadline: float
    environment: str = ""
    workflow_path: str = ""
    cache_mode: str = "write"


class ServicesAccess(msgspec.Struct, frozen=True, kw_only=True):
    """How a job reaches its services (GitHub's names; reference section 6.1).

    `actions` are the variables that JavaScript actions get, Docker actions too but for
    ACTIONS_CACHE_SERVICE_V2; `scripts` those that `run` steps get (the identity pair, if allowed).
    `github` are values of the `github` context that change: `api_url`, `graphql_url`. `git` are
    settings of git, some of them several times: by them fetches from the job's server and pushes to
    it arrive here. `hosts` are hosts of the server's API: what JavaScript actions ask of them comes
    to `api_url`.
    `secrets` must never be shown.
    """

    actions: Mapping[str, str]
    scripts: Mapping[str, str]
    github: Mapping[str, str]
    git: tuple[tuple[str, str], ...] = ()
    hosts: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()


class JobServices(Protocol):
    """Thread-safe. Nothing listens before the first `open` of a run."""

    def token(self, job: ServicesJob, given: str = "") -> str:
        """Return the job's GITHUB_TOKEN. It can be told before anything listens.

        `given` is one that the user brought: it is returned, and it counts here like our own.
        """
        ...

    def open(
        self,
        job: ServicesJob,
        stored:
        # Hears of artifacts that a job's actions finish uploading and of what it writes to its repository,
        # from threads of the services.
        StoredListener = ignore,
        host: str = "",
    ) -> ServicesAccess:
        """Have the services up and the job known to them. Idempotent. Raises Unavailable.

        `stored` hears of the job's artifacts and of what it writes to its repository. `host` is the
        address of this machine by which the job's processes reach it ('': loopback), as a
        container's do.
        """
        ...

    def close(self, job: ServicesJob) -> None:
        """End the job's access: its tokens and signed addresses are dead from now on."""
        ...
