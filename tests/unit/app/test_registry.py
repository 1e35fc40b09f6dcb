"""How a registry is put together: what it keeps, and when garbage is collected."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from trunkline import settings
from trunkline.app import System, registry

DAY = 86400.0


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    made = System(settings.read({"HOME": str(tmp_path), "TRUNKLINE_KEEP_DAYS": "3"}))
    yield made
    made.close()


def test_untagged_images_stay_as_long_as_runs_where_rehearsals_push(
    system: System, tmp_path: Path
) -> None:
    own, other = registry.default_root(system), str(tmp_path / "other")
    chosen = registry.Rules(untagged=DAY)
    for_ever = registry.Rules(untagged=math.inf)
    assert registry.registry(system).untagged == 3 * DAY
    assert registry.registry(system, own).untagged == 3 * DAY
    assert registry.registry(system, other).untagged is None
    assert registry.registry(system, own, chosen).untagged == DAY
    assert registry.registry(system, other, chosen).untagged == DAY
    assert registry.registry(system, own, for_ever).untagged == math.inf


def test_garbage_is_collected_once_a_day_after_a_run_that_used_images(system: System) -> None:
    mark = Path(registry.default_root(system), "collected")
    system.collect_images()
    assert not mark.parent.exists()
    system.images()
    system.collect_images()
    first = mark.stat().st_mtime_ns
    system.collect_images()
    assert mark.stat().st_mtime_ns == first


def test_a_registry_knows_the_runs_that_are_kept(system: System) -> None:
    served = registry.registry(system)
    assert served.runs() == []
    system.journals.create("7")
    assert served.runs() == ["7"]
