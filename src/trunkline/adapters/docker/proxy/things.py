"""Containers, networks and volumes, as a job's scripts ask for them: they have the job's own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from trunkline.adapters.docker.closed_networks import create_closed
from trunkline.adapters.docker.proxy.belongings import EVERYBODYS, Belongings
from trunkline.adapters.docker.proxy.call import Call
from trunkline.adapters.docker.proxy.confining import OTHERS, Confinement
from trunkline.adapters.docker.proxy.labelling import (
    Place,
    container_of,
    labelled,
    own_only,
    volumes_of,
)
from trunkline.adapters.docker.publishing import Publisher
from trunkline.adapters.docker.wire import EngineRefused

# What in a container's description may name another container (`container:NAME`).
SHARED = ("NetworkMode", "PidMode", "IpcMode")
CREATED, UNKNOWN, CONFLICT = 201, 404, 409
# The engine prunes for one client at a time, and refuses all others (moby's errPruneRunning).
IS_PRUNING = "a prune operation is already running"
# Seconds between asking it again, and how long it is asked.
PAUSE, PATIENCE = 0.1, 300


class ThingRoutes:
    """Answers what the engine is asked about containers, networks and volumes, for one job."""

    def __init__(
        self,
        publisher: Publisher,
        place: Place,
        belongings: Belongings,
        confinement: Confinement | None,
    ) -> None:
        """Take the job; without a `confinement` its containers may reach everything."""
        self._publisher = publisher
        self._place = place
        self._belongings = belongings
        self._confinement = confinement

    # --- making -------------------------------------------------------------------------

    def create_container(self, call: Call) -> bool:
        """Create a container that is the job's."""
        body = call.json()
        if body is None:
            return call.forward()
        image = body.get("Image")
        known = self._publisher.known_id(image) if isinstance(image, str) else ""
        if known:
            body["Image"] = known
        for name in _other_containers(body):
            if not self._belongings.has_container(name):  # 404 would have clients pull the image
                return call.refuse(f"No such container: {name}", CONFLICT)
        if self._confinement is not None:
            body = self._confinement.container(body)
        self._make_volumes(call, volumes_of(body))
        return call.forward(body=msgspec.json.encode(container_of(body, self._place)))

    def _make_volumes(self, call: Call, wanted: Mapping[str, str]) -> None:
        """Make volumes that a container names, so that they carry labels; those here stay."""
        for name, driver in wanted.items():
            described = {"Name": name, "Driver": driver or "local"}
            # The engine says what is wrong with a volume when the container is made.
            with suppress(EngineRefused):
                call.wire.call(
                    "POST", "/volumes/create", body=labelled(described, self._place.labels)
                )

    def create_network(self, call: Call) -> bool:
        """Create a network that is the job's."""
        body = call.json()
        if body is None or self._confinement is None:
            return self._create(call, body)
        described = labelled(self._confinement.network(body), self._place.labels)
        return call.answer(create_closed(call.wire, described), CREATED)

    def create_volume(self, call: Call) -> bool:
        """Create a volume that is the job's."""
        return self._create(call, call.json())

    def _create(self, call: Call, body: dict[str, Any] | None) -> bool:
        if body is None:
            return call.forward()
        return call.forward(body=msgspec.json.encode(labelled(body, self._place.labels)))

    def create_by_podman(self, call: Call) -> bool:
        """Label what Podman's own API makes: its key is written small."""
        if self._confinement is not None:
            raise self._confinement.refusal("Podman's own API leads out of the job; use Docker's")
        body = call.json()
        if body is None:
            return call.forward()
        own = body.get("labels")
        labels = {**(own if isinstance(own, dict) else {}), **self._place.labels}
        return call.forward(body=msgspec.json.encode({**body, "labels": labels}))

    # --- looking and pruning ------------------------------------------------------------

    def own_only(self, call: Call) -> bool:
        """List what the job made; what else is on this machine is not the job's."""
        return call.forward(own_only(call.request, self._place.labels))

    def prune(self, call: Call) -> bool:
        """Remove what the job made and does not use, once another job's pruning is over."""
        request = own_only(call.request, self._place.labels)
        path, end = request.target.partition("?")[0], time.monotonic() + PATIENCE
        while True:
            try:
                return call.answer(call.wire.call("POST", path, request.query))
            except EngineRefused as error:
                if IS_PRUNING not in error.message or time.monotonic() > end:
                    raise
            time.sleep(PAUSE)

    def list_networks(self, call: Call) -> bool:
        """List the job's networks, and those that every engine has."""
        found = call.wire.call("GET", "/networks", call.request.query) or []
        return call.answer([each for each in found if self._is_shown(each)])

    def _is_shown(self, network: Mapping[str, Any]) -> bool:
        return network.get("Name") in EVERYBODYS or self._belongings.is_ours(network.get("Labels"))

    # --- what is somebody else's --------------------------------------------------------

    def with_container(self, call: Call, name: str) -> bool:
        """Let a container of the job be looked at, used or removed."""
        if not self._belongings.has_container(name):
            return _unknown_container(call, name)
        return call.forward()

    def start_container(self, call: Call, name: str) -> bool:
        """Start a container as it was made: old versions of the API would take a new network."""
        if not self._belongings.has_container(name):
            return _unknown_container(call, name)
        return call.forward(body=b"")

    def commit(self, call: Call) -> bool:
        """Make an image of a container of the job."""
        self._belongings.look_at_images()
        return self.with_container(call, call.request.query.get("container", ""))

    def remove_network(self, call: Call, name: str) -> bool:
        """Remove a network of the job."""
        if not self._belongings.has_network(name):
            return call.refuse(f"network {name} not found", UNKNOWN)
        return call.forward()

    def join_network(self, call: Call, name: str) -> bool:
        """Connect a container of the job with a network, or end that."""
        container = str((call.json() or {}).get("Container") or "")
        if not self._belongings.has_container(container):
            return _unknown_container(call, container)
        if self._confinement is not None:
            self._confinement.check_network(name)
        return call.forward()

    def remove_volume(self, call: Call, name: str) -> bool:
        """Remove or change a volume of the job."""
        if not self._belongings.has_volume(name):
            return call.refuse(f"get {name}: no such volume", UNKNOWN)
        return call.forward()

    # --- what no network policy can follow ----------------------------------------------

    def outside(self, cause: str) -> Callable[[Call], bool]:
        """Return what answers requests that would lead out of a job that must stay within."""

        def answer(call: Call) -> bool:
            if self._confinement is not None:
                raise self._confinement.refusal(cause)
            return call.forward()

        return answer


def _other_containers(body: Mapping[str, Any]) -> list[str]:
    """Return the containers whose network, processes or volumes a new one would share."""
    config = body.get("HostConfig")
    if not isinstance(config, dict):
        return []
    modes = [str(config.get(key) or "") for key in SHARED]
    volumes = config.get("VolumesFrom")
    sources = volumes if isinstance(volumes, list) else []
    return [
        *(mode.removeprefix(OTHERS) for mode in modes if mode.startswith(OTHERS)),
        *(str(source).partition(":")[0] for source in sources),
    ]


def _unknown_container(call: Call, name: str) -> bool:
    """Answer as the engine does for a container that it does not have."""
    return call.refuse(f"No such container: {name}", UNKNOWN)
