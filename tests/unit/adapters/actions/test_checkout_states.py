"""Checkout: history, refs, and repositories in every state they come in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.checkouts import check_out, github, tree
from tests.jobs import LocalJob, world
from tests.repositories import commit, git, repository, write
from trunkline.adapters.actions.checkout.action import Checkout
from trunkline.ports.actions import ActionFailed


class TestHistory:
    """fetch-depth and fetch-tags cut as GitHub's fetch does."""

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        made = repository(tmp_path / "mine", {"a": "1"})
        git(made, "tag", "-a", "-m", "one", "v1.0")
        git(made, "branch", "other")
        for number in range(2, 6):
            commit(made, {"a": str(number)}, f"commit {number}")
        return made

    def test_one_commit_by_default(self, job: LocalJob, tmp_path: Path, root: Path) -> None:
        check_out(job, tmp_path, root)
        assert job.shell("git log --format=%s") == "commit 5"
        assert job.shell("git rev-parse --is-shallow-repository") == "true"
        assert job.shell("git tag") == ""
        assert job.shell("git branch -a --format='%(refname)'") == (
            "refs/heads/main\nrefs/remotes/origin/main"
        )

    def test_everything_with_depth_zero(self, job: LocalJob, tmp_path: Path, root: Path) -> None:
        check_out(job, tmp_path, root, fetch_depth="0")
        assert job.shell("git rev-list --count HEAD") == "5"
        assert job.shell("git describe --long").startswith("v1.0-4-g")
        assert job.shell("git rev-parse origin/other") == git(root, "rev-parse", "other")
        assert job.shell("git rev-parse --is-shallow-repository") == "false"
        job.shell("git fsck --no-dangling")

    def test_some_commits(self, job: LocalJob, tmp_path: Path, root: Path) -> None:
        check_out(job, tmp_path, root, fetch_depth="3", fetch_tags="true")
        assert job.shell("git rev-list --count HEAD") == "3"
        assert job.shell("git tag") == "v1.0"

    def test_more_commits_than_there_are(self, job: LocalJob, tmp_path: Path, root: Path) -> None:
        check_out(job, tmp_path, root, fetch_depth="50")
        assert job.shell("git rev-list --count HEAD") == "5"
        assert job.shell("git rev-parse --is-shallow-repository") == "false"

    def test_a_merge_is_cut_on_both_sides(self, job: LocalJob, tmp_path: Path, root: Path) -> None:
        git(root, "checkout", "-q", "other")
        commit(root, {"b": "1"}, "side")
        git(root, "checkout", "-q", "main")
        git(root, "merge", "-q", "-m", "merged", "other")
        check_out(job, tmp_path, root, fetch_depth="2")
        assert sorted(job.shell("git log --format=%s").split("\n")) == [
            "commit 5",
            "merged",
            "side",
        ]

    def test_a_shallow_source_is_whole_as_far_as_it_goes(
        self, job: LocalJob, tmp_path: Path, root: Path
    ) -> None:
        git(tmp_path, "clone", "-q", "--depth=2", f"file://{root}", "shallow")
        check_out(job, tmp_path, tmp_path / "shallow", fetch_depth="0")
        assert job.shell("git rev-list --count HEAD") == "2"
        job.shell("git fsck --no-dangling")


