"""Builds by the engine's own builder: nothing stays of a failed one, and bases of a rehearsal are found."""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import Iterator
from typing import IO

import msgspec

from trunkline.adapters.docker.bases import Bases, bring_bases
from trunkline.adapters.docker.proxy.buildkit import BuildKitStream
from trunkline.adapters.docker.proxy.call import Call
from trunkline.adapters.docker.proxy.confining import Confinement
from trunkline.adapters.docker.proxy.heads import Request, with_query
from trunkline.adapters.docker.proxy.images import CONFIG, ImageRoutes, pushes_by_itself
from trunkline.adapters.docker.proxy.logins import logins_of
from trunkline.adapters.docker.publishing import Publisher, read_reference
from trunkline.adapters.docker.wire import Message
from trunkline.base.errors import Unavailable
from trunkline.oci.dockerfiles import base_image

LARGEST_DOCKERFILE = 4 << 20
# Contexts beyond this go to the disk.
IN_MEMORY = 8 << 20
BUILDKIT = "2"
# As clients write that something is asked for.
TRUE = frozenset({"1", "true", "True", "TRUE"})
PUSHES = (
    "Rehearsal: the builder would push by itself, without the local registry. Build with --load "
    "and push then, or run with --publish."
)
NO_BUILDKIT = "BuildKit builds outside of the job's network; build with DOCKER_BUILDKIT=0"


class BuildRoutes:
    """Answers POST /build."""

    def __init__(
        self, publisher: Publisher, images: ImageRoutes, confinement: Confinement | None
    ) -> None:
        """Take the job's images; without a `confinement` its builds may reach everything."""
        self._publisher = publisher
        self._images = images
        self._confinement = confinement

    def build(self, call: Call) -> bool:
        """Build; the containers of a failed step go as well, whatever the client asked."""
        request = self._confined(self._images.with_real_logins(call.request))
        self._images.name_images(_names(request))
        if request.query.get("version") == BUILDKIT:
            if self._publisher.is_rehearsal and pushes_by_itself(request):
                return call.refuse(PUSHES, 403)
            self._publisher.built(_names(request), "")
            return call.forward(request)
        request = with_query(request, rm="1", forcerm="1")
        if not self._publisher.is_rehearsal or request.query.get("remote"):
            return call.forward(request)
        return self._with_bases(call, request)

    def _confined(self, request: Request) -> Request:
        if self._confinement is None:
            return request
        mode = request.query.get("networkmode", "")
        is_buildkit = request.query.get("version") == BUILDKIT
        network = (self._confinement.buildkit if is_buildkit else self._confinement.build)(mode)
        return with_query(request, networkmode=network)

    def speak_to_buildkit(self, call: Call) -> bool:
        """Let Buildx speak to the engine's BuildKit."""
        if self._confinement is not None:
            raise self._confinement.refusal(NO_BUILDKIT)
        self._images.name_images(())
        is_rehearsal = self._publisher.is_rehearsal
        return call.forward(stream=BuildKitStream(self._publisher) if is_rehearsal else None)

    def _with_bases(self, call: Call, request: Request) -> bool:
        """Read the context up to its Dockerfile, bring the bases, then send all of it."""
        source = call.content()
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as kept:
            text = _dockerfile(source, kept, request.query.get("dockerfile") or "Dockerfile")
            try:
                changed = self._brought(request, text)
                self._remember(request, text)
            except Unavailable as error:
                _drain(source)
                return call.refuse(error.message, 500)
            kept.seek(0)
            return call.forward_content(changed, _all(kept, source))

    def _brought(self, request: Request, text: str) -> Request:
        """Return the request after its bases were brought."""
        wanted = Bases(_arguments(request), request.query.get("pull", "") in TRUE)
        found = bring_bases(
            self._publisher, text, wanted, lambda name: _login(request, name), _hear_nothing
        )
        if found == wanted:
            return request
        arguments = msgspec.json.encode({**_given(request), **found.arguments}).decode()
        return with_query(request, buildargs=arguments, pull="1" if found.pull else "")

    def _remember(self, request: Request, text: str) -> None:
        """Keep what the image will be built on: a push of it tells."""
        target = request.query.get("target") or ""
        base = base_image(text, target, _arguments(request))
        self._publisher.built(_names(request), base)


class _Copied(io.RawIOBase):
    """What was read of a body is kept as well."""

    def __init__(self, source: Iterator[bytes], kept: IO[bytes]) -> None:
        self._source = source
        self._kept = kept
        self._rest = b""

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read some of it."""
        if not self._rest:
            self._rest = next(self._source, b"")
            self._kept.write(self._rest)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def _dockerfile(source: Iterator[bytes], kept: IO[bytes], name: str) -> str:
    """Return the text of the Dockerfile in a context, '' when it has none that can be read.

    The engine says itself what is wrong with a context.
    """
    wanted = name.removeprefix("./").lower()
    try:
        with tarfile.open(fileobj=io.BufferedReader(_Copied(source, kept)), mode="r|*") as archive:
            for member in archive:
                if member.name.removeprefix("./").lower() == wanted and member.isfile():
                    found = archive.extractfile(member)
                    text = found.read(LARGEST_DOCKERFILE) if found is not None else b""
                    return text.decode("utf-8", "replace")
    except (tarfile.TarError, EOFError):
        return ""
    return ""


def _names(request: Request) -> list[str]:
    """Return the names that a build gives its image, as the engine has them."""
    return [value for name, value in request.pairs() if name == "t" and value]


def _given(request: Request) -> dict[str, object]:
    """Return the build's arguments as they were sent; null takes one from the environment."""
    try:
        found = msgspec.json.decode(request.query.get("buildargs") or "{}")
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _arguments(request: Request) -> dict[str, str]:
    return {name: value for name, value in _given(request).items() if isinstance(value, str)}


def _login(request: Request, name: str) -> dict[str, str]:
    """Return the login for an image's registry among those that came with the build."""
    try:
        host = read_reference(name).host
    except Unavailable:
        return {}
    return logins_of(request.get(CONFIG)).get(host, {})


def _hear_nothing(_message: Message) -> None:
    """Say nothing: the answer has not begun, and the builder names its bases itself."""


def _all(kept: IO[bytes], source: Iterator[bytes]) -> Iterator[bytes]:
    while data := kept.read(64 << 10):
        yield data
    yield from source


def _drain(source: Iterator[bytes]) -> None:
    for _ in source:
        pass
