"""The engine's images: had from registries, built, named, inspected and pushed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from random import uniform

from docker import auth
from docker.errors import DockerException, ImageNotFound, NotFound
from docker.utils import parse_repository_tag
from msgspec.structs import replace

from trunkline.adapters.docker.action_builds import ActionBuilds
from trunkline.adapters.docker.bases import Bases, bring_bases
from trunkline.adapters.docker.building import Builder
from trunkline.adapters.docker.engine import Engine, refusals
from trunkline.adapters.docker.publishing import Publisher
from trunkline.adapters.docker.wire import Message
from trunkline.base.errors import Unavailable
from trunkline.oci.references import InvalidReference, parse_reference
from trunkline.ports.containers import (
    IDENTITY_USER,
    BuildSpec,
    ImageFacts,
    ImagePush,
    Login,
    Watch,
)

TRIES = 3
# Runner: GetRandomBackoff between tries, in seconds.
SHORTEST_PAUSE, LONGEST_PAUSE = 1.0, 10.0
POLL_SECONDS = 0.1
HUB_ADDRESS = "https://index.docker.io/v1/"
HUBS = frozenset({"", "docker.io", "index.docker.io", "registry-1.docker.io"})
# Answers that another try would not change.
FINAL = re.compile(
    "not found|denied|unauthorized|invalid reference|manifest unknown|no matching manifest"
    "|incorrect username|must be lowercase|no basic auth",
    re.IGNORECASE,
)
UNREACHED = re.compile("no such host|connection refused|unreachable|timeout", re.IGNORECASE)
HERE = "An image with this name that was made here (`docker build`, `docker tag`) is used as it is."
DENIED = re.compile("denied|unauthorized|no basic auth", re.IGNORECASE)
# Where Podman says that images are which were made here: they have digests, and no registry.
PODMAN_HOST = "localhost"
# Steps of a pull or push that are told too often to be read.
TOO_MUCH = frozenset(
    {"Downloading", "Extracting", "Waiting", "Pulling fs layer", "Verifying Checksum"}
    | {"Download complete", "Preparing", "Pushing"}
)
CANCELLED = "The operation was canceled."


class DockerImages:
    """The images that one job's containers run on. Thread-safe."""

    def __init__(
        self,
        engine: Callable[[], Engine],
        publisher: Callable[[], Publisher],
        outside: Callable[[str], str | None],
        build_network: Callable[[str], str],
        actions: ActionBuilds,
    ) -> None:
        """Take what connects; `outside` tells where this machine has a path of the job.

        `build_network` returns the network that a build has, of the one that it asks for.
        """
        self._actions = actions
        self._engine = engine
        self._publisher = publisher
        self._outside = outside
        self._build_network = build_network

    def pull(self, reference: str, login: Login | None, watch: Watch) -> ImageFacts:
        """Have an image here: the registry's, else one that only this machine has."""
        return self.have(reference, login, watch)

    def have(
        self, reference: str, login: Login | None, watch: Watch, platform: str = ""
    ) -> ImageFacts:
        """Pull an image for a platform ('': the engine's)."""
        here = self.inspect(reference)
        if here is not None and not platform and self._is_ours(reference, here, watch):
            return here
        try:
            image = self._pull(reference, login, watch, platform, 1 if here else TRIES)
        except Unavailable as error:
            if here is None or watch.unwanted():
                raise _unpulled(reference, error) from error
            watch.tell(f"##[warning]{error.message}")
            watch.tell(f"The image {reference} of this machine is used.")
            return here
        found = self.inspect(image or reference)
        if found is None:
            raise Unavailable(f"No such image: {reference}")
        return found

    def _is_ours(self, reference: str, here: ImageFacts, watch: Watch) -> bool:
        """Tell whether a registry need not be asked for an image that is here."""
        if "@" in reference or reference == here.id:
            return True
        if is_from_registry(reference, here) or self._publisher().is_kept(reference):
            return False
        watch.tell(f"The image {reference} is this machine's own; no registry is asked for it.")
        return True

    def _pull(
        self, reference: str, login: Login | None, watch: Watch, platform: str, tries: int
    ) -> str:
        progress = _Progress(watch)
        credentials = self._credentials(reference, login)
        for left in reversed(range(tries)):
            try:
                return self._publisher().pull(reference, credentials, progress.tell, platform)
            except Unavailable as error:
                if not left or watch.unwanted() or FINAL.search(error.message):
                    raise
                pause = uniform(SHORTEST_PAUSE, LONGEST_PAUSE)  # noqa: S311 - no secret
                watch.tell(f"##[warning]{error.message}")
                watch.tell(f"Docker pull failed, back off {pause:.1f} seconds before retry.")
                _sleep(pause, watch)
        raise AssertionError(tries)

    def build(self, spec: BuildSpec, watch: Watch) -> ImageFacts:
        """Build an image with the engine's own builder."""
        spec = replace(self._with_bases(spec, watch), network=self._build_network(spec.network))
        if spec.action:
            image = self._actions.build(
                spec.action, lambda names: self._build(replace(spec, tags=names), watch), watch.tell
            )
        else:
            image = self._build(spec, watch)
        found = self.inspect(image)
        if found is None:
            raise Unavailable(f"No such image: {image}")
        return found

    def _build(self, spec: BuildSpec, watch: Watch) -> str:
        image = Builder(self._engine(), self._outside).build(spec, watch)
        for name in spec.tags[1:]:
            self.tag(image, name)
        return image

    def _with_bases(self, spec: BuildSpec, watch: Watch) -> BuildSpec:
        """Have the images here that a rehearsal pushed and the build starts from."""
        try:
            folder = self._outside(spec.context) or spec.context
            path = Path(folder, self._outside(spec.dockerfile) or spec.dockerfile)
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:  # the builder says what is wrong with it
            return spec
        found = bring_bases(
            self._publisher(),
            text,
            Bases(spec.args, spec.pull),
            lambda name: self._credentials(name, None),
            _Progress(watch).tell,
        )
        return replace(spec, args=found.arguments, pull=found.pull)

    def push(self, reference: str, login: Login | None, watch: Watch, image: str = "") -> ImagePush:
        """Push an image; the log says where it goes."""
        credentials = _written(login) if login else {}
        return self._publisher().push(reference, credentials, _Progress(watch).tell, image)

    def inspect(self, reference: str) -> ImageFacts | None:
        """Return what the engine knows of an image, None if it isn't here."""
        known = self._publisher().known_id(reference)
        with refusals():
            try:
                found = self._engine().image(known or reference)
            except (ImageNotFound, NotFound):
                return None
        digests = (*(found.get("RepoDigests") or ()), *self._publisher().known_digests(found["Id"]))
        return _facts(found, tuple(dict.fromkeys(digests)))

    def tag(self, image: str, reference: str) -> None:
        """Give an image another name."""
        try:
            name = parse_reference(reference)
        except InvalidReference as error:
            raise Unavailable(f"Error parsing reference: {reference!r}: {error}") from error
        with refusals():
            self._engine().client.tag(image, name.name, name.target)

    def listen(self, told: Callable[[ImagePush], None]) -> None:
        """Say who hears of every push."""
        self._publisher().listen(told)

    def _credentials(self, reference: str, login: Login | None) -> Mapping[str, str]:
        """Return the job's login, else the one that the user's own Docker has for the registry."""
        if login is not None:
            return _written(login)
        repository, _ = parse_repository_tag(reference)
        try:
            registry, _ = auth.resolve_repository_name(repository)
            found = auth.load_config().resolve_authconfig(registry)
        except DockerException:
            return {}  # a broken configuration must not stop public images
        return {str(name).lower(): str(value) for name, value in (found or {}).items()}


