"""Containers of a scripted engine: images that a test names, processes that follow its rules."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from trunkline.adapters.sandboxes.scripted.process import ScriptedProcess, Timeline
from trunkline.base.errors import Unavailable
from trunkline.ports.clock import Ids
from trunkline.ports.containers import (
    ActionRun,
    Begun,
    BuildSpec,
    ContainerSpec,
    ImageFacts,
    ImagePush,
    Login,
    Running,
    Watch,
)

NO_ENGINE = "No container engine is here."
NO_ENGINE_HINT = "Start Docker or Podman, or name the engine's socket in DOCKER_HOST."
FAILED_TO_START = "One or more containers failed to start."
FIRST_PORT = 32768
DEFAULT_ENV = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


class ScriptedImage(NamedTuple):
    """An image: its environment, its programs (full paths), what its container logs.

    `health` is '' without a health check, else `healthy` or `unhealthy`; one that is `starting` stays
    so until nobody waits any more. A private one needs a login.
    """

    env: Mapping[str, str] = DEFAULT_ENV
    programs: Sequence[str] = ("/bin/sh", "/bin/cat", "/usr/bin/env")
    health: str = ""
    log: str = ""
    private: bool = False


class ScriptedEngine:
    """One container engine for all sandboxes of a test: what it has, and what it was asked."""

    def __init__(self, images: Mapping[str, ScriptedImage], ids: Ids) -> None:
        self.images = dict(images)
        self.calls: list[str] = []
        self.containers: dict[str, str] = {}
        self.networks: set[str] = set()
        self._ids = ids
        self._last_port = FIRST_PORT - 1

    def image(self, reference: str) -> ScriptedImage:
        """Return an image by name or id. Raises Unavailable when it is not here."""
        found = self.images.get(reference.removeprefix("id:"))
        if found is None:
            raise Unavailable(f"manifest for {reference} not found: manifest unknown")
        return found

    def make(self, what: str) -> str:
        """Keep a new container; return its id."""
        container = self._ids.token()
        self.containers[container] = what
        return container

    def network(self) -> str:
        """Make a network; return its name."""
        name = f"github_network_{self._ids.token()}"
        self.networks.add(name)
        return name

    def port(self) -> str:
        """Return a port of this machine that is free."""
        self._last_port += 1
        return str(self._last_port)


class ScriptedImages:
    """The images of an engine, as one job sees them. See the port `Images`."""

    def __init__(self, engine: ScriptedEngine | None) -> None:
        self._engine = engine
        self._told: Callable[[ImagePush], None] | None = None

    @property
    def engine(self) -> ScriptedEngine:
        """Return the engine. Raises Unavailable when there is none."""
        if self._engine is None:
            raise Unavailable(NO_ENGINE, hint=NO_ENGINE_HINT)
        return self._engine

    def pull(self, reference: str, login: Login | None, watch: Watch) -> ImageFacts:
        """Have an image here."""
        who = f" as {login.username}" if login is not None else ""
        self.engine.calls.append(f"pull {reference}{who}")
        watch.tell(f"##[command]docker pull {reference}")
        image = self.engine.image(reference)
        if image.private and login is None:
            raise Unavailable(f"pull access denied for {reference}")
        return ImageFacts(id=f"id:{reference}", tags=(reference,), env=image.env)

    def build(self, spec: BuildSpec, watch: Watch) -> ImageFacts:
        """Build an image; one whose Dockerfile is named like an image of the test's is that image."""
        self.engine.calls.append(f"build {spec.dockerfile} in {spec.context}")
        watch.tell(f"##[command]docker build -f {spec.dockerfile} {spec.context}")
        name = next((tag for tag in spec.tags), spec.dockerfile)
        self.engine.images.setdefault(name, ScriptedImage())
        return ImageFacts(id=f"id:{name}", tags=spec.tags, labels=spec.labels)

    def push(self, reference: str, login: Login | None, watch: Watch, image: str = "") -> ImagePush:
        """Push an image."""
        del login
        self.engine.image(reference)
        watch.tell(f"##[command]docker push {reference}")
        self.engine.calls.append(f"push {reference}")
        pushed = ImagePush(
            reference=reference,
            digest=f"sha256:{'0' * 64}",
            kept_as=reference,
            image_id=image or f"id:{reference}",
        )
        if self._told is not None:
            self._told(pushed)
        return pushed

    def inspect(self, reference: str) -> ImageFacts | None:
        """Return what is known of an image that is here."""
        image = self.engine.images.get(reference.removeprefix("id:"))
        if image is None:
            return None
        return ImageFacts(id=f"id:{reference.removeprefix('id:')}", env=image.env)

    def tag(self, image: str, reference: str) -> None:
        """Give an image another name."""
        self.engine.images[reference] = self.engine.image(image)

    def listen(self, told: Callable[[ImagePush], None]) -> None:
        """Say who hears of pushes."""
        self._told = told


