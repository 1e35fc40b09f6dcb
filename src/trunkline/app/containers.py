"""Puts the containers of jobs together: the engine, the job's own socket, and where pushes go."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trunkline.app import System
from trunkline.app.adapter_table import adapter
from trunkline.app.late import Once
from trunkline.base.errors import Unavailable
from trunkline.ports.containers import (
    ActionRun,
    Begun,
    BuildSpec,
    Containers,
    ContainerSpec,
    ImageFacts,
    ImagePush,
    Images,
    Login,
    Watch,
)
from trunkline.ports.endpoints import REGISTRY
from trunkline.ports.process import Process
from trunkline.ports.sandbox import JobPlace, Layout


class Engines:
    """The container engine of this process's jobs, connected when one of them needs it."""

    def __init__(self, system: System) -> None:
        self._system = system
        environ = system.settings.environment
        self.address = Once[str](lambda: adapter("engine-address")(environ))
        self.connect = Once[Any](lambda: adapter("engine")(self.address(), environ))
        self.swept = Once[None](lambda: adapter("sweep-engine-sockets")(environ))

    def of_job(self, place: JobPlace, layout: Layout) -> LateContainers:
        """Return the containers of a job on this machine; nothing is loaded yet."""
        return LateContainers(Parts(self._system, self, place, layout))

    def of_container_job(self, place: JobPlace, layout: Layout) -> Containers:
        """Return the containers of a job in a container."""
        found: Containers = Parts(self._system, self, place, layout).containers()
        return found

    def sweep(self, notes: list[str]) -> None:
        """Remove what killed engines of ours left at the container engine, as their notes tell.

        While that engine can't be reached the notes stay: a run need not have containers.
        """
        try:
            unseen = adapter("unseen-container-notes")(notes, self.address())
            if not unseen:
                return
            engine = self.connect()
        except Unavailable:
            return
        adapter("sweep-engine")(engine, unseen)


class Parts:
    """What one job's containers are made of, each made when it is first needed."""

    def __init__(self, system: System, engines: Engines, place: JobPlace, layout: Layout) -> None:
        self._system = system
        self._engines = engines
        self._layout = layout
        self._environ = system.settings.environment
        self._labels: Mapping[str, str] = adapter("job-labels")(place.run_id, place.key)
        self._note = adapter("container-note")(system.settings.work, place.run_id, place.key)
        self._lock = threading.Lock()
        self._listeners: list[Callable[[ImagePush], None]] = []
        self._publishers: list[Any] = []
        self.door = Once[Any](self._door)
        self.containers = Once[Any](self._containers)
        self.was_made = False

    def _door(self) -> Any:
        self._engines.swept()
        return adapter("engine-door")(self._environ, self._system.ids.token(), self._proxy)

    def has_engine(self) -> bool:
        """Tell whether an engine may be here."""
        found: bool = adapter("has-engine")(self._environ)
        return found

    def listen(self, told: Callable[[ImagePush], None]) -> None:
        """Say who hears of every push."""
        with self._lock:
            self._listeners.append(told)
            for publisher in self._publishers:
                publisher.listen(told)

    def publisher(self) -> Any:
        """Return where the job's pushes go."""
        address = self._engines.address()
        with self._lock:
            if not self._publishers:
                made = adapter("publisher")(address, self._environ, self._system.kept_images)
                for told in self._listeners:
                    made.listen(told)
                self._publishers.append(made)
            return self._publishers[0]

    def _end_publishing(self) -> None:
        """Let go of what pushes and pulls made on the way, where there were any."""
        with self._lock:
            publishers = tuple(self._publishers)
        for publisher in publishers:
            publisher.close()

    def _proxy(self) -> Any:
        """Make what serves the job's own socket; its scripts may create containers by it."""
        adapter("write-container-note")(self._note, self._engines.address())
        policy = self._system.choices.network_policy
        place = adapter("engine-proxy-place")(
            labels=self._labels,
            outside=self._layout.outside,
            socket=self.door().open(),
            policy=policy,
            confine=None if policy == "open" else self._confine,
        )
        return adapter("engine-proxy")(
            self._engines.address(), self._environ, self.publisher(), place
        )

    def _confine(self, ports: Sequence[str]) -> Any:
        return self.containers().confine(ports)

    def _containers(self) -> Any:
        system, settings = self._system, self._system.settings
        self.was_made = True
        limits = adapter("container-limits")(settings.container_memory, settings.container_pids)
        return adapter("containers")(
            adapter("container-site")(self._layout, self._labels, limits),
            adapter("container-wiring")(
                connect=self._engines.connect,
                publisher=self.publisher,
                end_publishing=self._end_publishing,
                door=self.door(),
                ids=system.ids,
                note=self._note,
                registry=lambda host: system.endpoints.ensure(REGISTRY, host),
                policy=adapter("network-policy")(system.choices.network_policy),
            ),
        )


class LateContainers:
    """The containers of a job on this machine, made with the first that it begins or runs."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.images: Images = LateImages(parts)

    def _real(self) -> Containers:
        found: Containers = self._parts.containers()
        return found

    def begin(
        self, job: ContainerSpec | None, services: Mapping[str, ContainerSpec], watch: Watch
    ) -> Begun:
        """Start the job's services."""
        return self._real().begin(job, services, watch)

    def run(self, action: ActionRun) -> Process:
        """Start a Docker action's container."""
        return self._real().run(action)

    def socket(self) -> str:
        """Return the path of the job's own Engine API socket, '' without an engine."""
        if not self._parts.has_engine():
            return ""
        path: str = self._parts.door().open()
        return path

    def address(self) -> str:
        """Return the address by which the job's containers reach the engine's machine."""
        return self._real().address()

    def end(self, watch: Watch) -> None:
        """Remove what there is, scripts' containers too."""
        parts = self._parts
        if parts.was_made or (parts.door.is_made and parts.door().was_used):
            self._real().end(watch)
        if parts.door.is_made:
            parts.door().close()


class LateImages:
    """The images of a job on this machine; to listen costs nothing."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def _real(self) -> Images:
        found: Images = self._parts.containers().images
        return found

    def pull(self, reference: str, login: Login | None, watch: Watch) -> ImageFacts:
        """Have an image here."""
        return self._real().pull(reference, login, watch)

    def build(self, spec: BuildSpec, watch: Watch) -> ImageFacts:
        """Build an image."""
        return self._real().build(spec, watch)

    def push(self, reference: str, login: Login | None, watch: Watch, image: str = "") -> ImagePush:
        """Push an image."""
        return self._real().push(reference, login, watch, image)

    def inspect(self, reference: str) -> ImageFacts | None:
        """Return what is known of an image that is here."""
        return self._real().inspect(reference)

    def tag(self, image: str, reference: str) -> None:
        """Give an image another name."""
        self._real().tag(image, reference)

    def listen(self, told: Callable[[ImagePush], None]) -> None:
        """Say who hears of every push."""
        self._parts.listen(told)
