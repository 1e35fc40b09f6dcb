"""A job's own network, and what may leave it."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from enum import StrEnum
from ipaddress import ip_network
from typing import Any

from docker import APIClient
from docker.errors import APIError
from docker.types import IPAMConfig, IPAMPool

from trunkline.adapters.docker.engine import Engine, refusals, words
from trunkline.base.errors import Unavailable

DRIVER = "bridge"
# How containers name the machine of an engine that tells no gateway (Docker Desktop).
HOST_NAME = "host.docker.internal"
APART = (
    "Containers can't reach this machine: their network's gateway {} is not one of its addresses "
    "(the engine is rootless, or elsewhere)."
)
HOW_TO_BE_REACHED = "An engine that root runs on this machine has networks that lead to it."
# Nor are addresses translated, which what leaves a network would need.
NO_WAY_OUT = {"com.docker.network.bridge.enable_ip_masquerade": "false"}
STAYS_OPEN = "This container engine can't close a network whose ports it publishes, as Docker can."
HOW_TO_CLOSE = (
    "Leave out `ports` and run the job in a container, which reaches services by their names."
)
TAKEN = "overlaps with other one"
TRIES = 20


class Policy(StrEnum):
    """What containers may reach besides each other (`--network-policy`)."""

    OPEN = "open"
    REGISTRY = "registry"
    NONE = "none"


def create_network(
    engine: Engine, name: str, labels: Mapping[str, str], policy: Policy, *, has_ports: bool
) -> None:
    """Create a job's network. Raises Unavailable.

    A closed one has a gateway that is nobody's address. It is internal, too, unless `has_ports`:
    an internal network publishes none.
    """
    with refusals():
        if policy is Policy.OPEN:
            engine.client.create_network(name, driver=DRIVER, labels=dict(labels))
        else:
            _create_closed(engine.client, name, dict(labels), is_internal=not has_ports)


def _create_closed(
    client: APIClient, name: str, labels: dict[str, str], *, is_internal: bool
) -> None:
    """Create a network whose containers have no way beyond it; its ports are published or not.

    They are kept from other networks by having no route, not by the engine's rules alone, which go
    for a moment whenever a network is made (libnetwork `EnsureJumpRule`), internal ones' too. The
    gateway is given as an address of the network, so its range must be known before: the engine
    chooses one, and somebody may take it until it is asked for.
    """
    for left in reversed(range(TRIES)):
        client.create_network(name, driver=DRIVER, labels=labels, internal=True)
        chosen = client.inspect_network(name)
        client.remove_network(name)
        pools = [without_gateway(each["Subnet"], each["Gateway"]) for each in _ranges(chosen)]
        try:
            client.create_network(
                name,
                driver=DRIVER,
                labels=labels,
                internal=is_internal,
                options=None if is_internal else NO_WAY_OUT,
                ipam=IPAMConfig(pool_configs=pools),
                enable_ipv6=bool(chosen.get("EnableIPv6")),
            )
        except APIError as error:
            if TAKEN not in words(error) or not left:
                raise
            continue
        break
    made = _ranges(client.inspect_network(name))
    # Podman knows none; its internal networks have no gateway.
    if not is_internal and not all(each.get("AuxiliaryAddresses") for each in made):
        client.remove_network(name)
        raise Unavailable(STAYS_OPEN, hint=HOW_TO_CLOSE)


def without_gateway(subnet: str, own: str) -> IPAMPool:
    """Return a network's range whose gateway is an address that nobody gets: its last one.

    `own` is the address in it that the engine's machine has.
    """
    network = ip_network(subnet)
    nobody = {f"DefaultGatewayIPv{network.version}": str(network.broadcast_address - 1)}
    return IPAMPool(subnet=subnet, gateway=own.partition("/")[0], aux_addresses=nobody)


def _ranges(network: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return (network.get("IPAM") or {}).get("Config") or ()


def gateway(engine: Engine, name: str) -> str:
    """Return the IPv4 address that the engine's machine has in a network.

    A closed network has it too: what is closed is the way beyond the machine. Raises Unavailable
    where the engine's networks are not this machine's, as those of rootless engines.
    """
    found = engine.client.inspect_network(name)
    addresses = (str(each.get("Gateway") or "").partition("/")[0] for each in _ranges(found))
    address = next((address for address in addresses if "." in address), HOST_NAME)
    if address != HOST_NAME and not is_own(address):
        raise Unavailable(APART.format(address), hint=HOW_TO_BE_REACHED)
    return address


def is_own(address: str) -> bool:
    """Tell whether this machine has an IPv4 address: somebody here could listen on it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True
