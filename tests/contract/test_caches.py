"""What every store of caches does."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import BinaryIO

import pytest

from trunkline.adapters.caches.folder import FolderCaches
from trunkline.adapters.caches.memory import MemoryCaches
from trunkline.adapters.clock import FakeClock, SystemIds
from trunkline.base.errors import NotFound, Unavailable
from trunkline.ports.caches import CacheEntry, Caches

MAIN, TOPIC = "refs/heads/main", "refs/heads/topic"
DAY = 24 * 60 * 60


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["folder", "memory"])
def caches(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Caches:
    if request.param == "memory":
        return MemoryCaches(clock)
    return FolderCaches(tmp_path / "caches", clock, SystemIds())


def data(text: str) -> BinaryIO:
    return io.BytesIO(text.encode())


def save(caches: Caches, key: str, scope: str = MAIN, version: str = "v") -> CacheEntry | None:
    return caches.save(scope, key, version, data(f"{scope} {key} {version}"))


def find(caches: Caches, key: str, *restore: str, scopes: tuple[str, ...] = (MAIN,)) -> str:
    """Return what the cache found holds, '' for a miss."""
    entry = caches.find(scopes, key, restore, "v")
    if entry is None:
        return ""
    with caches.open(entry) as file:
        return file.read().decode()


def test_what_was_saved_is_found(caches: Caches, clock: FakeClock) -> None:
    entry = save(caches, "k")
    assert entry is not None
    assert (entry.key, entry.scope, entry.created) == ("k", MAIN, clock.now())
    assert entry.size == len(f"{MAIN} k v")
    assert find(caches, "k") == f"{MAIN} k v"


def test_nothing_is_found_where_nothing_was_saved(caches: Caches) -> None:
    assert find(caches, "k", "k-", "") == ""


def test_an_entry_never_changes(caches: Caches) -> None:
    save(caches, "k")
    assert caches.save(MAIN, "k", "v", data("other")) is None
    assert find(caches, "k") == f"{MAIN} k v"


def test_versions_are_apart(caches: Caches) -> None:
    save(caches, "k", version="other")
    assert find(caches, "k") == ""
    assert save(caches, "k") is not None


def test_the_key_is_a_prefix_too(caches: Caches) -> None:
    save(caches, "deps-1")
    save(caches, "deps-2")
    assert find(caches, "deps-") == f"{MAIN} deps-2 v"


def test_exact_before_newer(caches: Caches) -> None:
    save(caches, "k")
    save(caches, "k-newer")
    assert find(caches, "k") == f"{MAIN} k v"


def test_restore_keys_in_their_order(caches: Caches) -> None:
    save(caches, "b-1")
    save(caches, "a-1")
    assert find(caches, "x", "c-", "b-", "a-") == f"{MAIN} b-1 v"


def test_scopes_in_their_order(caches: Caches) -> None:
    save(caches, "k", scope=MAIN)
    save(caches, "k-old", scope=TOPIC)
    assert find(caches, "k", scopes=(TOPIC, MAIN)) == f"{TOPIC} k-old v"
    assert find(caches, "k", scopes=(MAIN,)) == f"{MAIN} k v"
    assert find(caches, "k", scopes=("refs/heads/other",)) == ""


def test_a_finished_file_is_adopted(caches: Caches, tmp_path: Path) -> None:
    path = tmp_path / "finished"
    path.write_text("whole")
    entry = caches.adopt(MAIN, "k", "v", str(path), "1234")
    assert entry is not None
    assert (entry.id, entry.size) == ("1234", 5)
    assert caches.find((MAIN,), "k", (), "v") == entry
    assert not path.exists()
    assert find(caches, "k") == "whole"


def test_a_file_that_is_not_wanted_disappears(caches: Caches, tmp_path: Path) -> None:
    save(caches, "k")
    path = tmp_path / "finished"
    path.write_text("other")
    assert caches.adopt(MAIN, "k", "v", str(path)) is None
    assert not path.exists()
    assert find(caches, "k") == f"{MAIN} k v"


def test_what_a_repository_has(caches: Caches, clock: FakeClock) -> None:
    save(caches, "a", scope=f"o/r@{MAIN}")
    clock.advance(5)
    save(caches, "b", scope=f"o/r@{TOPIC}")
    save(caches, "c", scope=f"o/r2@{MAIN}")
    found = caches.entries("o/r")
    assert [entry.key for entry in found] == ["b", "a"]
    assert [clock.now() - entry.used for entry in found] == [0, 5]
    clock.advance(5)
    caches.open(found[1]).close()
    assert [clock.now() - entry.used for entry in caches.entries("o/r")] == [5, 0]
    assert caches.entries("o") == ()
    assert [entry.key for entry in caches.entries("")] == ["c", "b", "a"]


def test_what_was_removed_is_gone(caches: Caches) -> None:
    entry = save(caches, "k")
    assert entry is not None
    with caches.open(entry) as file:
        assert caches.remove(entry)
        assert file.read().decode() == f"{MAIN} k v"
    assert find(caches, "k") == ""
    assert not caches.remove(entry)
    with pytest.raises(NotFound, match="k is gone"):
        caches.open(entry)
    assert save(caches, "k") is not None


def test_what_was_not_used_for_a_week_is_not_found(caches: Caches, clock: FakeClock) -> None:
    save(caches, "used")
    save(caches, "unused")
    clock.advance(4 * DAY)
    assert find(caches, "used")
    clock.advance(4 * DAY)
    assert [find(caches, key) != "" for key in ("used", "unused")] == [True, False]
    assert save(caches, "unused") is not None


class TestFolder:
    """What is removed, and when."""

    def caches(self, tmp_path: Path, clock: FakeClock, total: int = 1000) -> FolderCaches:
        return FolderCaches(tmp_path, clock, SystemIds(), largest_total=total)

    def test_what_was_not_used_for_a_week_goes(self, tmp_path: Path, clock: FakeClock) -> None:
        caches = self.caches(tmp_path, clock)
        save(caches, "used")
        save(caches, "unused")
        clock.advance(5 * DAY)
        assert find(caches, "used")
        clock.advance(3 * DAY)
        save(caches, "new")
        assert [find(caches, key) != "" for key in ("used", "unused", "new")] == [True, False, True]

    def test_the_longest_unused_goes_when_there_is_too_much(
        self, tmp_path: Path, clock: FakeClock
    ) -> None:
        caches = self.caches(tmp_path, clock, total=60)
        for key in ("a", "b"):
            save(caches, key)
            clock.advance(1)
        assert find(caches, "a")
        clock.advance(1)
        save(caches, "c")
        clock.advance(1)
        save(caches, "d")
        assert [find(caches, key) != "" for key in "abcd"] == [True, False, True, True]

    def test_an_entry_that_went_meanwhile(self, tmp_path: Path, clock: FakeClock) -> None:
        caches = self.caches(tmp_path, clock)
        entry = save(caches, "k")
        assert entry is not None
        for path in tmp_path.iterdir():
            path.unlink()
        with pytest.raises(NotFound, match="k is gone"):
            caches.open(entry)

    def test_another_process_sees_what_was_kept(self, tmp_path: Path, clock: FakeClock) -> None:
        one, other = self.caches(tmp_path, clock), self.caches(tmp_path, clock)
        assert other.entries("o/r") == ()
        entry = save(one, "k", scope=f"o/r@{MAIN}")
        assert other.entries("o/r") == (entry,)
        assert entry is not None
        assert other.remove(entry)
        assert one.entries("o/r") == ()

    def test_drafts_of_a_process_that_died_go(self, tmp_path: Path, clock: FakeClock) -> None:
        caches = self.caches(tmp_path, clock)
        names = ("7.draft", "8.note", "9.data")
        for name in names:
            path = tmp_path / name
            path.write_text("left")
            os.utime(path, (clock.now(), clock.now()))
        assert caches.find((MAIN,), "", ("",), "v") is None
        save(caches, "a")
        assert [(tmp_path / name).exists() for name in names] == [True, True, False]
        clock.advance(DAY + 1)
        save(caches, "b")
        assert [(tmp_path / name).exists() for name in names] == [False, False, False]

    def test_a_disk_that_refuses(self, tmp_path: Path, clock: FakeClock) -> None:
        (tmp_path / "caches").write_text("no folder")
        caches = self.caches(tmp_path / "caches", clock)
        with pytest.raises(Unavailable, match="Cache k can't be kept"):
            save(caches, "k")
        path = tmp_path / "finished"
        path.write_text("whole")
        with pytest.raises(Unavailable, match="Cache k can't be kept"):
            caches.adopt(MAIN, "k", "v", str(path))
