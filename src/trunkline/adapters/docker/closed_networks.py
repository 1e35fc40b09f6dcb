"""Networks whose containers have no way beyond them, whatever the engine's rules are at the moment.

Rules of the engine keep networks apart, internal ones too, and go for a moment whenever a network is
made (libnetwork `EnsureJumpRule`). So containers get no route: their gateway is nobody's address.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_network
from typing import Any

from trunkline.adapters.docker.wire import EngineRefused, Wire

CREATE = "/networks/create"
TAKEN = "overlaps with other one"
TRIES = 20
# A network's range, as the Engine API describes it (`IPAM.Config`).
Range = Mapping[str, Any]


def create_closed(wire: Wire, body: Mapping[str, Any]) -> Any:
    """Create a network from its description; return the engine's answer. Raises EngineRefused.

    The gateway is given as an address of the network, so its range must be known before. When the
    description names none the engine chooses one, and somebody may take it until it is asked for.
    """
    asked = ranges(body)
    if asked:
        return wire.call("POST", CREATE, body=_with_ranges(body, asked))
    tries = TRIES
    while True:
        chosen = _chosen(wire, body)
        described = _with_ranges(body, ranges(chosen))
        tries -= 1
        try:
            return wire.call(
                "POST", CREATE, body={**described, "EnableIPv6": bool(chosen.get("EnableIPv6"))}
            )
        except EngineRefused as error:
            if TAKEN not in error.message or not tries:
                raise


def ranges(network: Mapping[str, Any]) -> Sequence[Range]:
    """Return the ranges that a network has, or is to have."""
    ipam = network.get("IPAM")
    found = ipam.get("Config") if isinstance(ipam, dict) else None
    return [each for each in found or () if isinstance(each, dict) and each.get("Subnet")]


def is_without_way_out(network: Mapping[str, Any]) -> bool:
    """Tell whether a network that was made has what was asked for: Podman leaves it out."""
    return all(each.get("AuxiliaryAddresses") for each in ranges(network))


def without_gateway(range_: Range) -> dict[str, Any]:
    """Return a network's range whose gateway is an address that nobody gets: one of its last two.

    Its `Gateway` is the address in it that the engine's machine has.
    """
    network = ip_network(str(range_["Subnet"]))
    own = str(range_.get("Gateway") or "").partition("/")[0]
    last = network.broadcast_address - 1
    nobody = last if str(last) != own else last - 1
    others = range_.get("AuxiliaryAddresses") or {}
    known = {"Gateway": own} if own else {}
    gateway = {f"DefaultGatewayIPv{network.version}": str(nobody)}
    return {**range_, **known, "AuxiliaryAddresses": {**others, **gateway}}


def _with_ranges(body: Mapping[str, Any], wanted: Sequence[Range]) -> dict[str, Any]:
    ipam = body.get("IPAM")
    config = [without_gateway(each) for each in wanted]
    return {**body, "IPAM": {**(ipam if isinstance(ipam, dict) else {}), "Config": config}}


def _chosen(wire: Wire, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the network that the engine makes of a description; it is gone again."""
    made = wire.call("POST", CREATE, body={**body, "Internal": True})
    place = f"/networks/{made['Id']}"
    chosen: Mapping[str, Any] = wire.call("GET", place)
    wire.call("DELETE", place)
    return chosen