class Place(Protocol):
    """The sandbox that containers belong to: it starts their processes and knows its files."""

    def play(self, text: str, env: Mapping[str, str], paths: Paths) -> ScriptedProcess:
        """Start what the first rule that matches `text` says; `paths` maps files it writes."""
        ...

    def furnish(self, programs: Sequence[str]) -> None:
        """Make programs."""
        ...


Paths = tuple[tuple[str, str], ...]


class ScriptedContainers:
    """One job's containers. See the port `Containers`. `runs` are those of Docker actions."""

    def __init__(self, engine: ScriptedEngine | None, place: Place, clock: Timeline) -> None:
        self.images = ScriptedImages(engine)
        self._clock = clock
        self.runs: list[ActionRun] = []
        self.begun: Begun | None = None
        self._has_engine = engine is not None
        self._place = place
        self._made: list[tuple[str, ContainerSpec]] = []
        self._network = ""

    def begin(
        self, job: ContainerSpec | None, services: Mapping[str, ContainerSpec], watch: Watch
    ) -> Begun:
        """Start the job's container and its services."""
        engine = self.images.engine
        self._network = engine.network()
        watch.tell("##[group]Create local container network")
        watch.tell(f"##[command]docker network create {self._network}")
        watch.tell("##[endgroup]")
        own = None if job is None else self._start("job", job, watch)
        running = {name: self._start(name, spec, watch) for name, spec in services.items()}
        self._await_health(watch)
        env: Mapping[str, str] = {}
        if job is not None:
            image = engine.image(job.image)
            self._place.furnish(image.programs)
            env = {**image.env, **job.env}
        self.begun = Begun(network=self._network, job=own, services=running, env=env)
        return self.begun

    def _start(self, name: str, spec: ContainerSpec, watch: Watch) -> Running:
        what = "job" if name == "job" else f"{name} service"
        watch.tell(f"##[group]Starting {what} container")
        self.images.pull(spec.image, spec.login, watch)
        container = self.images.engine.make(f"{name} {spec.image}")
        self._note(f"create {name}", spec.image, needs_engine=spec.needs_engine)
        self._made.append((container, spec))
        watch.tell("##[endgroup]")
        ports = dict(_published(spec.ports, self.images.engine))
        return Running(id=container, network=self._network, ports=ports)

    def _await_health(self, watch: Watch) -> None:
        for _, spec in self._made:
            image = self.images.engine.image(spec.image)
            while image.health == "starting" and not self._clock.wait(2.0, watch.unwanted):
                continue
            if watch.unwanted():
                raise Unavailable(FAILED_TO_START)
            if image.health == "unhealthy":
                for line in image.log.splitlines():
                    watch.tell(line)
                watch.tell(f"##[error]Failed to initialize container {spec.image}")
                raise Unavailable(FAILED_TO_START)

    def run(self, action: ActionRun) -> ScriptedProcess:
        """Start a Docker action's container."""
        self.images.engine.image(action.image)
        self.runs.append(action)
        self._note("run", action.image, needs_engine=action.needs_engine)
        text = " ".join(["docker", "run", action.image, action.entrypoint, *action.args])
        return self._place.play(text, action.env, tuple((b, a) for a, b in action.mounts))

    def _note(self, done: str, image: str, *, needs_engine: bool) -> None:
        with_socket = " with the engine's socket" if needs_engine else ""
        self.images.engine.calls.append(f"{done} {image}{with_socket}")

    def socket(self) -> str:
        """Return the path of the job's own Engine API socket, '' without an engine."""
        return "/scripted/engine.sock" if self._has_engine else ""

    def address(self) -> str:
        """Return the address of the engine's machine."""
        return "172.18.0.1"

    def end(self, watch: Watch) -> None:
        """Tell the services' logs, and remove everything."""
        if not self._has_engine:
            return
        engine = self.images.engine
        for container, spec in self._made:
            name, _, _ = engine.containers.pop(container).partition(" ")
            log = engine.image(spec.image).log if name != "job" else ""
            for line in log.splitlines():
                watch.tell(line)
            watch.tell(f"Stop and remove container: {name}")
        if self._network:
            watch.tell(f"Remove container network: {self._network}")
            engine.networks.discard(self._network)
        self._made.clear()
        self._network = ""


def translated(path: str, paths: Paths) -> str:
    """Return where the sandbox has a path of a container."""
    fitting = [pair for pair in paths if path == pair[0] or path.startswith(f"{pair[0]}/")]
    inside, outside = max(fitting, key=lambda pair: len(pair[0]), default=("", ""))
    return posixpath.join(outside, path.removeprefix(inside).lstrip("/")) if inside else path


def _published(ports: Sequence[str], engine: ScriptedEngine) -> Iterator[tuple[str, str]]:
    for port in ports:
        parts = port.partition("/")[0].split(":")
        if not re.fullmatch(r"\d+", parts[-1]):
            raise Unavailable(f"Invalid containerPort: {port}")
        yield parts[-1], parts[-2] if len(parts) > 1 and parts[-2] else engine.port()
