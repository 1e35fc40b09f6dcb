"""Removing what others remove at the same time."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from tests.docker_engine import PREFIX, Engine
from trunkline.adapters.docker.engine import connect
from trunkline.adapters.docker.removal import remove_container, remove_network

REMOVERS = 6


def test_what_others_are_removing_is_waited_for(engine: Engine, busybox_image: str) -> None:
    network = engine.docker("network", "create", f"{PREFIX}-{os.urandom(5).hex()}")
    argv = ("--network", network, busybox_image, "sleep", "300")
    container = engine.docker("run", "--detach", *argv)

    def remove(_: int) -> None:
        own = connect(engine.host, {})
        remove_container(own, container)
        remove_network(own, network)  # refused as long as the container is in it

    with ThreadPoolExecutor(REMOVERS) as pool:
        list(pool.map(remove, range(REMOVERS)))
    assert network not in engine.docker("network", "ls", "--quiet", "--no-trunc").split()
    assert container not in engine.docker("ps", "--all", "--quiet", "--no-trunc").split()
