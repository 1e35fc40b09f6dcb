"""Port: a job's containers (its own, its services, those of its Docker actions) and their images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from trunkline.ports.process import Process

IDENTITY_USER = "<token>"


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """Credentials for a registry; `server` is its host, '' for Docker Hub.

    With the name IDENTITY_USER the password is an identity token, as Docker's credential helpers
    write it.
    """

    server: str
    username: str
    password: str


class ContainerSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A container that lives as long as its job, as the workflow says (reference section 1.4.1).

    `image` is without `docker://`; `ports` and `volumes` are as written (`8080:80/udp`,
    `/data:/data:ro`); `options` are flags of `docker create`, as written. `entrypoint` and
    `command` are lines in the shell's quoting, '' for the image's own. `needs_engine` puts the
    job's Engine API socket at /var/run/docker.sock.
    """

    image: str
    env: Mapping[str, str] = {}
    ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    options: str = ""
    login: Login | None = None
    entrypoint: str = ""
    command: str = ""
    needs_engine: bool = False


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A container that runs: `ports` maps its own ports (`5432`) to those of this machine."""

    id: str
    network: str
    ports: Mapping[str, str] = {}


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """A job's containers, up and healthy; `env` is that of the job container's processes."""

    network: str
    job: Running | None = None
    services: Mapping[str, Running] = {}
    env: Mapping[str, str] = {}


class ActionRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a Docker action (reference section 3.12).

    `mounts` are pairs (folder as the job sees it, where the container has it). `entrypoint` and
    `args` are argv already; an empty one means the image's own. `lent` are folders of the engine's
    machine that the container has read-only, where they are.
    """

    image: str
    name: str
    env: Mapping[str, str]
    workdir: str
    mounts: tuple[tuple[str, str], ...] = ()
    entrypoint: str = ""
    args: tuple[str, ...] = ()
    needs_engine: bool = False
    lent: tuple[str, ...] = ()


class Watch(msgspec.Struct, frozen=True):
    """Who follows long work: `tell` takes lines for the log, `unwanted` says that it may end."""

    tell: Callable[[str], None]
    unwanted: Callable[[], bool]


class BuildSpec(msgspec.Struct, frozen=True, kw_only=True):
    """An image to build by the engine's own builder; paths are as the job sees them.

    `network`, `shm_size` (bytes), `platform`, `target`: '' or 0 for the engine's default.
    `action` names the Docker action that it is for, '' for none: such an image has no tags of its
    own, and the one that was built before for the same action is removed.
    """

    context: str
    dockerfile: str
    tags: tuple[str, ...] = ()
    args: Mapping[str, str] = {}
    labels: Mapping[str, str] = {}
    target: str = ""
    platform: str = ""
    network: str = ""
    no_cache: bool = False
    pull: bool = False
    cache_from: tuple[str, ...] = ()
    add_hosts: tuple[str, ...] = ()
    ulimits: tuple[str, ...] = ()
    shm_size: int = 0
    cgroup_parent: str = ""
    action: str = ""


class ImageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine knows of an image: `size` in bytes, `digests` as `name@sha256:...`.

    `parent` is the id of the image it was built on, '' when unknown.
    """

    id: str
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    parent: str = ""
    size: int = 0
    os: str = ""
    architecture: str = ""
    created: str = ""
    env: Mapping[str, str] = {}
    labels: Mapping[str, str] = {}


class ImagePush(msgspec.Struct, frozen=True, kw_only=True):
    """An image that was pushed: the name that was asked for, and where it went.

    `kept_as` is the reference in the local registry, '' when it went to the real one.
    `size` is that of the manifest's blobs in bytes. `base` is the image that its Dockerfile starts
    from, '' when nobody here has seen that file.
    """

    reference: str
    digest: str
    kept_as: str = ""
    image_id: str = ""
    size: int = 0
    base: str = ""


class Images(Protocol):
    """The images of the engine that a job's containers run on. Thread-safe.

    A reference is as users write it (`ghcr.io/o/n:1`, `alpine`, `n@sha256:...`). In a rehearsal
    what was pushed is found before what the real registry has, and a push goes to the local
    registry under the same name. Raises Unavailable with the engine's own words and a hint.
    """

    def pull(self, reference: str, login: Login | None, watch: Watch) -> ImageFacts:
        """Have an image here: one that is present stays unless the registry has a newer one.

        Three tries, 1-10 s apart (reference section 3.14). An image that only this machine has
        counts, with a word in the log.
        """
        ...

    def build(self, spec: BuildSpec, watch: Watch) -> ImageFacts:
        """Build an image; the builder's output goes to `watch.tell`."""
        ...

    def push(self, reference: str, login: Login | None, watch: Watch, image: str = "") -> ImagePush:
        """Push an image; the log says where it goes. Its digest is the manifest's.

        `image` is the id of the one that is meant: names are the engine's, and another job may
        have given this one to its own image since.
        """
        ...

    def inspect(self, reference: str) -> ImageFacts | None:
        """Return what is known of an image that is here, by reference or id; None if it isn't."""
        ...

    def tag(self, image: str, reference: str) -> None:
        """Give an image that is here another name."""
        ...

    def listen(self, told: Callable[[ImagePush], None]) -> None:
        """Say who hears of every push of this job, also of those that scripts make themselves."""
        ...


class Containers(Protocol):
    """One job's containers, in a network of their own. Nothing is made before it is asked for.

    Everything made carries labels with the run, the job and the engine process, so that a later
    `sweep` finds what a killed engine left. Raises Unavailable: no engine (`hint` says how to get
    one), an image that can't be had, invalid options, a port that is taken.
    """

    @property
    def images(self) -> Images:
        """Return the images of the engine."""
        ...

    def begin(
        self, job: ContainerSpec | None, services: Mapping[str, ContainerSpec], watch: Watch
    ) -> Begun:
        """Start the job's container (if it has one) and its services, and await their health.

        In GitHub's order and words (reference section 3.14). When one fails, its log is told and
        Unavailable says "One or more containers failed to start."; `end` still removes all.
        """
        ...

    def run(self, action: ActionRun) -> Process:
        """Start a Docker action's container in the job's network; it is removed when it ends."""
        ...

    def socket(self) -> str:
        """Return the path (engine's machine) of an Engine API socket of this job, made when asked.

        What goes through it is redirected and labelled as the job's. '' when no engine is here.
        """
        ...

    def address(self) -> str:
        """Return the address by which the job's containers reach the engine's machine.

        The job's network is made for it when there is none yet.
        """
        ...

    def end(self, watch: Watch) -> None:
        """Tell the services' logs, then remove every container and the network. Idempotent."""
        ...
