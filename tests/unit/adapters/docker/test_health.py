"""Services whose engine makes no health checks in time: those of ours count."""

from __future__ import annotations

import pytest

from tests.docker_engine import Engine
from trunkline.adapters.docker import health
from trunkline.adapters.docker.engine import connect
from trunkline.adapters.docker.health import await_health
from trunkline.ports.containers import Watch


@pytest.mark.parametrize(
    ("test", "told"),
    [
        ("true", ["db service is healthy."]),
        (
            "echo not yet; exit 3",
            ["db service is unhealthy.", "Its health check ended with exit code 3: not yet"],
        ),
    ],
)
def test_nobody_is_called_unhealthy_before_a_check_of_ours(
    engine: Engine,
    busybox_image: str,
    monkeypatch: pytest.MonkeyPatch,
    test: str,
    told: list[str],
) -> None:
    monkeypatch.setattr(health, "_longest", lambda _: -1.0)  # the time for checks is over
    checked = ("--health-cmd", test, "--health-interval", "1h")
    container = engine.docker("run", "--detach", *checked, busybox_image, "sleep", "600")
    lines: list[str] = []
    try:
        watch = Watch(lines.append, lambda: False)
        failed = await_health(connect(engine.host, {}), {"db": container}, watch)
    finally:
        engine.docker("rm", "--force", container)
    assert failed == ([] if test == "true" else ["db"])
    assert [line for line in lines if "starting" not in line] == told
