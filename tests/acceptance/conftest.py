"""A user's machine for each test, and proof that nothing is left on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import Place
from tests.docker_engine import RUN_LABEL, Engine
from tests.image_layouts import Layout
from tests.registry_shop import Shop, make_layout, opened


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
    before = engine.action_images()
    yield place
    engine.forget_actions(before)
    for run_id in place.runs():
        assert not engine.owned(f"{RUN_LABEL}={run_id}")


@pytest.fixture(params=["open", "basic", pytest.param("bearer", marks=pytest.mark.long), "tls"])
def shop(request: pytest.FixtureRequest, place: Place, tmp_path: Path) -> Iterator[Shop]:
    """Yield a registry, guarded in each way; `tls` gives tokens too, as `bearer` does."""
    with opened(place, tmp_path, request.param) as found:
        yield found


@pytest.fixture
def open_shop(place: Place, tmp_path: Path) -> Iterator[Shop]:
    """Yield a registry that lets everybody in."""
    with opened(place, tmp_path, "open") as found:
        yield found


@pytest.fixture
def guarded_shop(place: Place, tmp_path: Path) -> Iterator[Shop]:
    """Yield a registry that gives tokens to Alice."""
    with opened(place, tmp_path, "bearer") as found:
        yield found


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """Return an image `one` of two layers, and an index `many` of images for two machines."""
    return make_layout(tmp_path / "layout")
