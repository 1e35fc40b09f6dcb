"""What every clock and every maker of names does, and how the fakes are moved."""

from __future__ import annotations

import re
import threading
import time

import pytest

from trunkline.adapters.clock import FakeClock, FakeIds, SystemClock, SystemIds
from trunkline.ports.clock import Clock, Ids


@pytest.mark.parametrize("clock", [SystemClock(), FakeClock()])
def test_time_never_goes_back(clock: Clock) -> None:
    monotonic, now = clock.monotonic(), clock.now()
    assert clock.monotonic() >= monotonic
    assert clock.now() >= now > 1_600_000_000


@pytest.mark.parametrize("ids", [SystemIds(), FakeIds()])
def test_names_are_new_each_time(ids: Ids) -> None:
    runs = [ids.run_id() for _ in range(1000)]
    assert all(run.isdecimal() for run in runs)
    assert sorted(set(runs), key=int) == runs
    tokens = {ids.token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert all(re.fullmatch("[0-9a-f]{32}", token) for token in tokens)


def test_names_of_many_threads_are_different() -> None:
    ids = SystemIds()
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.extend(ids.run_id() for _ in range(500)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 2000


def test_the_machines_clock_tells_the_time() -> None:
    before = time.time()
    assert before <= SystemClock().now() <= time.time()


def test_fake_time_moves_when_told() -> None:
    clock = FakeClock(1000.0)
    moves: list[float] = []
    clock.watch(lambda: moves.append(clock.now()))
    clock.advance(7.5)
    assert (clock.now(), clock.monotonic(), moves) == (1007.5, 7.5, [1007.5])


def test_a_jump_wakes_who_waits() -> None:
    clock = FakeClock()
    woken: list[bool] = []
    waiter = threading.Thread(target=lambda: woken.append(clock.wait(3600, lambda: False)))
    waiter.start()
    while waiter.is_alive():
        clock.advance(1800)
    waiter.join()
    assert woken == [False]


def test_news_wakes_who_waits() -> None:
    clock = FakeClock()
    news = threading.Event()
    woken: list[bool] = []
    waiter = threading.Thread(target=lambda: woken.append(clock.wait(None, news.is_set)))
    waiter.start()
    news.set()
    clock.notify()
    waiter.join(60)
    assert woken == [True]


def test_an_automatic_clock_jumps_to_what_is_waited_for() -> None:
    clock = FakeClock(automatic=True)
    assert clock.wait(60, lambda: clock.monotonic() >= 60)
    assert not clock.wait(60, lambda: False)
    assert clock.monotonic() == 120
