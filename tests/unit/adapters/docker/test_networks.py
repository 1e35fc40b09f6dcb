"""Whether containers could reach this machine at an address."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docker_engine import Engine
from tests.unit.adapters.docker.jobs import job
from trunkline.adapters.docker import networks
from trunkline.adapters.docker.networks import is_own
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
