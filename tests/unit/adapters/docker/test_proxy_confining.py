"""What a network policy makes of what scripts ask an engine for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from trunkline.adapters.docker.proxy.belongings import Belongings
from trunkline.adapters.docker.proxy.confining import FORBIDDEN, Confined, Confinement
from trunkline.adapters.docker.wire import EngineRefused, Wire

OWN, JOBS = "own", "github_network_1"


class OneNetwork(Belongings):
    """The belongings of a job whose scripts made one network."""

    def __init__(self) -> None:
        super().__init__(Wire("unix:///nowhere", {}), {})

    def has_network(self, name: str) -> bool:
        return name in {OWN, JOBS}


class Asked:
    """Gives the job's network, and remembers what ports it was asked for."""

    def __init__(self, *, publishes: bool) -> None:
        self.ports: list[list[str]] = []
        self._publishes = publishes

    def __call__(self, ports: Sequence[str]) -> Confined:
        self.ports.append(list(ports))
        return Confined(JOBS, {"TRUNKLINE_REGISTRY": "10.0.0.1:5"}, self._publishes)


def confinement(*, publishes: bool = False) -> Confinement:
    return Confinement("registry", Asked(publishes=publishes), OneNetwork())


def container(mode: str, **host: Any) -> dict[str, Any]:
    return {"Image": "x", "HostConfig": {"NetworkMode": mode, **host}}


@pytest.mark.parametrize("mode", ["", "default", "bridge", "nat"])
def test_a_container_without_a_network_is_put_into_the_job_s(mode: str) -> None:
    found = confinement().container({**container(mode, Memory=5), "Env": ["A=1"]})
    assert found["HostConfig"] == {"NetworkMode": JOBS, "Memory": 5}
    assert found["Env"] == ["A=1", "TRUNKLINE_REGISTRY=10.0.0.1:5"]
    assert found["NetworkingConfig"] == {"EndpointsConfig": {}}


def test_a_script_s_own_variable_stays() -> None:
    found = confinement().container({**container(""), "Env": ["TRUNKLINE_REGISTRY=mine"]})
    assert found["Env"] == ["TRUNKLINE_REGISTRY=mine"]


@pytest.mark.parametrize("mode", ["none", "container:x"])
def test_a_container_without_a_way_out_of_its_own_stays_as_it_is(mode: str) -> None:
    asked = Asked(publishes=False)
    body = container(mode)
    assert Confinement("none", asked, OneNetwork()).container(body) == body
    assert asked.ports == []  # no network is made for it


def test_networks_of_the_script_are_joined_and_usual_ones_replaced() -> None:
    ends = {"bridge": {"Aliases": ["a"]}, OWN: {}}
    body = {**container(OWN), "NetworkingConfig": {"EndpointsConfig": ends}}
    found = confinement().container(body)
    assert found["HostConfig"]["NetworkMode"] == OWN
    assert found["NetworkingConfig"] == {"EndpointsConfig": {JOBS: {"Aliases": ["a"]}, OWN: {}}}


@pytest.mark.parametrize("mode", ["host", "others"])
def test_other_networks_are_refused(mode: str) -> None:
    said = f"network policy registry: the network {mode} leads out of the job"
    ends: dict[str, Any] = {"NetworkingConfig": {"EndpointsConfig": {mode: {}}}}
    confined = confinement()
    for ask in (
        lambda: confined.container(container(mode)),
        lambda: confined.container({**container(""), **ends}),
        lambda: confined.check_network(mode),
        lambda: confined.build(mode),
        lambda: confined.buildkit(mode),
    ):
        with pytest.raises(EngineRefused) as raised:
            ask()
        assert (raised.value.message, raised.value.status) == (said, FORBIDDEN)


@pytest.mark.parametrize(
    ("host", "ports"),
    [
        ({"PortBindings": {"80/tcp": [{"HostPort": ""}]}}, ["80/tcp"]),
        ({"PublishAllPorts": True}, ["all"]),
        ({}, []),
    ],
)
def test_ports_are_published_where_the_network_can(host: dict[str, Any], ports: list[str]) -> None:
    asked = Asked(publishes=True)
    found = Confinement("none", asked, OneNetwork()).container(container("", **host))
    assert asked.ports == [ports]
    assert found["HostConfig"] == {"NetworkMode": JOBS, **host}
    if ports:
        with pytest.raises(EngineRefused, match="the job's network publishes no ports"):
            confinement().container(container("", **host))


@pytest.mark.parametrize("driver", ["", "bridge", "default"])
def test_networks_lead_nowhere(driver: str) -> None:
    found = confinement().network({"Name": "n", "Driver": driver, "Internal": False})
    assert found == {"Name": "n", "Driver": driver, "Internal": True}


@pytest.mark.parametrize(
    "body", [{"Driver": "macvlan"}, {"ConfigFrom": {"Network": "x"}}, {"Ingress": True}]
)
def test_networks_that_would_lead_out_are_refused(body: dict[str, Any]) -> None:
    with pytest.raises(EngineRefused, match="leads out of the job"):
        confinement().network({"Name": "n", **body})


def test_builds_have_the_job_s_network_and_those_of_buildkit_none() -> None:
    confined = confinement()
    assert [confined.build(mode) for mode in ("", "default", "none", "container:x", OWN)] == [
        JOBS, JOBS, "none", "container:x", OWN,
    ]  # fmt: skip
    assert [confined.buildkit(mode) for mode in ("", "default", "none")] == ["none"] * 3
    with pytest.raises(EngineRefused, match=f"the network {OWN} leads out"):
        confined.buildkit(OWN)