def is_from_registry(reference: str, image: ImageFacts) -> bool:
    """Tell whether an image was pulled, or pushed, as the repository of a reference.

    An image keeps the digests of other repositories under a name that it got by `docker tag`.
    """
    try:
        wanted = parse_reference(reference)
        if wanted.host == PODMAN_HOST:
            return False
        return any(parse_reference(digest).name == wanted.name for digest in image.digests)
    except InvalidReference:  # the engine knows it by its id
        return False


def _unpulled(reference: str, error: Unavailable) -> Unavailable:
    hint = error.hint
    if not hint and DENIED.search(error.message):
        hint = f"It may be private (`credentials`, `docker login`), or its name is wrong. {HERE}"
    elif not hint and UNREACHED.search(error.message):
        hint = f"Its registry can't be reached. {HERE}"
    return Unavailable(f"The image {reference} can't be pulled: {error.message}", hint=hint)


def _written(login: Login) -> dict[str, str]:
    server = HUB_ADDRESS if login.server in HUBS else login.server
    if login.username == IDENTITY_USER:
        return {"identitytoken": login.password, "serveraddress": server}
    return {"username": login.username, "password": login.password, "serveraddress": server}


class _Progress:
    """Tells what an engine says of its progress, in few lines."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def tell(self, message: Message) -> None:
        """Tell one message. Raises Unavailable when nobody wants the image any more."""
        if self._watch.unwanted():
            raise Unavailable(CANCELLED)
        status = str(message.get("status") or "")
        if not status or status in TOO_MUCH:
            return
        name = message.get("id")
        self._watch.tell(f"{name}: {status}" if name else status)


def _facts(found: Mapping[str, object], digests: tuple[str, ...]) -> ImageFacts:
    config = found.get("Config")
    settings: Mapping[str, object] = config if isinstance(config, dict) else {}
    env = settings.get("Env")
    labels = settings.get("Labels")
    tags = found.get("RepoTags")
    size = found.get("Size")
    pairs = (str(each).partition("=") for each in (env if isinstance(env, list) else ()))
    return ImageFacts(
        id=str(found["Id"]),
        tags=tuple(str(tag) for tag in (tags if isinstance(tags, list) else ())),
        digests=digests,
        parent=str(found.get("Parent") or ""),
        size=size if isinstance(size, int) else 0,
        os=str(found.get("Os") or ""),
        architecture=str(found.get("Architecture") or ""),
        created=str(found.get("Created") or ""),
        env={name: value for name, _, value in pairs},
        labels={str(k): str(v) for k, v in (labels if isinstance(labels, dict) else {}).items()},
    )


def _sleep(seconds: float, watch: Watch) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not watch.unwanted():
        time.sleep(POLL_SECONDS)