class TestRefs:
    """Other refs of the same repository come from its objects, without the network."""

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        made = repository(tmp_path / "mine", {"a": "1", "old": ""})
        git(made, "tag", "-a", "-m", "one", "v1")
        git(made, "checkout", "-q", "-b", "topic/é")
        commit(made, {"t": "t"}, "topic")
        git(made, "checkout", "-q", "main")
        git(made, "rm", "-q", "old")
        commit(made, {"a": "2"}, "second")
        write(made, {"a": "uncommitted"})
        return made

    @pytest.mark.parametrize("ref", ["v1", "refs/tags/v1"])
    def test_a_tag(self, job: LocalJob, tmp_path: Path, root: Path, ref: str) -> None:
        check_out(job, tmp_path, root, ref=ref)
        assert tree(job.workspace) == {"a": "1", "old": ""}
        assert job.shell("git describe") == "v1"
        assert job.shell("git status --porcelain --branch") == "## HEAD (no branch)"
        assert job.outputs == {"ref": ref, "commit": git(root, "rev-parse", "v1^{commit}")}

    @pytest.mark.parametrize("ref", ["topic/é", "refs/heads/topic/é"])
    def test_a_branch(self, job: LocalJob, tmp_path: Path, root: Path, ref: str) -> None:
        check_out(job, tmp_path, root, ref=ref)
        assert tree(job.workspace) == {"a": "1", "old": "", "t": "t"}
        assert job.shell("git status --porcelain --branch") == "## topic/é...origin/topic/é"

    def test_a_commit(self, job: LocalJob, tmp_path: Path, root: Path) -> None:
        check_out(job, tmp_path, root, ref=git(root, "rev-parse", "HEAD~1"))
        assert tree(job.workspace) == {"a": "1", "old": ""}
        assert job.shell("git rev-parse --abbrev-ref HEAD") == "HEAD"

    def test_what_stands_for_head_is_as_on_disk(
        self, job: LocalJob, tmp_path: Path, root: Path
    ) -> None:
        check_out(job, tmp_path, root, ref="main")
        assert tree(job.workspace) == {"a": "uncommitted"}

    def test_other_branches_are_origin_s(self, job: LocalJob, tmp_path: Path, root: Path) -> None:
        git(tmp_path, "clone", "-q", str(root), "clone")
        clone = tmp_path / "clone"
        git(clone, "checkout", "-q", "-b", "stale", "origin/topic/é")
        git(clone, "branch", "-q", "-f", "topic/é", "origin/main")
        check_out(job, tmp_path, clone, ref="topic/é")
        assert "t" in tree(job.workspace)

    def test_a_pull_request_is_detached(self, job: LocalJob, tmp_path: Path, root: Path) -> None:
        action = Checkout(world(tmp_path, root))
        action.main(job.call("x@v4", github(root, ref="refs/pull/1/merge")), job)
        assert tree(job.workspace) == {"a": "uncommitted"}
        head = job.shell("git rev-parse HEAD")
        assert job.shell("git rev-parse refs/remotes/pull/1/merge") == head
        assert job.shell("git status --porcelain --branch").startswith("## HEAD (no branch)")

    def test_an_unknown_ref(self, job: LocalJob, tmp_path: Path, root: Path) -> None:
        with pytest.raises(ActionFailed, match="A branch or tag with the name 'v9' could not be"):
            check_out(job, tmp_path, root, ref="v9")

    def test_an_unknown_commit(self, job: LocalJob, tmp_path: Path, root: Path) -> None:
        with pytest.raises(ActionFailed, match=f"not our ref {'b' * 40}"):
            check_out(job, tmp_path, root, ref="b" * 40)

    def test_two_refs_side_by_side(self, job: LocalJob, tmp_path: Path, root: Path) -> None:
        check_out(job, tmp_path, root, path="new")
        check_out(job, tmp_path, root, path="old one", ref="v1")
        assert set(tree(job.workspace)) == {"new/a", "old one/a", "old one/old"}


