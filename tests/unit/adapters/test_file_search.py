"""What `hashFiles` sees of real trees: GitHub's order, links, odd names, what stops the call."""

from __future__ import annotations

import hashlib
import os
import socket
from pathlib import Path

import pytest

from trunkline.adapters.file_search import DiskTree, Search, search
from trunkline.expr.errors import ExpressionError


def digest(*contents: bytes) -> str:
    outer = hashlib.sha256()
    for content in contents:
        outer.update(hashlib.sha256(content).digest())
    return outer.hexdigest()


def write(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def hashed(root: Path, *patterns: str) -> str:
    """Return what `hashFiles` makes of the files found: the hash of their hashes."""
    wanted = Search(patterns, str(root), str(root / "home"), digests=True)
    found = search(DiskTree(), wanted)
    files = [each for each in found if not each.is_folder and each.path.startswith(f"{root}/")]
    return hashlib.sha256(b"".join(each.sha256 for each in files)).hexdigest() if files else ""


def expected(*names: str) -> str:
    return digest(*(name.encode() for name in names))


def test_nothing_found_is_empty(tmp_path):
    write(tmp_path, "a")
    assert hashed(tmp_path, "*.nope", "missing/**") == ""
    assert hashed(tmp_path) == ""
    assert hashed(tmp_path, "", "# a") == ""


def test_names_are_read_by_their_bytes_depth_first(tmp_path):
    names = ("10", "9", "A", "_", "a/z", "a.txt", "a b", "b/c/d", "b/c.d", "z", "é", ".hidden")
    write(tmp_path, *names)
    assert hashed(tmp_path, "**") == expected(
        ".hidden", "10", "9", "A", "_", "a/z", "a b", "a.txt", "b/c/d", "b/c.d", "z", "é"
    )


def test_patterns_decide_where_to_start_and_every_file_counts_once(tmp_path):
    write(tmp_path, "b/x", "a/x", "a/y/x")
    assert hashed(tmp_path, "b/*", "a/*") == expected("b/x", "a/x", "a/y/x")
    assert hashed(tmp_path, "a/y/x", "a/**", "**/x") == expected("a/x", "a/y/x", "b/x")
    assert hashed(tmp_path, "**/x\n!b/x") == expected("a/x", "a/y/x")


def test_empty_and_large_files(tmp_path):
    (tmp_path / "empty").touch()
    content = os.urandom(3 * 1024 * 1024 + 1)
    (tmp_path / "large").write_bytes(content)
    assert hashed(tmp_path, "*") == digest(b"", content)


def test_files_outside_the_workspace_do_not_count(tmp_path):
    write(tmp_path, "inside/a", "outside/a")
    assert hashed(tmp_path / "inside", str(tmp_path) + "/**") == expected("inside/a")
    assert hashed(tmp_path / "inside", str(tmp_path) + "/outside/a") == ""


def test_home_is_expanded(tmp_path):
    write(tmp_path, "home/a", "b")
    assert hashed(tmp_path, "~/a") == expected("home/a")


def test_links_to_files_count_links_to_folders_are_not_entered(tmp_path):
    write(tmp_path, "a", "folder/b")
    (tmp_path / "to-a").symlink_to("a")
    (tmp_path / "to-folder").symlink_to("folder")
    assert hashed(tmp_path, "**") == expected("a", "folder/b", "a")
    assert hashed(tmp_path, "--follow-symbolic-links", "**") == expected(
        "a", "folder/b", "a", "folder/b"
    )


def test_cycles_of_followed_links_end(tmp_path):
    write(tmp_path, "folder/a")
    (tmp_path / "folder" / "up").symlink_to("..")
    (tmp_path / "folder" / "self").symlink_to(".")
    assert hashed(tmp_path, "--follow-symbolic-links", "**") == expected("folder/a")


def test_a_broken_link_fails_unless_links_are_followed(tmp_path):
    write(tmp_path, "a")
    (tmp_path / "broken").symlink_to("nowhere")
    with pytest.raises(
        ExpressionError, match=r"hashFiles\('\*\*'\) failed. Fail to hash files under"
    ):
        hashed(tmp_path, "**")
    assert hashed(tmp_path, "--follow-symbolic-links", "**") == expected("a")
    assert hashed(tmp_path, "**", "!broken") == expected("a")


def test_what_has_no_end_fails(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ExpressionError, match="not a regular file"):
        hashed(tmp_path, "*")


def test_a_socket_fails(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        with pytest.raises(ExpressionError, match="not a regular file"):
            hashed(tmp_path, "s")


def test_names_that_are_no_utf8_are_hashed(tmp_path):
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).write_bytes(b"x")
    assert hashed(tmp_path, "*") == digest(b"x")


def test_the_workspace_may_have_any_name(tmp_path):
    root = tmp_path / "we [ird] *?\\ é"
    write(root, "a", "b")
    assert hashed(root, "a", "./b") == expected("a", "b")


def test_there_is_a_time_limit(tmp_path):
    write(tmp_path, "it's")
    wanted = Search(["it's"], str(tmp_path), "/", digests=True, time_limit=-1)
    with pytest.raises(ExpressionError) as caught:
        search(DiskTree(), wanted)
    assert caught.value.message == "hashFiles('it''s') couldn't finish within 120 seconds."
