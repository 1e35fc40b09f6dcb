"""Runs as people ask for them."""

from __future__ import annotations

import pytest

from trunkline.adapters.clock import FakeClock
from trunkline.adapters.journals.memory import MemoryJournals
from trunkline.base.errors import NotFound
from trunkline.run.events import Conclusion, RunCompleted, Warned
from trunkline.services.runs import DAY, forget_old, resolve

END = RunCompleted(conclusion=Conclusion.SUCCESS)


def journals_of(*ages: float) -> tuple[MemoryJournals, FakeClock]:
    """Return journals of runs 1, 2, ... that began so many days ago, oldest first."""
    clock = FakeClock(0.0)
    journals = MemoryJournals(clock)
    for number, age in enumerate(ages, 1):
        clock.advance((max(ages) - age) * DAY - clock.now())
        journals.create(str(number)).append([END], 0)
    clock.advance(max(ages) * DAY - clock.now())
    return journals, clock


def test_old_runs_are_forgotten_and_young_ones_stay():
    journals, clock = journals_of(40, 31, 29, 0)
    assert forget_old(journals, clock, 30) == 2
    assert journals.runs() == ["3", "4"]


def test_the_newest_run_and_those_that_go_on_stay():
    journals, clock = journals_of(40, 35)
    clock.advance(-40 * DAY)
    journals.create("3").append([Warned(message="going on")], 0)
    clock.advance(40 * DAY)
    journals.create("4").append([END], 0)
    clock.advance(40 * DAY)
    assert forget_old(journals, clock, 0) == 2
    assert journals.runs() == ["3", "4"]


def test_a_run_is_named_by_its_id_its_end_or_latest():
    journals, _ = journals_of(0)
    journals.create("217405")
    journals.create("217406")
    assert resolve(journals, "latest") == "217406"
    assert resolve(journals, "217405") == "217405"
    assert resolve(journals, "406") == "217406"


@pytest.mark.parametrize("wanted", ["9", "2174", "nothing"])
def test_a_name_that_fits_no_run_is_told(wanted):
    journals, _ = journals_of(0)
    with pytest.raises(NotFound):
        resolve(journals, wanted)


def test_a_name_that_fits_several_runs_is_told():
    journals, _ = journals_of(0)
    journals.create("105")
    journals.create("205")
    with pytest.raises(NotFound, match="105, 205"):
        resolve(journals, "05")
