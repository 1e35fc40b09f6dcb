"""The proxy of one job: each request goes to the engine, changed or answered here where it must be."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

import msgspec

from trunkline.adapters.docker.proxy.buildkit import BuildKitStream, ExecStream
from trunkline.adapters.docker.proxy.builds import BuildRoutes
from trunkline.adapters.docker.proxy.call import Call
from trunkline.adapters.docker.proxy.connection import Connection, Ended
from trunkline.adapters.docker.proxy.heads import BadHead, parse_request
from trunkline.adapters.docker.proxy.images import ImageRoutes
from trunkline.adapters.docker.proxy.labelling import (
    ENGINE_SOCKETS,
    Place,
    container_of,
    labelled,
    own_only,
    volumes_of,
)
from trunkline.adapters.docker.publishing import Publisher
from trunkline.adapters.docker.wire import EngineRefused, Wire
from trunkline.base.errors import Unavailable
from trunkline.ports.kept_images import KeptImages

# What publishes by other ways than `docker push`: plug-ins, and Podman's own API.
PUBLISHING = (
    "Rehearsal: this would publish, without the local registry. Push with `docker push`, or run "
    "with --publish."
)


class Route(NamedTuple):
    """What answers a request: a method, a path (its groups are arguments), a function."""

    method: str
    path: re.Pattern[str]
    answer: Callable[..., bool]


class Proxy:
    """Serves the connections of one job's clients. Thread-safe."""

    def __init__(self, wire: Wire, publisher: Publisher, place: Place) -> None:
        """Proxy the engine behind `wire` for the job that `place` describes."""
        self._wire = wire
        self._publisher = publisher
        self._place = place
        images = ImageRoutes(publisher, place.outside)
        self._routes = self._table(images, BuildRoutes(publisher, images))

    def __call__(self, endpoint: socket.socket) -> None:
        """Serve one connection until it ends."""
        client = Connection(endpoint)
        # Whoever is gone hears nothing any more.
        with suppress(Ended, OSError):
            while self._serve(client):
                pass
        for follow in client.at_end:
            follow()

    def _serve(self, client: Connection) -> bool:
        """Answer the next request; False when none follows."""
        try:
            head = client.head()
            if not head:
                return False
            call = Call(client, parse_request(head), self._wire)
        except BadHead as error:
            client.send(_failure(400, f"bad request: {error}"))
            return False
        return self._answer(call)

    def _answer(self, call: Call) -> bool:
        try:
            for route in self._routes:
                if route.method == call.request.method:
                    found = route.path.fullmatch(call.request.path)
                    if found is not None:
                        return route.answer(call, **found.groupdict())
            return call.forward()
        except BadHead as error:
            call.client.send(_failure(400, f"bad request: {error}"))
        except Unavailable as error:
            # As Docker's clients expect an engine to fail; they show the text.
            call.client.send(_failure(503, error.message))
        return False

    def _table(self, images: ImageRoutes, builds: BuildRoutes) -> tuple[Route, ...]:
        return (
            _route("POST", r"/containers/create", self._create_container),
            _route("POST", r"/libpod/(?:containers|pods)/create", self._label_lower),
            _route("POST", r"/(?:networks|volumes)/create", self._label),
            _route("POST", r"/(?:containers|networks|volumes)/prune", self._own_only),
            _route("POST", r"/(?P<what>images|build)/prune", self._keep_cache),
            _route("GET", r"/(?:containers/json|volumes)", self._own_only),
            _route("POST", r"/build", builds.build),
            _route("POST", r"/grpc", self._speak_to_buildkit),
            _route("POST", r"/exec/.+/start", self._start_exec),
            _route("POST", r"/auth", images.login),
            _route("POST", r"/images/(?P<name>.+)/push", images.push),
            _route("POST", r"/images/create", images.pull),
            _route("GET", r"/distribution/(?P<name>.+)/json", images.distribution),
            _route("GET", r"/images/json", images.list),
            _route("GET", r"/images/(?P<name>.+)/json", images.inspect),
            _route("GET", r"/images/(?P<name>.+)/(?:history|get)", images.named),
            _route("POST", r"/images/(?P<name>.+)/tag", images.named),
            _route("DELETE", r"/images/(?P<name>.+)", images.named),
            _route("POST", r"/plugins/.+/push", self._no_publishing),
            _route("POST", r"/libpod/(?:images|manifests)/.+/push", self._no_publishing),
            _route("POST", r"/libpod/manifests/.+/registry/.+", self._no_publishing),
        )

    # --- what belongs to the job --------------------------------------------------------

    def _create_container(self, call: Call) -> bool:
        body = call.json()
        if body is None:
            return call.forward()
        image = body.get("Image")
        known = self._publisher.known_id(image) if isinstance(image, str) else ""
        if known:
            body["Image"] = known
        self._make_volumes(volumes_of(body))
        return call.forward(body=msgspec.json.encode(container_of(body, self._place)))

    def _make_volumes(self, wanted: Mapping[str, str]) -> None:
        """Make volumes that a container names, so that they carry labels; those here stay."""
        for name, driver in wanted.items():
            described = {"Name": name, "Driver": driver or "local"}
            # The engine says what is wrong with a volume when the container is made.
            with suppress(EngineRefused):
                self._wire.call(
                    "POST", "/volumes/create", body=labelled(described, self._place.labels)
                )

    def _label(self, call: Call) -> bool:
        body = call.json()
        if body is None:
            return call.forward()
        return call.forward(body=msgspec.json.encode(labelled(body, self._place.labels)))

    def _label_lower(self, call: Call) -> bool:
        """Label what Podman's own API makes: its key is written small."""
        body = call.json()
        if body is None:
            return call.forward()
        own = body.get("labels")
        labels = {**(own if isinstance(own, dict) else {}), **self._place.labels}
        return call.forward(body=msgspec.json.encode({**body, "labels": labels}))

    def _own_only(self, call: Call) -> bool:
        """List or prune what the job made; what else is on this machine is not the job's."""
        return call.forward(own_only(call.request, self._place.labels))

    def _keep_cache(self, call: Call, what: str) -> bool:
        """Prune no image and no cache of builds: they are not the job's alone."""
        key = "ImagesDeleted" if what == "images" else "CachesDeleted"
        return call.answer({key: None, "SpaceReclaimed": 0})

    def _speak_to_buildkit(self, call: Call) -> bool:
        is_rehearsal = self._publisher.is_rehearsal
        return call.forward(stream=BuildKitStream(self._publisher) if is_rehearsal else None)

    def _start_exec(self, call: Call) -> bool:
        return call.forward(stream=ExecStream() if self._publisher.is_rehearsal else None)

    def _no_publishing(self, call: Call) -> bool:
        if not self._publisher.is_rehearsal:
            return call.forward()
        # Podman's own API has `cause` and `response` besides.
        told = {"message": PUBLISHING, "cause": PUBLISHING, "response": 403}
        return call.answer(told, 403)


def _route(method: str, path: str, answer: Callable[..., bool]) -> Route:
    return Route(method, re.compile(path), answer)


def _failure(status: int, message: str) -> bytes:
    content = msgspec.json.encode({"message": message}) + b"\n"
    head = (
        f"HTTP/1.1 {status} Error\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + content


def publisher(address: str, environ: Mapping[str, str], kept: KeptImages | None) -> Publisher:
    """Return one job's publisher for the engine at `address`; `kept` is None with `--publish`."""
    return Publisher(Wire(address, environ), kept)


def engine_proxy(
    address: str,
    environ: Mapping[str, str],
    of_job: Publisher,
    labels: Mapping[str, str],
    outside: Callable[[str], str | None],
    own_socket: str,
) -> Proxy:
    """Return a job's proxy for the engine at `address`.

    `labels` are for what the job's scripts create; `outside` gives the engine's machine's path for
    one that the job sees, None for what only the job has; `own_socket` is where the job's own
    socket is on that machine: containers get it in place of the engine's.
    """
    sockets = ENGINE_SOCKETS | {address.removeprefix("unix://")}
    place = Place(labels=labels, outside=outside, socket=own_socket, sockets=sockets)
    return Proxy(Wire(address, environ), of_job, place)
