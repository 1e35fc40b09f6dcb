"""What a network policy makes of containers, networks and builds that a job's scripts ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from trunkline.adapters.docker.proxy.belongings import Belongings
from trunkline.adapters.docker.wire import EngineRefused

# How clients ask for the network that a container has when nothing else is said.
USUAL = frozenset({"", "default", "bridge", "nat"})
NOTHING, OTHERS = "none", "container:"
BRIDGE = "bridge"
FORBIDDEN = 403


class Confined(msgspec.Struct, frozen=True):
    """The network that a job's containers stay in, and what they are told of it.

    `publishes` says whether ports of containers in it can be published.
    """

    network: str
    env: Mapping[str, str]
    publishes: bool


class Confinement:
    """Keeps what a job's scripts make in the job's network. Every refusal is an EngineRefused."""

    def __init__(
        self, policy: str, confine: Callable[[Sequence[str]], Confined], belongings: Belongings
    ) -> None:
        """Take the policy's name, and what returns the network, made when it is first needed.

        `confine` is told what ports the container publishes that needs it.
        """
        self._policy = policy
        self._confine = confine
        self._belongings = belongings

    def container(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the description of a container that stays within."""
        config = _table(body.get("HostConfig"))
        mode = str(config.get("NetworkMode") or "")
        ports = (
            ["all"] if config.get("PublishAllPorts") else list(_table(config.get("PortBindings")))
        )
        if mode == NOTHING or mode.startswith(OTHERS):
            return dict(body)
        confined = self._confine(ports)
        if ports and not confined.publishes:
            raise self.refusal(
                "the job's network publishes no ports. Reach the container by its name, from "
                "another one, or start it before all others"
            )
        endpoints = _table(_table(body.get("NetworkingConfig")).get("EndpointsConfig"))
        joined = {self._network(name, confined): end for name, end in endpoints.items()}
        return {
            **body,
            "Env": _environment(body.get("Env"), confined.env),
            "HostConfig": {**config, "NetworkMode": self._network(mode, confined)},
            "NetworkingConfig": {"EndpointsConfig": joined},
        }

    def _network(self, name: str, confined: Confined) -> str:
        if name in USUAL:
            return confined.network
        self.check_network(name)
        return name

    def check_network(self, name: str) -> None:
        """Refuse a network that is not the job's."""
        if not self._belongings.has_network(name):
            raise self.refusal(f"the network {name} leads out of the job")

    def network(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the description of a network that leads nowhere."""
        driver = str(body.get("Driver") or BRIDGE)
        if driver not in {BRIDGE, "default"} or body.get("ConfigFrom") or body.get("Ingress"):
            raise self.refusal(f"a network of the driver {driver} leads out of the job")
        return {**body, "Internal": True}

    def build(self, mode: str) -> str:
        """Return the network that the containers of a build have, by the engine's own builder."""
        if mode == NOTHING or mode.startswith(OTHERS):
            return mode
        return self._network(mode, self._confine(()))

    def buildkit(self, mode: str) -> str:
        """Return the network of a build by BuildKit, which knows none of the job's."""
        if mode in USUAL or mode == NOTHING:
            return NOTHING
        raise self.refusal(f"the network {mode} leads out of the job")

    def refusal(self, cause: str) -> EngineRefused:
        """Return the error that says why something can't be."""
        return EngineRefused(f"network policy {self._policy}: {cause}", FORBIDDEN)


def _environment(given: object, own: Mapping[str, str]) -> list[str]:
    written = [str(each) for each in given] if isinstance(given, list) else []
    names = {each.partition("=")[0] for each in written}
    return [*written, *(f"{name}={value}" for name, value in own.items() if name not in names)]


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
