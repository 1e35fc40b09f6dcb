"""Starting a container that lives as long as its job."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec
from docker.errors import APIError
from msgspec.structs import replace

from trunkline.adapters.docker.engine import Engine, words
from trunkline.adapters.docker.images import DockerImages
from trunkline.adapters.docker.payloads import EXTERNALS, KEEPERS, Create, with_keeper
from trunkline.adapters.docker.proxy.labelling import volumes_of
from trunkline.adapters.docker.removal import remove_container
from trunkline.adapters.docker.story import Story
from trunkline.base.errors import Unavailable
from trunkline.ports.containers import ContainerSpec, Running

NO_KEEPER = (
    "The image {image} can't be a job's container: it has neither 'tail' nor 'sleep', which keep "
    "the container running between the steps."
)
# What engines search when an image says nothing.
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NODE_VERSION = re.compile(rb"^v\d+\.", re.MULTILINE)
NO_PROGRAM = ("executable file not found", "no such file or directory")
NO_FOLDER = "bind source path does not exist"
ELSEWHERE = (
    "The container engine does not see this machine's folders: is it on another machine? "
    "Jobs need one that runs here."
)
ANOTHER = (
    "Another program has this port. With the container's port alone (`ports: [6379]`) a free one is "
    "found."
)
TAKEN = ("port is already allocated", "address already in use")


class Made(msgspec.Struct):
    """A container that was created; `has_failed` when its log has been told already."""

    alias: str
    name: str
    id: str
    image: str
    is_job: bool = False
    has_failed: bool = False


class Started(msgspec.Struct, frozen=True):
    """A container that was started, as the engine describes it."""

    made: Made
    found: Mapping[str, Any]

    @property
    def env(self) -> dict[str, str]:
        """The environment that its commands have."""
        pairs = (str(each).partition("=") for each in self.found["Config"]["Env"] or ())
        return {"PATH": DEFAULT_PATH, **{name: value for name, sign, value in pairs if sign}}

    @property
    def mounted(self) -> tuple[str, ...]:
        """The folders where something is mounted."""
        found = [str(each["Destination"]) for each in self.found.get("Mounts") or ()]
        return (*found, *(self.found["HostConfig"].get("Tmpfs") or ()))

    def running(self, network: str) -> Running:
        """Return what `job.container` and `job.services` say of it."""
        found = self.found.get("NetworkSettings", {}).get("Ports") or {}
        ports = {
            inside.partition("/")[0]: bindings[0]["HostPort"]
            for inside, bindings in sorted(found.items())
            if bindings
        }
        return Running(id=self.made.id, network=network, ports=ports)


class Starter:
    """Pulls, creates and starts one container after the other."""

    def __init__(
        self, engine: Engine, images: DockerImages, labels: Mapping[str, str], story: Story
    ) -> None:
        """Start containers of the job that has `labels`, and tell `story` of it."""
        self._engine = engine
        self._labels = dict(labels)
        self._images = images
        self._story = story
        self.made: list[Made] = []

    def service(self, alias: str, spec: ContainerSpec, create: Create) -> Started:
        """Start a service."""
        create = self._pull(spec, create)
        made = self._create(alias, spec, create)
        try:
            self._engine.client.start(made.id)
        except APIError as error:
            made.has_failed = True  # it has no log, and no exit code of its own
            raise _refused(error) from error
        return self._look(made)

    def job(self, spec: ContainerSpec, create: Create) -> Started:
        """Start the job's own container, with the first program of its image that keeps it up."""
        create = self._pull(spec, create)
        for keeper in KEEPERS:
            made = self._create("job", spec, with_keeper(create, keeper))
            made.is_job = True
            try:
                self._engine.client.start(made.id)
            except APIError as error:
                if not _is_lacking(error, keeper[0]):
                    raise _refused(error) from error
                remove_container(self._engine, made.id)
                self.made.remove(made)
                continue
            # Node's own program is there in any image, but not always what it is linked with.
            if not keeper[0].startswith(EXTERNALS) or self._runs(made, keeper[0]):
                return self._look(made)
            remove_container(self._engine, made.id)
            self.made.remove(made)
        raise Unavailable(NO_KEEPER.format(image=spec.image))

    def _runs(self, made: Made, node: str) -> bool:
        """Tell whether a node can run in a container that it keeps: it says its version there.

        The container's own state says too little: it runs until node has failed to load.
        """
        client = self._engine.client
        try:
            command = client.exec_create(made.id, [node, "--version"])
            return NODE_VERSION.search(client.exec_start(command["Id"])) is not None
        except APIError:  # it has ended already
            return False

    def _pull(self, spec: ContainerSpec, create: Create) -> Create:
        """Have the image; return what to create from it.

        The engine knows digests only under the names of registries that it spoke to, so an image
        that was named by its digest is created from by its id.
        """
        self._story.command("docker", "pull", spec.image)
        image = self._images.have(spec.image, spec.login, self._story.watch, create.platform)
        if "@" not in spec.image:
            return create
        return replace(create, body={**create.body, "Image": image.id})

    def _create(self, alias: str, spec: ContainerSpec, create: Create) -> Made:
        options = shlex.split(spec.options)  # they have been read already
        self._story.command("docker", "create", "--name", create.name, *options, spec.image)
        self._make_volumes(create.body)
        try:
            found = self._engine.create(create.body, create.name, create.platform)
        except APIError as error:
            raise _refused(error) from error
        made = Made(alias, create.name, str(found["Id"]), spec.image)
        self.made.append(made)
        self._story.line(made.id)
        for warning in found.get("Warnings") or ():
            self._story.line(f"WARNING: {warning}")
        self._story.command("docker", "start", made.name)
        return made

    def _make_volumes(self, body: Mapping[str, Any]) -> None:
        """Make the volumes that a container names, so that they carry labels; those here stay."""
        for name, driver in volumes_of(body).items():
            # The engine says what is wrong with a volume when the container is made.
            with suppress(APIError):
                self._engine.client.create_volume(name, driver or "local", labels=self._labels)

    def _look(self, made: Made) -> Started:
        """Describe a container that was started; one that has ended again is told (its log comes later)."""
        found = self._engine.client.inspect_container(made.id)
        if not found["State"]["Running"]:
            self._story.line(f"It exited with code {found['State']['ExitCode']}.")
            self._story.warning(f"Docker container {made.name} is not in running state.")
        return Started(made, found)

    def tell_log(self, made: Made) -> None:
        """Tell a container's log."""
        self._story.command("docker", "logs", "--details", made.name)
        self._story.output(self._engine.client.logs(made.id, stream=True, follow=False))


def _is_lacking(error: APIError, program: str) -> bool:
    """Tell whether what is not there is the program; it may be a device, too."""
    text = words(error)
    return program in text and any(each in text for each in NO_PROGRAM)


def _refused(error: APIError) -> Unavailable:
    text = words(error)
    if NO_FOLDER in text:
        return Unavailable(text, hint=ELSEWHERE)
    if any(each in text for each in TAKEN):
        return Unavailable(text, hint=ANOTHER)
    return Unavailable(text)
