"""What every log store does: on disk, and the fake."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trunkline.adapters.logs.files import FileLogStore
from trunkline.adapters.logs.memory import MemoryLogStore
from trunkline.base.errors import Conflict
from trunkline.ports.logs import LogStore

KEYS = itertools.count()
LINES = [b"one\n", b"\n", b"tw\xff\n", b"\r\n", b"f" * 70_000 + b"\n"]


@pytest.fixture(params=["files", "memory"])
def logs(request: pytest.FixtureRequest, tmp_path: Path) -> LogStore:
    return FileLogStore(str(tmp_path)) if request.param == "files" else MemoryLogStore()


def test_lines_are_stored_and_read(logs: LogStore) -> None:
    assert logs.append("1", "a", 0, b"one\ntwo\n") == 2
    assert logs.append("1", "a", 2, b"three\n") == 3
    assert logs.read("1", "a") == b"one\ntwo\nthree\n"
    assert logs.read("1", "a", 1, 1) == b"two\n"
    assert logs.read("1", "a", 1) == b"two\nthree\n"
    assert logs.read("1", "a", 2, 9) == b"three\n"
    assert logs.read("1", "a", 3) == b""
    assert logs.read("1", "a", 9, 1) == b""


def test_jobs_and_runs_are_apart(logs: LogStore) -> None:
    for run_id, key in [("1", "build (1)"), ("1", "build-1"), ("1", "Build (1)"), ("2", "build-1")]:
        logs.append(run_id, key, 0, f"{run_id} {key}\n".encode())
    assert logs.read("1", "build (1)") == b"1 build (1)\n"
    assert logs.read("1", "build-1") == b"1 build-1\n"
    assert logs.read("2", "build-1") == b"2 build-1\n"


def test_nothing_is_known_of_a_job_that_printed_nothing(logs: LogStore) -> None:
    assert logs.read("1", "a") == b""


def test_repeats_are_ignored(logs: LogStore) -> None:
    logs.append("1", "a", 0, b"one\ntwo\n")
    assert logs.append("1", "a", 0, b"one\ntwo\n") == 2
    assert logs.append("1", "a", 0, b"one\n") == 2
    assert logs.append("1", "a", 1, b"two\nthree\n") == 3
    assert logs.read("1", "a") == b"one\ntwo\nthree\n"


def test_a_hole_is_refused(logs: LogStore) -> None:
    logs.append("1", "a", 0, b"one\n")
    with pytest.raises(Conflict):
        logs.append("1", "a", 2, b"three\n")
    assert logs.append("1", "a", 1, b"two\n") == 2


def test_the_end_is_no_line(logs: LogStore) -> None:
    logs.append("1", "a", 0, b"one\n")
    assert logs.append("1", "a", 1, b"", final=True) == 1
    assert logs.read("1", "a") == b"one\n"


def test_a_repeated_end_is_ignored(logs: LogStore) -> None:
    logs.append("1", "a", 0, b"one\n", final=True)
    assert logs.append("1", "a", 0, b"one\n", final=True) == 1
    assert logs.read("1", "a") == b"one\n"


def test_a_job_may_end_without_a_line(logs: LogStore) -> None:
    assert logs.append("1", "a", 0, b"", final=True) == 0
    assert logs.read("1", "a") == b""


@settings(deadline=None, max_examples=50, suppress_health_check=[*HealthCheck])
@given(
    st.lists(st.lists(st.sampled_from(LINES), max_size=40), min_size=1, max_size=8),
    st.integers(0, 200),
    st.integers(0, 50),
)
def test_any_range_is_that_of_the_lines(
    logs: LogStore, batches: list[list[bytes]], start: int, count: int
) -> None:
    key = str(next(KEYS))
    stored: list[bytes] = []
    for batch in batches:
        assert logs.append("1", key, len(stored), b"".join(batch)) == len(stored) + len(batch)
        stored += batch
    wanted = stored[start : start + count] if count else stored[start:]
    assert logs.read("1", key, start, count) == b"".join(wanted)