class TestStates:
    """Repositories that are not a plain clone on a branch."""

    def test_without_commits(self, job: LocalJob, tmp_path: Path) -> None:
        root = repository(tmp_path / "mine")
        write(root, {"a": "1"})
        check_out(job, tmp_path, root)
        assert tree(job.workspace) == {"a": "1"}
        assert job.shell("git status --porcelain") == "?? a"
        assert job.outputs["commit"] == ""

    def test_not_a_repository(self, job: LocalJob, tmp_path: Path) -> None:
        root = tmp_path / "plain é"
        write(root, {"a": "1", "sub/b": "2", ".gitignore": "c\n", "c": "3"})
        check_out(job, tmp_path, root)
        assert set(tree(job.workspace)) == {".gitignore", "a", "sub/b"}
        assert "?? a" in job.shell("git status --porcelain")

    def test_detached(self, job: LocalJob, tmp_path: Path, root: Path) -> None:
        git(root, "checkout", "-q", "--detach")
        action = Checkout(world(tmp_path, root))
        action.main(job.call("x@v4", github(root, ref="")), job)
        assert tree(job.workspace) == tree(root)
        assert job.shell("git rev-parse HEAD") == git(root, "rev-parse", "HEAD")

    def test_a_worktree_with_packed_refs(self, job: LocalJob, tmp_path: Path, root: Path) -> None:
        git(root, "worktree", "add", "-q", "-b", "topic", "../tree é")
        git(root, "pack-refs", "--all")
        place = tmp_path / "tree é"
        write(place, {"a.txt": "changed"})
        action = Checkout(world(tmp_path, place))
        action.main(job.call("x@v4", github(place, ref="refs/heads/topic")), job)
        assert job.shell("git status --porcelain --branch") == ("## topic...origin/topic\n M a.txt")

    def test_odd_names(self, job: LocalJob, tmp_path: Path) -> None:
        names = ["-rf", "a b", "é", "new\nline", 'quo"te', "back\\slash", "#hash", "~", "*"]
        root = repository(tmp_path / '"mine é"', {name: name for name in names})
        write(root, {"untracked\nline": "u"})
        (root / "é").rename(root / os.fsdecode(b"\xff\xfe"))
        check_out(job, tmp_path, root)
        names_there, names_here = (
            {path.name for path in place.iterdir()} for place in (job.workspace, root)
        )
        assert names_there == names_here
        assert job.shell("git status --porcelain | wc -l") == "3"

    def test_a_folder_that_became_a_link(self, job: LocalJob, tmp_path: Path, root: Path) -> None:
        outside = tmp_path / "outside"
        write(outside, {"b.sh": "outside"})
        (root / "dir/b.sh").unlink()
        (root / "dir").rmdir()
        (root / "dir").symlink_to(outside)
        check_out(job, tmp_path, root)
        assert (job.workspace / "dir").readlink() == outside
        assert tree(outside) == {"b.sh": "outside"}
        assert job.shell("git status --porcelain") == git(root, "status", "--porcelain").strip()

    def test_a_file_that_became_a_folder(self, job: LocalJob, tmp_path: Path, root: Path) -> None:
        (root / "a.txt").unlink()
        write(root, {"a.txt/inner": "1"})
        check_out(job, tmp_path, root)
        assert tree(job.workspace)["a.txt/inner"] == "1"

    def test_a_split_index_and_caches(self, job: LocalJob, tmp_path: Path, root: Path) -> None:
        git(root, "update-index", "--split-index")
        git(root, "update-index", "--untracked-cache")
        git(root, "config", "core.untrackedCache", "true")
        write(root, {"a.txt": "x", "u": ""})
        git(root, "status")
        check_out(job, tmp_path, root)
        assert job.shell("git status --porcelain 2>&1") == "M a.txt\n?? u"

    def test_a_sparse_source_is_completed(self, job: LocalJob, tmp_path: Path, root: Path) -> None:
        write(root, {"a.txt": "uncommitted"})
        git(root, "sparse-checkout", "set", "--no-cone", "/a.txt")
        check_out(job, tmp_path, root)
        assert tree(job.workspace)["dir/b.sh"] == "#!/bin/sh\n"
        assert job.shell("git status --porcelain") == "M a.txt"

    def test_sha256_objects(self, job: LocalJob, tmp_path: Path) -> None:
        root = tmp_path / "mine"
        root.mkdir()
        git(root, "init", "-q", "-b", "main", "--object-format=sha256")
        commit(root, {"a": "1"})
        check_out(job, tmp_path, root)
        assert len(job.shell("git rev-parse HEAD")) == 64
        assert job.shell("git status --porcelain") == ""

    def test_line_endings_as_the_user_has_them(
        self, job: LocalJob, tmp_path: Path, root: Path
    ) -> None:
        git(root, "config", "core.autocrlf", "true")
        (root / "a.txt").write_bytes(b"1\r\n")
        git(root, "add", "a.txt")
        assert git(root, "status", "--porcelain") == ""
        check_out(job, tmp_path, root)
        assert job.shell("git status --porcelain") == ""
        assert (job.workspace / "a.txt").read_bytes() == b"1\r\n"

    def test_nested_repositories_stay_out(self, job: LocalJob, tmp_path: Path, root: Path) -> None:
        repository(root / "nested", {"n": "1"})
        check_out(job, tmp_path, root)
        assert "nested/n" not in tree(job.workspace)
        assert any("nested/ is left out" in line for line in job.lines)
