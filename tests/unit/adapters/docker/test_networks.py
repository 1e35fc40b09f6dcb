"""What a job's network lets out, and whether containers could reach this machine at an address."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from tests.docker_engine import Engine
from tests.unit.adapters.docker.jobs import job
from trunkline.adapters.docker import networks
from trunkline.adapters.docker.closed_networks import without_gateway
from trunkline.adapters.docker.engine import connect
from trunkline.adapters.docker.networks import Policy, create_network, gateway, is_own
from trunkline.app import Choices
from trunkline.base.errors import Unavailable


def test_addresses_of_this_machine_are_known() -> None:
    assert is_own("127.0.0.1")
    assert not is_own("192.0.2.1")  # of documentation alone (RFC 5737)


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the engine's networks seem to be in another network namespace, as rootless ones are."""
    monkeypatch.setattr(networks, "is_own", lambda _: False)


@pytest.mark.usefixtures("apart")
def test_a_machine_that_containers_can_not_reach_is_told(
    engine: Engine, tmp_path: Path, busybox_image: str
) -> None:
    with (
        job(
            engine, tmp_path / "registry", busybox_image, Choices(network_policy="registry")
        ) as one,
        pytest.raises(Unavailable, match="Containers can't reach this machine"),
    ):
        one.begin()
    with job(engine, tmp_path / "open", busybox_image) as other:
        begun = other.begin()
        with pytest.raises(Unavailable, match="is not one of its addresses"):
            other.sandbox.containers.address()
        assert begun.network


@pytest.mark.parametrize(
    ("subnet", "own", "kind", "nobody"),
    [
        ("172.20.0.0/16", "172.20.0.1", "DefaultGatewayIPv4", "172.20.255.254"),
        ("10.1.2.0/28", "10.1.2.1/28", "DefaultGatewayIPv4", "10.1.2.14"),
        ("fd00:1::/64", "fd00:1::1", "DefaultGatewayIPv6", "fd00:1::ffff:ffff:ffff:fffe"),
    ],
)
def test_a_gateway_can_be_an_address_that_nobody_gets(
    subnet: str, own: str, kind: str, nobody: str
) -> None:
    assert without_gateway({"Subnet": subnet, "Gateway": own}) == {
        "Subnet": subnet,
        "Gateway": own.partition("/")[0],
        "AuxiliaryAddresses": {kind: nobody},
    }


def test_addresses_that_are_taken_stay() -> None:
    given = {
        "Subnet": "10.1.2.0/28",
        "Gateway": "10.1.2.14",
        "AuxiliaryAddresses": {"a": "10.1.2.2"},
    }
    assert without_gateway(given) == {
        **given,
        "AuxiliaryAddresses": {"a": "10.1.2.2", "DefaultGatewayIPv4": "10.1.2.13"},
    }
    assert "Gateway" not in without_gateway({"Subnet": "10.1.2.0/28"})


PATIENCE = 60
SERVE = "mkdir /www; echo inside >/www/index.html; exec httpd -f -h /www -p 80"


@contextmanager
def network(engine: Engine, policy: Policy, *, has_ports: bool) -> Iterator[str]:
    """Make a network of a policy, and yield its name."""
    name = f"trunkline-test-{os.urandom(4).hex()}"
    create_network(connect(engine.host, {}), name, {}, policy, has_ports=has_ports)
    try:
        yield name
    finally:
        engine.docker("network", "rm", name)


@contextmanager
def server(engine: Engine, image: str, network: str, *options: str) -> Iterator[str]:
    """Start a container that answers `inside` on its port 80, and yield its name."""
    started = ("run", "--detach", "--network", network, *options, image, "sh", "-c", SERVE)
    name = engine.docker(*started)
    try:
        yield name
    finally:
        engine.docker("rm", "--force", name)


def address_of(engine: Engine, container: str) -> str:
    return engine.docker(
        "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container
    )


def answer(address: str) -> str:
    """Return what a server answers, as soon as it does."""
    end = time.monotonic() + PATIENCE
    while True:
        connection = HTTPConnection(address, timeout=PATIENCE)
        try:
            connection.request("GET", "/")
            return connection.getresponse().read().decode().strip()
        except (OSError, HTTPException):  # it does not listen yet
            assert time.monotonic() < end, f"nobody answers at {address}"
            time.sleep(0.1)
        finally:
            connection.close()


