"""The proxy of one job: each request goes to the engine, changed or answered here where it must be."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

import msgspec

from trunkline.adapters.docker.proxy.belongings import Belongings
from trunkline.adapters.docker.proxy.buildkit import ExecStream
from trunkline.adapters.docker.proxy.builds import BuildRoutes
from trunkline.adapters.docker.proxy.call import Call
from trunkline.adapters.docker.proxy.confining import Confinement
from trunkline.adapters.docker.proxy.connection import Connection, Ended
from trunkline.adapters.docker.proxy.heads import BadHead, parse_request
from trunkline.adapters.docker.proxy.images import ImageRoutes
from trunkline.adapters.docker.proxy.labelling import Place
from trunkline.adapters.docker.proxy.things import ThingRoutes
from trunkline.adapters.docker.publishing import Publisher
from trunkline.adapters.docker.wire import EngineRefused, Wire
from trunkline.base.errors import Unavailable
from trunkline.ports.kept_images import KeptImages

# What publishes by other ways than `docker push`: plug-ins, and Podman's own API.
PUBLISHING = (
    "Rehearsal: this would publish, without the local registry. Push with `docker push`, or run "
    "with --publish."
)
PODMANS = "Podman's own API leads out of the job; use Docker's"
SWARM = "services of a swarm and plug-ins lead out of the job"


class Route(NamedTuple):
    """What answers a request: a method, a path (its groups are arguments), a function."""

    method: re.Pattern[str]
    path: re.Pattern[str]
    answer: Callable[..., bool]


class Proxy:
    """Serves the connections of one job's clients. Thread-safe."""

    def __init__(self, wire: Wire, publisher: Publisher, place: Place) -> None:
        """Proxy the engine behind `wire` for the job that `place` describes."""
        self._wire = wire
        self._publisher = publisher
        self._place = place
        belongings = Belongings(wire, place.labels)
        confinement = None
        if place.confine is not None:
            confinement = Confinement(place.policy, place.confine, belongings)
        images = ImageRoutes(publisher, place.outside, belongings)
        builds = BuildRoutes(publisher, images, confinement)
        things = ThingRoutes(publisher, place, belongings, confinement)
        self._routes = (*_thing_routes(things), *self._image_routes(images, builds, things))

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
                if route.method.fullmatch(call.request.method):
                    found = route.path.fullmatch(call.request.path)
                    if found is not None:
                        return route.answer(call, **found.groupdict())
            return call.forward()
        except BadHead as error:
            call.client.send(_failure(400, f"bad request: {error}"))
        except EngineRefused as error:
            return call.refuse(error.message, error.status if error.status >= 400 else 500)
        except Unavailable as error:
            # As Docker's clients expect an engine to fail; they show the text.
            call.client.send(_failure(503, error.message))
        return False

    def _image_routes(
        self, images: ImageRoutes, builds: BuildRoutes, things: ThingRoutes
    ) -> tuple[Route, ...]:
        return (
            _route("POST", r"/(?P<what>images|build)/prune", self._keep_cache),
            _route("POST", r"/build", builds.build),
            _route("POST", r"/(?:libpod|libpod/local)/build", things.outside(PODMANS)),
            _route("POST", r"/grpc", builds.speak_to_buildkit),
            _route("POST", r"/exec/.+/start", self._start_exec),
            _route("POST", r"/auth", images.login),
            _route("POST", r"/images/(?P<name>.+)/push", images.push),
            _route("POST", r"/images/create", images.pull),
            _route("POST", r"/images/load", images.load),
            _route("GET", r"/distribution/(?P<name>.+)/json", images.distribution),
            _route("GET", r"/images/json", images.list),
            _route("GET", r"/images/(?P<name>.+)/json", images.inspect),
            _route("GET", r"/images/(?P<name>.+)/(?:history|get)", images.named),
            _route("POST", r"/images/(?P<name>.+)/tag", images.tag),
            _route("DELETE", r"/(?:libpod/)?images/(?P<name>.+)", images.remove),
            _route("POST", r"/plugins/.+/push", self._no_publishing),
            _route("POST", r"/libpod/(?:images|manifests)/.+/push", self._no_publishing),
            _route("POST", r"/libpod/manifests/.+/registry/.+", self._no_publishing),
        )

    # --- images and builds --------------------------------------------------------------

    def _keep_cache(self, call: Call, what: str) -> bool:
        """Prune no image and no cache of builds: they are not the job's alone."""
        key = "ImagesDeleted" if what == "images" else "CachesDeleted"
        return call.answer({key: None, "SpaceReclaimed": 0})

    def _start_exec(self, call: Call) -> bool:
        return call.forward(stream=ExecStream() if self._publisher.is_rehearsal else None)

    def _no_publishing(self, call: Call) -> bool:
        if not self._publisher.is_rehearsal:
            return call.forward()
        # Podman's own API has `cause` and `response` besides.
        told = {"message": PUBLISHING, "cause": PUBLISHING, "response": 403}
        return call.answer(told, 403)


def _thing_routes(things: ThingRoutes) -> tuple[Route, ...]:
    container = r"(?:/libpod)?/containers/(?P<name>[^/]+)"
    network, volume = r"(?:/libpod)?/networks/(?P<name>[^/]+)", r"/volumes/(?P<name>[^/]+)"
    return (
        _route("POST", r"/containers/create", things.create_container),
        _route("POST", r"/networks/create", things.create_network),
        _route("POST", r"/volumes/create", things.create_volume),
        _route("POST", r"/libpod/(?:containers|pods)/create", things.create_by_podman),
        _route("POST", r"/libpod/(?:networks/create|(?:play|kube)/.+)", things.outside(PODMANS)),
        _route("POST", r"/(?:services|swarm|plugins)/.+", things.outside(SWARM)),
        _route("POST", r"/(?:containers|networks|volumes)/prune", things.prune),
        _route("POST", r"/libpod/(?:containers|networks|volumes)/prune", things.own_only),
        _route("GET", r"(?:/libpod)?/(?:containers/json|volumes|volumes/json)", things.own_only),
        _route("GET", r"/networks", things.list_networks),
        _route("POST", rf"{container}/start", things.start_container),
        _route("(?:GET|HEAD|POST|PUT)", rf"{container}/.+", things.with_container),
        _route("DELETE", container, things.with_container),
        _route("POST", r"/commit", things.commit),
        _route("DELETE", network, things.remove_network),
        _route("POST", rf"{network}/(?:connect|disconnect)", things.join_network),
        _route("(?:DELETE|PUT)", rf"(?:/libpod)?{volume}", things.remove_volume),
    )


def _route(method: str, path: str, answer: Callable[..., bool]) -> Route:
    return Route(re.compile(method), re.compile(path), answer)


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
    address: str, environ: Mapping[str, str], of_job: Publisher, place: Place
) -> Proxy:
    """Return the proxy of the job that `place` describes, for the engine at `address`."""
    sockets = place.sockets | {address.removeprefix("unix://")}
    return Proxy(Wire(address, environ), of_job, msgspec.structs.replace(place, sockets=sockets))
