"""A job's own network, and what may leave it."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from enum import StrEnum

from trunkline.adapters.docker.engine import Engine, refusals
from trunkline.base.errors import Unavailable

DRIVER = "bridge"
# How containers name the machine of an engine that tells no gateway (Docker Desktop).
HOST_NAME = "host.docker.internal"
APART = (
    "Containers can't reach this machine: their network's gateway {} is not one of its addresses "
    "(the engine is rootless, or elsewhere)."
)
HOW_TO_BE_REACHED = "An engine that root runs on this machine has networks that lead to it."
NO_WAY_OUT = {"com.docker.network.bridge.enable_ip_masquerade": "false"}


class Policy(StrEnum):
    """What containers may reach besides each other (`--network-policy`)."""

    OPEN = "open"
    REGISTRY = "registry"
    NONE = "none"


def create_network(
    engine: Engine, name: str, labels: Mapping[str, str], policy: Policy, *, has_ports: bool
) -> None:
    """Create a job's network.

    Without a way out it is internal. An internal network publishes no ports, so one whose ports
    the host's steps need only loses the translation of addresses that lets packets out.
    """
    is_closed = policy is not Policy.OPEN
    with refusals():
        engine.client.create_network(
            name,
            driver=DRIVER,
            labels=dict(labels),
            internal=is_closed and not has_ports,
            options=dict(NO_WAY_OUT) if is_closed and has_ports else None,
        )


def gateway(engine: Engine, name: str) -> str:
    """Return the IPv4 address that the engine's machine has in a network.

    A closed network has it too: what is closed is the way beyond the machine. Raises Unavailable
    where the engine's networks are not this machine's, as those of rootless engines.
    """
    found = engine.client.inspect_network(name)
    ranges = (found.get("IPAM") or {}).get("Config") or ()
    addresses = (str(each.get("Gateway") or "").partition("/")[0] for each in ranges)
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
