"""Journals on disk: torn lines, dead writers, other processes, full disks."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.open_files import open_files
from trunkline.adapters.clock import FakeClock
from trunkline.adapters.journals.files import FileJournals
from trunkline.base.errors import Conflict, Corrupt, NotFound, Unavailable
from trunkline.run.events import Conclusion, RunCompleted, Warned

END = RunCompleted(conclusion=Conclusion.SUCCESS)

WRITER = """
import sys
from trunkline.adapters.clock import SystemClock
from trunkline.adapters.journals.files import FileJournals
from trunkline.run.events import Warned
journal = FileJournals(sys.argv[1], SystemClock()).create("1")
journal.append([Warned(message="1"), Warned(message="2")], 0)
print(flush=True)
sys.stdin.read()
"""


def journals(folder: Path) -> FileJournals:
    return FileJournals(str(folder), FakeClock())


def events_file(folder: Path) -> Path:
    return folder / "runs/1/events.jsonl"


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    root = tmp_path / "state"
    journals(root).create("1").append([END], 0)
    journals(root).next_number("ci")
    for path in [root, *root.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_torn_last_line_is_invisible_and_then_cut(tmp_path: Path) -> None:
    journals(tmp_path).create("1").append([Warned(message="whole")], 0)
    with events_file(tmp_path).open("ab") as stream:
        stream.write(b'{"number":2,"at":1.0,"ev')
    reader = journals(tmp_path).open("1")
    assert len(reader.read()) == 1
    writer = journals(tmp_path).open("1")
    assert writer.append([Warned(message="next")], 1) == 2
    assert [record.number for record in reader.read()] == [1, 2]


def test_a_writer_that_was_killed_is_followed_by_another(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        mine = journals(tmp_path).open("1")
        with pytest.raises(Conflict, match="Another process"):
            mine.append([END], 2)
        follower = mine.follow()
        assert [next(follower).number, next(follower).number] == [1, 2]
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    assert list(follower) == []
    assert mine.append([END], 2) == 3
    assert [record.number for record in mine.follow(after=2)] == [3]


def test_a_writer_that_was_dropped_lets_go(tmp_path: Path) -> None:
    journal = journals(tmp_path).create("1")
    journal.append([Warned(message="x")], 0)
    del journal
    assert len(list(journals(tmp_path).open("1").follow())) == 1
    assert journals(tmp_path).open("1").append([END], 1) == 2


def test_a_complete_run_holds_no_file_open(tmp_path: Path) -> None:
    before = open_files()
    journals(tmp_path).create("1").append([END], 0)
    assert not open_files() - before


def test_lines_that_are_skipped_are_not_decoded(tmp_path: Path) -> None:
    journal = journals(tmp_path).create("1")
    journal.append([Warned(message="x"), END], 0)
    lines = events_file(tmp_path).read_bytes().splitlines(keepends=True)
    events_file(tmp_path).write_bytes(b"no record\n" + lines[1])
    assert [record.number for record in journals(tmp_path).open("1").read(after=1)] == [2]
    with pytest.raises(Corrupt):
        journals(tmp_path).open("1").read()


def test_records_out_of_order_are_corrupt(tmp_path: Path) -> None:
    journals(tmp_path).create("1").append([Warned(message="x"), END], 0)
    lines = events_file(tmp_path).read_bytes().splitlines(keepends=True)
    events_file(tmp_path).write_bytes(lines[1] + lines[0])
    with pytest.raises(Corrupt, match="Record 1 of the journal says that it is 2"):
        journals(tmp_path).open("1").read()


def test_a_record_longer_than_any_chunk_is_read(tmp_path: Path) -> None:
    big = Warned(message="x" * 5_000_000)
    journals(tmp_path).create("1").append([big, Warned(message="small"), END], 0)
    records = journals(tmp_path).open("1").read()
    assert records[0].event == big
    assert [record.number for record in records] == [1, 2, 3]


def test_a_full_disk_leaves_nothing_of_the_call(tmp_path: Path) -> None:
    journal = journals(tmp_path).create("1")
    journal.append([Warned(message="x")], 0)
    size = events_file(tmp_path).stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, hard))
    try:
        with pytest.raises(Unavailable, match="The journal can't be written"):
            journal.append([Warned(message="y")], 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert events_file(tmp_path).stat().st_size == size
    assert journal.append([END], 1) == 2


@pytest.mark.parametrize("run_id", ["", "..", "../1", "1/..", "x", "1 "])
def test_what_is_no_run_id_names_no_folder(tmp_path: Path, run_id: str) -> None:
    with pytest.raises(NotFound):
        journals(tmp_path).open(run_id)
    (tmp_path / "keep").mkdir()
    journals(tmp_path).remove(run_id)
    assert (tmp_path / "keep").exists()


def test_removing_a_run_takes_logs_and_workspaces_along(tmp_path: Path) -> None:
    journals(tmp_path).create("1")
    for name in ("runs/1/logs", "work/1/build/_work", "runs/2", "work/2"):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    journals(tmp_path).remove("1")
    assert sorted(os.listdir(tmp_path / "runs")) == ["2"]  # noqa: PTH208
    assert sorted(os.listdir(tmp_path / "work")) == ["2"]  # noqa: PTH208


def test_a_state_folder_that_can_not_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(Unavailable, match="Not a directory"):
        journals(tmp_path / "taken").create("1")
    with pytest.raises(Unavailable):
        journals(tmp_path / "taken").next_number("ci")


def test_a_run_that_others_see_has_its_writer(tmp_path: Path) -> None:
    code = """
import sys
from trunkline.adapters.clock import SystemClock
from trunkline.adapters.journals.files import FileJournals
journals = FileJournals(sys.argv[1], SystemClock())
kept = [journals.create(str(number)) for number in range(400)]
print(flush=True)
sys.stdin.read()
"""
    others = journals(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as writer:
        seen = 0
        while seen < 400:
            assert writer.poll() is None
            runs = others.runs()
            for run_id in runs[seen:]:
                assert others.open(run_id).writer() == writer.pid
            seen = len(runs)
        writer.communicate()
    assert not list(tmp_path.rglob("*.new"))
