"""What every journal does: on disk, and the fake."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from trunkline.adapters.clock import FakeClock
from trunkline.adapters.journals.files import FileJournals
from trunkline.adapters.journals.memory import MemoryJournals
from trunkline.base.errors import Conflict, NotFound
from trunkline.ports.journal import Journals
from trunkline.run.events import Conclusion, Event, JobStarted, Record, RunCompleted, Warned

END = RunCompleted(conclusion=Conclusion.SUCCESS)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(1000.0)


@pytest.fixture(params=["files", "memory"])
def journals(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Journals:
    return FileJournals(str(tmp_path), clock) if request.param == "files" else MemoryJournals(clock)


def warned(count: int) -> list[Event]:
    return [Warned(message=f"é\n{number}") for number in range(count)]


def test_events_are_numbered_timed_and_read_back(journals: Journals, clock: FakeClock) -> None:
    journal = journals.create("1")
    assert journal.append([JobStarted(key="a"), Warned(message="é\n\x00")], 0) == 2
    clock.advance(5)
    assert journal.append([END], 2) == 3
    expected = [
        Record(number=1, at=1000.0, event=JobStarted(key="a")),
        Record(number=2, at=1000.0, event=Warned(message="é\n\x00")),
        Record(number=3, at=1005.0, event=END),
    ]
    assert journal.read() == expected
    assert journals.open("1").read() == expected
    assert journals.open("1").read(after=2) == expected[2:]
    assert journals.open("1").read(after=9) == []


def test_an_append_that_expects_another_number_is_refused(journals: Journals) -> None:
    journal = journals.create("1")
    journal.append(warned(2), 0)
    for expected in (0, 1, 3):
        with pytest.raises(Conflict):
            journal.append(warned(1), expected)
    assert len(journal.read()) == 2


def test_nothing_appended_is_nothing(journals: Journals) -> None:
    journal = journals.create("1")
    assert journal.append([], 0) == 0
    assert journal.read() == []


def test_runs_are_listed_oldest_first(journals: Journals) -> None:
    assert journals.runs() == []
    for run_id in ("100", "99", "1000"):
        journals.create(run_id)
    assert journals.runs() == ["99", "100", "1000"]


def test_a_run_is_created_once(journals: Journals) -> None:
    journals.create("1")
    with pytest.raises(Conflict, match="Run 1 exists already"):
        journals.create("1")


def test_a_run_that_is_not_there_can_not_be_opened(journals: Journals) -> None:
    with pytest.raises(NotFound, match="There is no run 5"):
        journals.open("5")


def test_a_removed_run_is_gone(journals: Journals) -> None:
    journals.create("1").append([END], 0)
    journals.remove("1")
    journals.remove("1")
    assert journals.runs() == []
    with pytest.raises(NotFound):
        journals.open("1")


def test_numbers_count_for_each_workflow(journals: Journals) -> None:
    assert [journals.next_number(".github/workflows/ci.yml") for _ in range(3)] == [1, 2, 3]
    assert journals.next_number(".github/workflows/CI.yml") == 1


def test_numbers_are_never_given_twice(journals: Journals) -> None:
    given: list[int] = []
    threads = [
        threading.Thread(target=lambda: given.extend(journals.next_number("ci") for _ in range(25)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == list(range(1, 101))


def test_a_follower_sees_every_record_as_it_comes(journals: Journals) -> None:
    journal = journals.create("1")
    journal.append(warned(2), 0)
    seen: list[int] = []
    first = threading.Event()

    def follow() -> None:
        for record in journals.open("1").follow(after=1):
            seen.append(record.number)
            first.set()

    follower = threading.Thread(target=follow)
    follower.start()
    assert first.wait(60)
    assert seen == [2]
    journal.append(warned(3), 2)
    journal.append([END], 5)
    follower.join(60)
    assert not follower.is_alive()
    assert seen == [2, 3, 4, 5, 6]


def test_following_a_complete_run_ends(journals: Journals) -> None:
    journals.create("1").append([*warned(1), END], 0)
    assert [record.number for record in journals.open("1").follow()] == [1, 2]
    assert list(journals.open("1").follow(after=2)) == []


def test_when_a_run_began_is_known_without_reading_it(journals: Journals, clock: FakeClock) -> None:
    journal = journals.create("1")
    clock.advance(60)
    journal.append([*warned(1), END], 0)
    assert journals.begun("1") == 1000.0
    with pytest.raises(NotFound):
        journals.begun("2")
