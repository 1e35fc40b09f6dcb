"""What is made when it is first asked for: a run pays for nothing that its jobs do not use."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from trunkline.app.adapter_table import adapter
from trunkline.plan.facts import RepositoryFacts
from trunkline.plan.model import FileRef
from trunkline.ports.containers import Containers
from trunkline.ports.forge import Fetched, Forge, never
from trunkline.ports.job_services import JobServices
from trunkline.ports.sandbox import JobPlace, Layout, Sandbox, Sandboxes

T = TypeVar("T")


class Once(Generic[T]):
    """Makes a thing when it is first asked for, once, whichever thread asks."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: list[T] = []

    def __call__(self) -> T:
        """Return the thing."""
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]

    @property
    def is_made(self) -> bool:
        """Tell whether anybody has asked."""
        return bool(self._made)


class Look(Protocol):
    """A look of git's at a repository, which goes on (`adapters/git/facts.py`)."""

    def facts(self, event: str) -> RepositoryFacts:
        """Return what it saw."""
        ...

    def stop(self) -> None:
        """End it: nobody wants to know."""
        ...


class JobEngines(Protocol):
    """The container engine of this process's jobs (`app/containers.py`)."""

    def of_job(self, place: JobPlace, layout: Layout) -> Containers:
        """Return the containers of a job on this machine."""
        ...

    def of_container_job(self, place: JobPlace, layout: Layout) -> Containers:
        """Return the containers of a job in a container."""
        ...

    def sweep(self, notes: list[str]) -> None:
        """Remove what killed engines of ours left, as their notes tell."""
        ...


class ServedJobs(JobServices, Protocol):
    """The services of this process's jobs (`app/job_services.py`)."""

    def application(self) -> object:
        """Return what answers at the root of the port (WSGI)."""
        ...


class LateForge:
    """The reader of repositories: that of others' is made when a workflow uses one."""

    def __init__(self, make: Callable[[], Forge]) -> None:
        self._made = Once(make)
        self._looks: dict[tuple[str, bool], Look] = {}

    def look_at(self, directory: str, *, committed: bool) -> Callable[[], None]:
        """Have git look at a repository in advance; return what ends a look that nobody asked for."""
        look = self._looks[directory, committed] = _look(directory, committed=committed)
        return look.stop

    def facts(self, directory: str, *, committed: bool = False, event: str = "") -> RepositoryFacts:
        """Read what event payloads need from the repository that holds `directory`."""
        look = self._looks.pop((directory, committed), None)
        if look is None:
            look = _look(directory, committed=committed)
        return look.facts(event)

    def workflow_file(self, ref: FileRef) -> str:
        """Return the text of a workflow file in another repository."""
        return self._made().workflow_file(ref)

    def files(self, directory: str) -> tuple[str, ...] | None:
        """Return what belongs to the repository at `directory`."""
        return self._made().files(directory)

    def fetch(self, repository: str, ref: str, unwanted: Callable[[], bool] = never) -> Fetched:
        """Return the files of `owner/name` at `ref`."""
        return self._made().fetch(repository, ref, unwanted)


def _look(directory: str, *, committed: bool) -> Look:
    look: Look = adapter("look")(directory, committed=committed)
    return look


class Places:
    """Makes places of every kind."""

    def __init__(
        self, host: Sandboxes, docker: Callable[[], Sandboxes], sweep_engine: Callable[[], None]
    ) -> None:
        self._host = host
        self._docker = Once(docker)
        self._sweep_engine = sweep_engine

    def open(self, where: str) -> Sandbox:
        """Return a place on this machine, or in a container."""
        made = self._docker() if where.startswith("docker:") else self._host
        return made.open(where)

    def sweep(self) -> None:
        """Remove what killed engines left: containers first, since they use the folders."""
        self._sweep_engine()
        self._host.sweep()
