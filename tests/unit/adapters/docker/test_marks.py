"""Notes of jobs that have something at an engine: kept until that very engine has been swept."""

from __future__ import annotations

from pathlib import Path

import pytest

from trunkline.adapters.docker.marks import (
    MOST_OTHERS,
    dead_notes,
    note_path,
    settle_note,
    unseen_notes,
    write_note,
)

HERE, THERE = "unix:///here", "unix:///there"


@pytest.fixture
def note(tmp_path: Path) -> str:
    """Return the note of a job of an engine of ours that was killed."""
    path = note_path(str(tmp_path), "1", "build")
    write_note(path, HERE)
    assert dead_notes(str(tmp_path)) == []  # this process goes on
    lines = Path(path).read_text().splitlines()
    Path(path).write_text("\n".join(["2 1", *lines[1:], ""]))
    assert dead_notes(str(tmp_path)) == [path]
    return path


def test_a_note_goes_when_its_own_engine_has_been_swept(note: str) -> None:
    assert unseen_notes([note], HERE) == [note]
    settle_note(note, HERE)
    assert not Path(note).exists()


def test_another_engine_is_swept_once_for_a_note_and_does_not_settle_it(note: str) -> None:
    assert unseen_notes([note], THERE) == [note]
    settle_note(note, THERE)
    assert unseen_notes([note], THERE) == []
    assert unseen_notes([note], HERE) == [note]
    settle_note(note, HERE)
    assert not Path(note).exists()


def test_a_note_that_many_engines_know_nothing_of_is_forgotten(note: str) -> None:
    for number in range(MOST_OTHERS):
        settle_note(note, f"tcp://there:{number}")
        assert Path(note).exists()
    settle_note(note, THERE)
    assert not Path(note).exists()


def test_a_note_without_an_address_goes_with_any_engine(note: str) -> None:
    Path(note).write_text("2 1")
    assert unseen_notes([note], THERE) == [note]
    settle_note(note, THERE)
    assert not Path(note).exists()
