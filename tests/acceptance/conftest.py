"""A user's machine for each test, and proof that nothing is left on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import Place
from tests.docker_engine import RUN_LABEL, Engine


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Yield a machine; assert afterwards that no process and no folder of a job is left."""
    found = Place(tmp_path / "machine")
    yield found
    assert not found.processes()
    assert not found.leftovers()


@pytest.fixture
def docked(place: Place, engine: Engine) -> Iterator[Place]:
    """Yield a machine with a Docker Engine; assert afterwards that its runs left nothing there."""
    place.env["DOCKER_HOST"] = engine.host
    yield place
    for run_id in place.runs():
        assert not engine.owned(f"{RUN_LABEL}={run_id}")
