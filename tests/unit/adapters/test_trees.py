"""Folders that are hard to remove, and those that are made."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trunkline.adapters.git.mirror import Mirror
from trunkline.adapters.toolchains.installing import held
from trunkline.adapters.trees import make_private, names_below, remove_tree
from trunkline.base.errors import Unavailable


def test_folders_are_made_for_their_owner_alone(tmp_path: Path) -> None:
    make_private(str(tmp_path / "a/b/c"))
    make_private(str(tmp_path / "a/b/c"))
    for name in ("a", "a/b", "a/b/c"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o700


def test_a_file_in_the_way_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(FileExistsError):
        make_private(str(tmp_path / "a"))
    with pytest.raises(NotADirectoryError):
        make_private(str(tmp_path / "a/b"))


def test_a_folder_that_takes_no_folders_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        make_private("/proc/self/nowhere")
    (tmp_path / "broken").symlink_to("nowhere")
    with pytest.raises(FileExistsError):
        make_private(str(tmp_path / "broken/a"))


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.write_text("")
    with pytest.raises(Unavailable, match=r"The cache can't be written: Not a dir.*/node") as error:
        held(cache / "node")
    assert "TRUNKLINE_CACHE" in error.value.hint
    mirror = Mirror(cache, "octo/action", "https://example.org", 1.0, lambda: False)
    with pytest.raises(Unavailable, match="The cache can't be written"):
        mirror.commit("v1", offline=True)


def test_nothing_is_left_of_a_tree(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "a/b").mkdir(parents=True)
    (root / "a/b/file").write_text("")
    (root / "link").symlink_to(tmp_path)
    (root / "a/broken").symlink_to("nowhere")
    remove_tree(str(root))
    remove_tree(str(root))
    assert list(tmp_path.iterdir()) == []


def test_a_link_goes_and_its_target_stays(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to("target")
    remove_tree(str(tmp_path / "link"))
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_permissions_are_no_hindrance(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "a/b").mkdir(parents=True)
    (root / "a/b/file").write_text("")
    for path in (root / "a/b", root / "a", root):
        path.chmod(0)
    remove_tree(str(root))
    assert not root.exists()


def test_a_tree_may_be_deeper_than_a_path_is_long(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    before = Path.cwd()
    try:
        os.chdir(root)
        for _ in range(60):
            Path("d" * 200).mkdir()
            os.chdir("d" * 200)
        Path("file").write_text("")
    finally:
        os.chdir(before)
    remove_tree(str(root))
    assert not root.exists()


def test_names_are_listed_with_folders_first(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/file").write_text("")
    (tmp_path / "a/link").symlink_to("b")
    names = list(names_below(str(tmp_path)))
    assert sorted(names) == ["a", "a/b", "a/b/file", "a/link"]
    assert names.index("a") < names.index("a/b") < names.index("a/b/file")
    assert list(names_below(str(tmp_path), "a/b")) == ["a/b/file"]
