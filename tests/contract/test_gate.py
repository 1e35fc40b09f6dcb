"""What every gate does: on disk, across processes, and the fake."""

from __future__ import annotations

import queue
from collections.abc import Callable
from pathlib import Path

import pytest

from trunkline.adapters import concurrency
from trunkline.adapters.gates import files
from trunkline.adapters.gates.files import FileGate
from trunkline.adapters.gates.memory import MemoryGate
from trunkline.ports.gate import Claim, Gate, Standing

SECONDS = 60.0


class Holder:
    """A claim, and what its owner heard."""

    def __init__(self, gate: Gate, claim: Claim) -> None:
        self.claim = claim
        self.gate = gate
        self.heard: queue.Queue[Standing] = queue.Queue()
        self.first = gate.acquire(claim, self.heard.put)

    def hears(self) -> Standing:
        return self.heard.get(timeout=SECONDS)

    def release(self) -> None:
        self.gate.release(self.claim)


@pytest.fixture(params=["files", "files of two objects", "memory"])
def enter(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Holder]:
    """Return what makes a holder; each speaks to a gate of its own where there are several."""
    monkeypatch.setattr(files, "POLL_SECONDS", 0.02)
    shared: Gate = MemoryGate()
    if request.param == "files":
        shared = FileGate(str(tmp_path), "octo/cat")

    def make(holder: str, group: str = "deploy", **more: object) -> Holder:
        several = request.param == "files of two objects"
        gate = FileGate(str(tmp_path), "octo/cat") if several else shared
        return Holder(gate, Claim(group=group, holder=holder, **more))  # type: ignore[arg-type]

    return make


Enter = Callable[..., Holder]


def test_the_first_is_granted_and_the_next_waits_for_it(enter: Enter) -> None:
    first, second = enter("1"), enter("2")
    assert (first.first, second.first) == (Standing.GRANTED, Standing.PENDING)
    first.release()
    assert second.hears() is Standing.GRANTED
    assert first.heard.empty()
    second.release()


def test_groups_compare_without_case_and_do_not_disturb_each_other(enter: Enter) -> None:
    first, second, other = enter("1", "Deploy ä"), enter("2", "deploy Ä"), enter("3", "deploy")
    assert second.first is Standing.PENDING
    assert other.first is Standing.GRANTED
    for holder in (second, first, other):
        holder.release()


def test_a_newer_one_that_waits_supersedes_the_older_one(enter: Enter) -> None:
    first, second, third = enter("1"), enter("2"), enter("3")
    assert third.first is Standing.PENDING
    assert second.hears() is Standing.SUPERSEDED
    second.release()
    first.release()
    assert third.hears() is Standing.GRANTED
    third.release()
    assert second.heard.empty()


def test_cancel_in_progress_supersedes_the_granted_one_as_well(enter: Enter) -> None:
    first, second = enter("1"), enter("2")
    third = enter("3", cancel_in_progress=True)
    assert third.first is Standing.PENDING
    assert first.hears() is Standing.SUPERSEDED
    assert second.hears() is Standing.SUPERSEDED
    assert third.heard.empty()
    first.release()
    assert third.hears() is Standing.GRANTED
    third.release()


def test_a_long_queue_is_served_in_order(enter: Enter) -> None:
    holders = [enter(str(number), queue="max") for number in range(4)]
    assert [holder.first for holder in holders] == [Standing.GRANTED, *[Standing.PENDING] * 3]
    holders[2].release()
    holders[0].release()
    assert holders[1].hears() is Standing.GRANTED
    assert holders[3].heard.empty()
    holders[1].release()
    assert holders[3].hears() is Standing.GRANTED
    holders[3].release()


def test_a_long_queue_has_an_end(enter: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    assert concurrency.MAX_PENDING == 100
    monkeypatch.setattr(concurrency, "MAX_PENDING", 4)
    holders = [enter(str(number), queue="max") for number in range(6)]
    assert holders[4].first is Standing.PENDING
    assert holders[5].first is Standing.SUPERSEDED
    for holder in reversed(holders):
        holder.release()


def test_a_free_group_is_granted_again(enter: Enter) -> None:
    for number in range(3):
        holder = enter(str(number))
        assert holder.first is Standing.GRANTED
        holder.release()
        holder.release()


def test_who_waits_no_more_is_passed_over(enter: Enter) -> None:
    first, second = enter("1"), enter("2")
    second.release()
    first.release()
    third = enter("3")
    assert third.first is Standing.GRANTED
    assert second.heard.empty()
    third.release()


def test_a_claim_made_twice_is_one(enter: Enter) -> None:
    first = enter("1")
    assert first.gate.acquire(first.claim, first.heard.put) is Standing.GRANTED
    first.release()
    second = enter("2")
    assert second.first is Standing.GRANTED
    second.release()
