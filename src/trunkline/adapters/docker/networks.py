"""A job's own network, and what may leave it."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from enum import StrEnum

from trunkline.adapters.docker.closed_networks import create_closed, is_without_way_out, ranges
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
# Nor are addresses translated, which what leaves a network would need.
NO_WAY_OUT = {"com.docker.network.bridge.enable_ip_masquerade": "false"}
STAYS_OPEN = "This container engine can't close a network whose ports it publishes, as Docker can."
HOW_TO_CLOSE = (
    "Leave out `ports` and run the job in a container, which reaches services by their names."
)


class Policy(StrEnum):
    """What containers may reach besides each other (`--network-policy`)."""

    OPEN = "open"
    REGISTRY = "registry"
    NONE = "none"


def create_network(
    engine: Engine, name: str, labels: Mapping[str, str], policy: Policy, *, has_ports: bool
) -> None:
    """Create a job's network. Raises Unavailable.

    A closed one is internal at the engine, too, unless `has_ports`: an internal network publishes
    none.
    """
    if policy is Policy.OPEN:
        with refusals():
            engine.client.create_network(name, driver=DRIVER, labels=dict(labels))
        return
    body = {"Name": name, "Driver": DRIVER, "Labels": labels, "CheckDuplicate": True}
    kind = {"Options": NO_WAY_OUT} if has_ports else {"Internal": True}
    made = create_closed(engine.wire, {**body, **kind})["Id"]
    # Podman's internal networks have no gateway.
    if has_ports and not is_without_way_out(engine.wire.call("GET", f"/networks/{made}")):
        engine.wire.call("DELETE", f"/networks/{made}")
        raise Unavailable(STAYS_OPEN, hint=HOW_TO_CLOSE)


def gateway(engine: Engine, name: str) -> str:
    """Return the IPv4 address that the engine's machine has in a network.

    A closed network has it too: what is closed is the way beyond the machine. Raises Unavailable
    where the engine's networks are not this machine's, as those of rootless engines.
    """
    found = engine.client.inspect_network(name)
    addresses = (str(each.get("Gateway") or "").partition("/")[0] for each in ranges(found))
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
