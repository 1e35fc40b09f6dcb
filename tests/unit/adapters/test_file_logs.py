"""Log lines on disk: after a crash, in other processes, in large numbers."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from tests.open_files import open_files
from trunkline.adapters.logs.files import FileLogStore
from trunkline.base.errors import Unavailable


def traffic() -> dict[str, int]:
    """Return the bytes that this process has read and written by now, and in how many calls."""
    place = Path("/proc/self/io")
    if not place.exists():
        pytest.skip("this kernel does not count what processes read and write")
    lines = place.read_text(encoding="ascii").splitlines()
    return {kind: int(number) for kind, _, number in (line.partition(": ") for line in lines)}


def test_another_process_reads_what_was_written(tmp_path: Path) -> None:
    writer = FileLogStore(str(tmp_path))
    writer.append("1", "a", 0, b"one\n")
    reader = FileLogStore(str(tmp_path))
    assert reader.read("1", "a") == b"one\n"
    assert not (tmp_path / "runs/1/logs/a.log").exists()
    writer.append("1", "a", 1, b"two\n", final=True)
    assert reader.read("1", "a", 1) == b"two\n"
    assert (tmp_path / "runs/1/logs/a.log").read_bytes() == b"one\ntwo\n"


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    FileLogStore(str(tmp_path / "state")).append("1", "a", 0, b"one\n")
    for path in [tmp_path / "state", *(tmp_path / "state").rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_torn_last_line_is_invisible_and_then_cut(tmp_path: Path) -> None:
    FileLogStore(str(tmp_path)).append("1", "a", 0, b"one\ntwo\n")
    with (tmp_path / "runs/1/logs/a.log.part").open("ab") as stream:
        stream.write(b"tor" + b"n" * 3_000_000)
    store = FileLogStore(str(tmp_path))
    assert store.read("1", "a") == b"one\ntwo\n"
    assert store.append("1", "a", 2, b"three\n") == 3
    assert store.read("1", "a", 1) == b"two\nthree\n"


def test_lines_of_before_a_restart_are_repeats(tmp_path: Path) -> None:
    FileLogStore(str(tmp_path)).append("1", "a", 0, b"one\ntwo\n")
    store = FileLogStore(str(tmp_path))
    assert store.append("1", "a", 0, b"one\ntwo\nthree\n") == 3
    assert store.read("1", "a") == b"one\ntwo\nthree\n"


def test_a_full_disk_is_told_and_leaves_whole_lines(tmp_path: Path) -> None:
    store = FileLogStore(str(tmp_path))
    store.append("1", "a", 0, b"one\n")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6, hard))
    try:
        with pytest.raises(Unavailable, match="The log can't be written"):
            store.append("1", "a", 1, b"two and more\n")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert store.read("1", "a") == b"one\n"
    assert store.append("1", "a", 1, b"two\n") == 2


def test_many_lines_cost_little_and_are_found_from_the_middle(tmp_path: Path) -> None:
    lines = [b"%06d %s\n" % (number, b"x" * 60) for number in range(200_000)]
    chunks = [b"".join(lines[at : at + 900]) for at in range(0, len(lines), 900)]
    store = FileLogStore(str(tmp_path))
    before = traffic()
    count = 0
    for chunk in chunks:
        count = store.append("1", "a", count, chunk)
    spent = {kind: number - before[kind] for kind, number in traffic().items()}
    assert count == 200_000
    # What is there is not read again, and written once.
    assert spent["rchar"] < 1_000_000
    assert spent["wchar"] < 1.5 * sum(map(len, chunks))
    assert spent["syscw"] < 5 * len(chunks)
    for reader in (store, FileLogStore(str(tmp_path))):
        assert reader.read("1", "a", 150_000, 2) == b"".join(lines[150_000:150_002])
        assert reader.read("1", "a", 199_999) == lines[-1]


def test_finished_jobs_hold_no_file_open(tmp_path: Path) -> None:
    store = FileLogStore(str(tmp_path))
    before = open_files()
    for key in ("a", "b"):
        store.append("1", key, 0, b"one\n")
        store.append("1", key, 1, b"", final=True)
    assert not open_files() - before
