"""What is made when it is first asked for: a run pays for nothing that its jobs do not use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from trunkline.app.adapter_table import adapter, load
from trunkline.plan.facts import RepositoryFacts
from trunkline.plan.model import FileRef
from trunkline.ports.actions import NativeAction
from trunkline.ports.forge import Fetched, Forge, never
from trunkline.ports.sandbox import Sandbox, Sandboxes
from trunkline.ports.toolchains import NodeProgram, Toolchains

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


class LateForge:
    """The reader of repositories: that of others' is made when a workflow uses one."""

    def __init__(self, make: Callable[[], Forge]) -> None:
        self._made = Once(make)

    def facts(self, directory: str, *, committed: bool = False, event: str = "") -> RepositoryFacts:
        """Read what event payloads need from the repository that holds `directory`."""
        found: RepositoryFacts = adapter("facts")(directory, committed=committed, event=event)
        return found

    def workflow_file(self, ref: FileRef) -> str:
        """Return the text of a workflow file in another repository."""
        return self._made().workflow_file(ref)

    def files(self, directory: str) -> tuple[str, ...] | None:
        """Return what belongs to the repository at `directory`."""
        return self._made().files(directory)

    def fetch(self, repository: str, ref: str, unwanted: Callable[[], bool] = never) -> Fetched:
        """Return the files of `owner/name` at `ref`."""
        return self._made().fetch(repository, ref, unwanted)


class LateToolchains:
    """The finder of programs for the engine, made when a job needs one."""

    def __init__(self, make: Callable[[], Toolchains]) -> None:
        self._made = Once(make)

    def node(self, major: int) -> str:
        """Return the path of a node program of that major version."""
        return self._made().node(major)

    def nodes(self) -> tuple[NodeProgram, ...]:
        """Return the node programs that are here."""
        return self._made().nodes()

    def install_node(self, versions: str) -> NodeProgram:
        """Install the newest node of an npm range into the cache."""
        return self._made().install_node(versions)

    def external_node(self, major: int, *, musl: bool) -> str:
        """Have a node for containers; return its folder's name."""
        return self._made().external_node(major, musl=musl)


class LateNatives:
    """The native actions, each loaded when a workflow first uses it."""

    def __init__(self, make_world: Callable[[], object], owner: str = "") -> None:
        """Take how the world is made that every action gets.

        With `owner` only its actions are native (`--no-native` leaves Trunkline's own: steps that
        buildspecs are lowered to, and that have no files).
        """
        self._owner = owner
        self._world = Once(make_world)
        self._table: Mapping[str, str] = adapter("natives")
        self._lock = threading.Lock()
        self._made: dict[str, NativeAction] = {}

    def find(self, repository: str) -> NativeAction | None:
        """Return the native implementation of `owner/name[/path]`, or None."""
        name = repository.lower()
        if name not in self._table or not name.startswith(self._owner):
            return None
        world = self._world()
        with self._lock:
            if name not in self._made:
                self._made[name] = load(self._table[name])(world)
            return self._made[name]


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
