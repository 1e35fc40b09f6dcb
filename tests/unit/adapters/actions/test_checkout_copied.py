"""A checkout in a place that sees nothing of this machine, as a container is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.checkouts import check_out, github, tree
from tests.jobs import LocalJob, world
from tests.repositories import commit, git, write
from trunkline.adapters.actions.checkout.action import Checkout
from trunkline.ports.actions import ActionFailed

TOKEN = "tok-en".replace("-", "")


@pytest.fixture
def sees_this_machine() -> bool:
    return False


@pytest.fixture
def bare(job: LocalJob, tmp_path: Path) -> LocalJob:
    """A job whose programs are few: neither git nor find."""
    folder = tmp_path / "few"
    folder.mkdir()
    for name in ("sh", "cat", "bash"):
        (folder / name).symlink_to(shutil.which(name) or "/missing")
    job.env["PATH"] = str(folder)
    return job


def in_workspace(job: LocalJob, *args: str) -> str:
    return git(job.workspace, *args)


def test_nothing_is_borrowed(job: LocalJob, tmp_path: Path, root: Path) -> None:
    check_out(job, tmp_path, root)
    shutil.move(root, tmp_path / "gone")
    assert in_workspace(job, "fsck", "--full") == ""
    assert in_workspace(job, "status", "--porcelain") == ""
    assert in_workspace(job, "log", "--format=%s") == "second"
    assert not (job.workspace / ".git/objects/info/alternates").exists()
    links = [path for path in job.workspace.rglob("*") if path.is_file()]
    assert all(path.stat().st_nlink == 1 for path in links)


def test_a_depth_brings_its_objects_only(job: LocalJob, tmp_path: Path, root: Path) -> None:
    old = git(root, "rev-parse", "HEAD~1")
    write(root, {"a.txt": "3\n"})
    commit(root, {}, "third")
    check_out(job, tmp_path, root, fetch_depth="2")
    assert in_workspace(job, "log", "--format=%s").split() == ["third", "second"]
    assert in_workspace(job, "show", "HEAD~1:a.txt") == "1"
    with pytest.raises(Exception, match="returned non-zero"):
        in_workspace(job, "cat-file", "-e", old)
    assert in_workspace(job, "fsck", "--full") == ""


def test_all_history(job: LocalJob, tmp_path: Path, root: Path) -> None:
    git(root, "tag", "-a", "v1", "-m", "one", "HEAD~1")
    git(root, "branch", "other", "HEAD~1")
    check_out(job, tmp_path, root, fetch_depth="0")
    shutil.move(root, tmp_path / "gone")
    assert in_workspace(job, "log", "--format=%s").split() == ["second", "first"]
    assert in_workspace(job, "describe", "--tags", "HEAD~1") == "v1"
    assert in_workspace(job, "rev-parse", "origin/other") == in_workspace(job, "rev-parse", "v1^{}")


@pytest.mark.parametrize("depth", ["0", "1"])
def test_a_clone_that_borrows_itself(job: LocalJob, tmp_path: Path, root: Path, depth: str) -> None:
    git(tmp_path, "clone", "-q", "--shared", str(root), "clone")
    check_out(job, tmp_path, tmp_path / "clone", fetch_depth=depth)
    shutil.move(root, tmp_path / "gone")
    assert in_workspace(job, "fsck", "--full") == ""
    assert in_workspace(job, "status", "--porcelain") == ""


def test_tags_with_a_depth(job: LocalJob, tmp_path: Path, root: Path) -> None:
    git(root, "tag", "v1", "HEAD~1")
    check_out(job, tmp_path, root, fetch_tags="true")
    assert in_workspace(job, "tag") == "v1"
    assert in_workspace(job, "log", "-1", "--format=%s", "v1") == "first"


def test_an_image_without_git(bare: LocalJob, tmp_path: Path, root: Path) -> None:
    write(root, {"a.txt": "changed\n"})
    check_out(bare, tmp_path, root)
    assert tree(bare.workspace) == tree(root)
    assert in_workspace(bare, "status", "--porcelain") == "M a.txt"


def test_another_ref_in_an_image_without_git(bare: LocalJob, tmp_path: Path, root: Path) -> None:
    git(root, "tag", "v1", "HEAD~1")
    check_out(bare, tmp_path, root, ref="v1", path="old")
    assert not (bare.workspace / "old/.gitignore").exists()
    assert git(bare.workspace / "old", "status", "--porcelain", "--branch") == "## HEAD (no branch)"


def test_sparse_in_an_image_without_git(bare: LocalJob, tmp_path: Path, root: Path) -> None:
    check_out(bare, tmp_path, root, sparse_checkout="dir")
    assert set(tree(bare.workspace)) == {".gitignore", "a.txt", "dir/b.sh"}
    commit(root, {"other/c": "1"}, "third")
    (bare.workspace / ".git").rename(tmp_path / "out")
    shutil.rmtree(bare.workspace)
    bare.workspace.mkdir()
    check_out(bare, tmp_path, root, sparse_checkout="dir")
    assert set(tree(bare.workspace)) == {".gitignore", "a.txt", "dir/b.sh"}


def test_what_can_not_be_emptied(bare: LocalJob, tmp_path: Path, root: Path) -> None:
    write(bare.workspace, {"there": "before"})
    with pytest.raises(ActionFailed, match="find: command not found"):
        check_out(bare, tmp_path, root)


def test_credentials_need_no_git(bare: LocalJob, tmp_path: Path, root: Path) -> None:
    action = Checkout(world(tmp_path, root))
    action.main(bare.call("x@v6", github(root, token=TOKEN)), bare)
    key = "http.https://github.com/.extraheader"
    assert in_workspace(bare, "config", key).startswith("AUTHORIZATION: basic ")
    action.post(bare.call("x@v6", github(root)), bare)
    assert "includeIf" not in (bare.workspace / ".git/config").read_text(encoding="utf-8")


def test_configuration_in_the_workspace_is_not_obeyed(
    bare: LocalJob, tmp_path: Path, root: Path
) -> None:
    check_out(bare, tmp_path, root)
    evil = f"[core]\n\tfsmonitor = touch {tmp_path}/escaped\n\thooksPath = {tmp_path}/hooks\n"
    with (bare.workspace / ".git/config").open("a") as config:
        config.write(evil)
    git(root, "tag", "v1", "HEAD~1")
    check_out(bare, tmp_path, root, ref="v1", path="old", clean="false")
    action = Checkout(world(tmp_path, root))
    action.post(bare.call("x@v6", github(root)), bare)
    assert not (tmp_path / "escaped").exists()