@contextmanager
def not_isolated(engine: Engine, *names: str) -> Iterator[None]:
    """Take away what the engine's rules keep these networks apart with, as it does for a moment."""
    if os.geteuid() != 0 or shutil.which("iptables") is None:
        pytest.skip("the engine's rules can't be changed here: that takes root, and iptables")
    rules = ("iptables", "-w", "60")
    with ExitStack() as undo:
        for name in names:
            bridge = f"br-{engine.docker('network', 'inspect', '-f', '{{.Id}}', name)[:12]}"
            for side in ("-i", "-o"):
                rule = ("DOCKER-USER", side, bridge, "-j", "ACCEPT")
                made = subprocess.run([*rules, "-I", *rule], capture_output=True, check=False)
                if made.returncode != 0:
                    pytest.skip(f"the engine has no rules here: {made.stderr.decode().strip()}")
                undo.callback(subprocess.run, [*rules, "-D", *rule], check=True)
        yield


def gets(engine: Engine, container: str, address: str) -> bool:
    """Tell whether a container gets to the server of another one."""
    command = f"nc -w 5 {address} 80 </dev/null"
    argv = ["docker", "--host", engine.host, "exec", container, "sh", "-c", command]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("has_ports", [True, False])
def test_a_closed_network_does_not_rest_on_the_engine_s_rules(
    engine: Engine, busybox_image: str, *, has_ports: bool
) -> None:
    with ExitStack() as stack:
        outside = stack.enter_context(network(engine, Policy.OPEN, has_ports=False))
        foreign = stack.enter_context(server(engine, busybox_image, outside))
        address = address_of(engine, foreign)
        answer(address)
        closed = stack.enter_context(network(engine, Policy.NONE, has_ports=has_ports))
        published = ("-p", "127.0.0.1::80") if has_ports else ()
        web = stack.enter_context(server(engine, busybox_image, closed, *published))
        reached = engine.docker("port", web, "80") if has_ports else address_of(engine, web)
        assert answer(reached) == "inside"
        opened = stack.enter_context(network(engine, Policy.OPEN, has_ports=True))
        free = stack.enter_context(server(engine, busybox_image, opened))
        stack.enter_context(not_isolated(engine, outside, opened, closed))
        end = time.monotonic() + PATIENCE
        while not gets(engine, free, address):  # so nothing but its routes keeps the other one
            assert time.monotonic() < end, "the engine's rules still hold"
        assert not gets(engine, web, address)
        routes = engine.docker("exec", web, "ip", "route").splitlines()
        [way_out] = [line for line in routes if line.startswith("default ")]
        assert way_out.split()[2] != gateway(connect(engine.host, {}), closed)


def test_a_closed_network_without_ports_is_internal(engine: Engine) -> None:
    with network(engine, Policy.REGISTRY, has_ports=False) as name:
        assert engine.docker("network", "inspect", "-f", "{{.Internal}}", name) == "true"


def test_many_closed_networks_with_ports_at_once_have_ranges_of_their_own(engine: Engine) -> None:
    def subnet(_: int) -> str:
        with network(engine, Policy.NONE, has_ports=True) as name:
            started.wait(PATIENCE)
            return engine.docker(
                "network", "inspect", "-f", "{{range .IPAM.Config}}{{.Subnet}}{{end}}", name
            )

    started = threading.Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(subnet, range(4)))) == 4


def test_podman_closes_a_network_without_ports(podman: Engine, podman_busybox: str) -> None:
    with network(podman, Policy.NONE, has_ports=False) as name:
        routes = podman.docker("run", "--rm", "--network", name, podman_busybox, "ip", "route")
    assert "default" not in routes


def test_podman_can_not_close_a_network_with_ports(podman: Engine) -> None:
    """It translates addresses whatever it is asked for, and knows no gateway besides its own."""
    with (
        pytest.raises(Unavailable, match="can't close a network whose ports it publishes"),
        network(podman, Policy.NONE, has_ports=True),
    ):
        pass
    assert "trunkline-test" not in podman.docker("network", "ls")
