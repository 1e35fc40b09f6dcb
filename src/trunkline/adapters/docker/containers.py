"""One job's containers at the engine: its own, its services and those of its Docker actions."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec
from docker.errors import APIError

from trunkline.adapters.docker import payloads
from trunkline.adapters.docker.action_builds import ActionBuilds
from trunkline.adapters.docker.ending import Ending
from trunkline.adapters.docker.engine import START_EXEC, Engine, escaped, refusals
from trunkline.adapters.docker.health import await_health
from trunkline.adapters.docker.images import DockerImages
from trunkline.adapters.docker.marks import remove_note, write_note
from trunkline.adapters.docker.networks import Policy, create_network, gateway
from trunkline.adapters.docker.ownership import others_files, reclaim_by, reclaim_within
from trunkline.adapters.docker.payloads import EXTERNALS, Create, Site
from trunkline.adapters.docker.process import Command, Container, ContainerProcess
from trunkline.adapters.docker.proxy.belongings import Belongings
from trunkline.adapters.docker.proxy.confining import Confined, Confinement
from trunkline.adapters.docker.proxy.labelling import ENGINE_SOCKETS
from trunkline.adapters.docker.publishing import Publisher
from trunkline.adapters.docker.signals import MARK, Within, is_near
from trunkline.adapters.docker.starting import ELSEWHERE, Made, Started, Starter
from trunkline.adapters.docker.story import Story
from trunkline.adapters.docker.streams import Output
from trunkline.base.errors import Unavailable
from trunkline.ports.clock import Ids
from trunkline.ports.containers import ActionRun, Begun, ContainerSpec, Running, Watch
from trunkline.ports.process import ProcessSpec

# Where a container finds this machine's registry, when it may reach nothing else (`host:port`).
REGISTRY_VARIABLE = "TRUNKLINE_REGISTRY"
FAILED = "One or more containers failed to start."
CANCELLED = "The operation was canceled."
NOT_BEGUN = "The job's container has not been started."


class Door(Protocol):
    """A job's own Engine API socket."""

    @property
    def was_used(self) -> bool:
        """Tell whether anybody has come through it."""
        ...

    def open(self) -> str:
        """Return its path, listening from now on. Raises Unavailable."""
        ...

    def close(self) -> None:
        """Stop listening. Idempotent."""
        ...


class Wiring(msgspec.Struct, frozen=True):
    """What a job's containers work with. `note` is where a later engine looks for what is left.

    `registry` returns the URL of this machine's registry on one of its addresses, started when
    asked. `end_publishing` closes the publisher if there is one. Both raise Unavailable.
    """

    connect: Callable[[], Engine]
    publisher: Callable[[], Publisher]
    end_publishing: Callable[[], None]
    door: Door
    ids: Ids
    note: str
    registry: Callable[[str], str]
    policy: Policy = Policy.OPEN


