"""What earlier runs of a workflow let one expect."""

from __future__ import annotations

from tests.scripted_runs import plan_of
from trunkline.adapters.clock import FakeClock
from trunkline.adapters.journals.memory import MemoryJournals
from trunkline.run.events import Conclusion, RunCompleted, RunStarted
from trunkline.services.durations import expected

WORKFLOW = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps: [{run: 'true'}]\n"


def record(journals: MemoryJournals, clock: FakeClock, run_id: str, seconds: float, name: str):
    started = RunStarted(
        run_id=run_id, number=1, plan=plan_of(WORKFLOW), github={"repository": name}
    )
    journal = journals.create(run_id)
    journal.append([started], 0)
    clock.advance(seconds)
    journal.append([RunCompleted(conclusion=Conclusion.SUCCESS)], 1)


def test_the_median_of_the_same_repository_is_expected():
    clock = FakeClock(1000.0)
    journals = MemoryJournals(clock)
    for run_id, seconds in (("1", 10.0), ("2", 30.0), ("3", 20.0)):
        record(journals, clock, run_id, seconds, "me/mine")
    record(journals, clock, "4", 500.0, "somebody/else")
    record(journals, clock, "5", 1.0, "me/mine")
    assert expected(journals, "5") == {"": 20.0}