class JobContainers:
    """One job's containers. `run`, `execute` and `socket` may be called from several threads."""

    def __init__(self, site: Site, wiring: Wiring) -> None:
        self._site = site
        self._wiring = wiring
        self._lock = threading.Lock()
        self._network = ""
        self._has_ports = False
        self._registry: dict[str, str] = {}
        self._made: list[Made] = []
        self._has_run = False
        self._has_left = False
        self._last_image = ""
        self._is_near = False
        self._keeper = 0
        self.job_id = ""
        self.job_user = ""
        self.other_mounts: tuple[str, ...] = ()
        self.job_env: Mapping[str, str] = {}
        self._actions = ActionBuilds(wiring.connect, wiring.ids.token, self._note)
        self.images = DockerImages(
            wiring.connect,
            wiring.publisher,
            site.layout.outside,
            self._build_network,
            self._actions,
        )

    @property
    def engine(self) -> Engine:
        """The engine, connected. Raises Unavailable."""
        return self._wiring.connect()

    def _note(self) -> None:
        write_note(self._wiring.note, self.engine.wire.address)

    # --- beginning ----------------------------------------------------------------------

    def begin(
        self, job: ContainerSpec | None, services: Mapping[str, ContainerSpec], watch: Watch
    ) -> Begun:
        """Start the job's container and its services, and await their health."""
        story = Story(watch)
        with story.group("Checking docker version"):
            story.line(f"Docker daemon API version: {self.engine.version()}")
        with story.group("Create local container network"):
            is_reached = job is None and any(each.ports for each in services.values())
            network = self._have_network(has_ports=is_reached)
            story.command("docker", "network", "create", network)
            for name, address in self._registry.items():
                story.line(f"{name} is the registry that containers reach: {address}")
        starter = Starter(self.engine, self.images, self._site.labels, story)
        starter.made = self._made
        with refusals():
            own = self._begin_job(self._told(job), network, starter, story) if job else None
            told = {alias: self._told(spec) for alias, spec in services.items()}
            running = self._begin_services(told, network, starter, story)
            self._await_health(starter, story)
        return Begun(
            network=network,
            job=own.running(network) if own else None,
            services=running,
            env=own.env if own else {},
        )

    def _begin_job(
        self, spec: ContainerSpec, network: str, starter: Starter, story: Story
    ) -> Started:
        with story.group("Starting job container"):
            socket = self.socket() if spec.needs_engine else ""
            create = payloads.job_container(self._site, spec, network, self._token(), socket)
            started = starter.job(spec, self._with_own_socket(create))
        self._keeper = int(started.found["State"]["Pid"])
        self._is_near = is_near(self._keeper, started.made.id)
        if not self._is_near and not self.engine.stat(
            started.made.id, self._site.layout.event_path
        ):
            raise Unavailable(ELSEWHERE)
        self.job_id, self.job_env = started.made.id, started.env
        self._last_image = spec.image
        own = {inside for inside, _ in self._site.layout.mounts}
        self.other_mounts = tuple(path for path in started.mounted if path not in own)
        self.job_user = str(started.found["Config"].get("User") or "")
        return started

    def _begin_services(
        self, services: Mapping[str, ContainerSpec], network: str, starter: Starter, story: Story
    ) -> dict[str, Running]:
        running: dict[str, Running] = {}
        for alias, spec in services.items():
            _stop_if_unwanted(story)
            with story.group(f"Starting {alias} service container"):
                create = payloads.service(self._site, alias, spec, network, self._token())
                started = starter.service(alias, spec, self._with_own_socket(create))
                running[alias] = started.running(network)
        return running

    def _with_own_socket(self, create: Create) -> Create:
        sockets = ENGINE_SOCKETS | {self.engine.wire.address.removeprefix("unix://")}
        return payloads.with_job_socket(create, sockets, self.socket)

    def _await_health(self, starter: Starter, story: Story) -> None:
        services = {made.alias: made.id for made in self._made if not made.is_job}
        with story.group("Waiting for all services to be ready"):
            failed = await_health(self.engine, services, story.watch)
        _stop_if_unwanted(story)
        for made in self._made:
            if made.alias in failed and not made.is_job:
                with story.group(f"Service container {made.alias} failed."):
                    starter.tell_log(made)
                    story.error(f"Failed to initialize container {made.image}")
                    made.has_failed = True
        if failed:
            raise Unavailable(FAILED)

    def _have_network(self, *, has_ports: bool) -> str:
        """Return the job's network, made when it is first needed."""
        with self._lock:
            if not self._network:
                name = f"github_network_{self._wiring.ids.token()}"
                self._note()
                policy, labels = self._wiring.policy, self._site.labels
                create_network(self.engine, name, labels, policy, has_ports=has_ports)
                self._network = name
                self._has_ports = has_ports
                if policy is Policy.REGISTRY:
                    url = self._wiring.registry(gateway(self.engine, name))
                    self._registry = {REGISTRY_VARIABLE: url.partition("://")[2]}
            return self._network

    def confine(self, ports: Sequence[str]) -> Confined:
        """Return the network in which a container stays that a script makes; `ports` it publishes."""
        network = self._have_network(has_ports=bool(ports))
        return Confined(network, self._registry, self._has_ports)

    def _build_network(self, mode: str) -> str:
        """Return the network of a build. Raises Unavailable for one that leads out of the job."""
        policy = self._wiring.policy
        if policy is Policy.OPEN:
            return mode
        belongings = Belongings(self.engine.wire, self._site.labels)
        return Confinement(policy, self.confine, belongings).build(mode)

    def _told(self, spec: ContainerSpec) -> ContainerSpec:
        """Return a container that knows the registry, where that is all it may reach."""
        return msgspec.structs.replace(spec, env={**self._registry, **spec.env})

    def _token(self) -> str:
        return self._wiring.ids.token()

    # --- processes ----------------------------------------------------------------------

    def execute(self, spec: ProcessSpec) -> ContainerProcess:
        """Start a command in the job's container. Raises Unavailable when the engine refuses."""
        if not self.job_id:
            raise Unavailable(NOT_BEGUN)
        mark = "" if self._is_near else self._token()
        env = {**spec.env, MARK: mark} if mark else spec.env
        with refusals():
            made = self.engine.client.exec_create(
                self.job_id,
                list(spec.argv),
                stdin=spec.fed,
                user=spec.user,
                environment=[f"{name}={value}" for name, value in env.items()],
                workdir=spec.cwd,
            )
            exec_id = str(made["Id"])
            connection = self.engine.hijack(f"/exec/{exec_id}/start", START_EXEC)
        within = Within(self.engine, self.job_id, spec.user)
        command = Command(self.engine, within, exec_id, mark)
        return ContainerProcess(Output(connection), command)

    def processes(self) -> tuple[tuple[int, str], ...]:
        """Return what runs in the job's container besides what keeps it up, as (number, name)."""
        if not self.job_id:
            return ()
        with refusals():
            try:
                found = self.engine.client.top(self.job_id, "-eo pid,ppid,comm")
            except APIError:  # it has ended, or the engine's machine has no ps
                return ()
        table = [row for row in found.get("Processes") or () if len(row) >= 3]
        return tuple((int(row[0]), row[2]) for row in table if int(row[0]) != self._keeper)

    def run(self, action: ActionRun) -> ContainerProcess:
        """Start a Docker action's container; it is removed when it has ended."""
        network = self._have_network(has_ports=False)
        self._has_run = True
        self._last_image = action.image
        socket = self.socket() if action.needs_engine else ""
        action = msgspec.structs.replace(action, env={**self._registry, **action.env})
        create = payloads.action(self._site, action, network, socket)
        client = self.engine.client
        with refusals():
            made = self.engine.create(create.body, create.name)
            container = Container(self.engine, str(made["Id"]))
            try:
                query = "stream=1&stdout=1&stderr=1"
                path = f"/containers/{escaped(str(made['Id']))}/attach?{query}"
                connection = self.engine.hijack(path, b"")
                client.start(made["Id"])
            except BaseException:
                container.close()
                raise
        return ContainerProcess(Output(connection), container)

    def socket(self) -> str:
        """Return the path of the job's own Engine API socket."""
        return self._wiring.door.open()

    def address(self) -> str:
        """Return the address of this machine in the job's network: its gateway's."""
        with refusals():
            return gateway(self.engine, self._have_network(has_ports=False))

    # --- ending -------------------------------------------------------------------------

    def end(self, watch: Watch) -> None:
        """Tell the services' logs, then remove all that the job has at the engine."""
        door = self._wiring.door
        door.close()
        if self._network or (door.was_used and self._is_reached()):
            self._reclaim()
            by_label = self._has_run or door.was_used
            ending = Ending(self.engine, dict(self._site.labels), Story(watch))
            ending.remove(self._made, self._network, by_label=by_label)
            self._has_left = not ending.is_whole
            self._made, self._network, self.job_id = [], "", ""
        self._actions.close(watch.tell)
        self._wiring.end_publishing()
        if not self._has_left:
            remove_note(self._wiring.note)

    def _reclaim(self) -> None:
        """Have files that containers made as other users given back, since we must remove them."""
        layout = self._site.layout
        if layout.host_paths:
            folders = (layout.runner_workspace, layout.temp, layout.tool_cache, layout.actions)
            inside = folders
        else:
            pairs = [pair for pair in layout.mounts if pair[0] != EXTERNALS]
            inside, folders = (tuple(part) for part in zip(*pairs, strict=True))
        if not others_files(folders):
            return
        if self.job_id and reclaim_within(self.engine, self.job_id, inside):
            return
        there = [folder for folder in folders if os.path.isdir(folder)]
        if self._last_image:
            reclaim_by(self.engine, self._last_image, there, self._site.labels)

    def _is_reached(self) -> bool:
        """Tell whether there is an engine at all: what could not be reached was given nothing."""
        try:
            return bool(self.engine.version())
        except Unavailable:
            return False


def _stop_if_unwanted(story: Story) -> None:
    if story.watch.unwanted():
        raise Unavailable(CANCELLED)
