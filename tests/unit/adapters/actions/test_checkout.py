"""Checkout: what the job gets of repositories in every state, and what it can't do to them."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.jobs import LocalJob, world
from tests.repositories import IDENTITY, commit, git, repository, write
from trunkline.adapters.actions.checkout.action import Checkout
from trunkline.adapters.forges.git import GitForge
from trunkline.ports.actions import ActionFailed

URL = "https://github.com/octo/demo"
TOKEN = "tok-en".replace("-", "")


def github(root: Path, **changes: str) -> dict[str, Any]:
    try:
        sha = git(root, "rev-parse", "HEAD")
    except Exception:  # noqa: BLE001 (no commits, or no git at all)
        sha = "0" * 40
    return {
        "repository": "octo/demo",
        "ref": "refs/heads/main",
        "sha": sha,
        "server_url": "https://github.com",
        "token": "",
        **changes,
    }


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalJob:
    for name, value in IDENTITY.items():
        if name.startswith("GIT_CONFIG"):
            monkeypatch.setenv(name, value)
    return LocalJob(tmp_path / "state", os.environ)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = repository(tmp_path / "mine", {"a.txt": "1\n", "dir/b.sh": "#!/bin/sh\n"})
    (made / "dir/b.sh").chmod(0o755)
    commit(made, {".gitignore": "ignored\n*.log\n"}, "second")
    return made


def check_out(job: LocalJob, tmp_path: Path, root: Path, **inputs: str) -> None:
    action = Checkout(world(tmp_path, root))
    action.main(job.call("actions/checkout@v4", github(root), **inputs), job)


def tree(folder: Path) -> dict[str, str]:
    """Return every file below a folder, without git's own."""
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git/" not in f"{path}/"
    }


def test_a_clean_repository(job: LocalJob, tmp_path: Path, root: Path) -> None:
    check_out(job, tmp_path, root)
    assert tree(job.workspace) == tree(root)
    assert job.shell("git status --porcelain=v1 --branch") == "## main...origin/main"
    assert job.shell("git rev-parse HEAD") == git(root, "rev-parse", "HEAD")
    assert job.shell("git log -1 --format=%s") == "second"
    assert job.shell("git config remote.origin.url") == URL
    assert job.shell("git diff-index HEAD") == ""
    assert os.access(job.workspace / "dir/b.sh", os.X_OK)
    assert job.outputs == {"ref": "refs/heads/main", "commit": git(root, "rev-parse", "HEAD")}
    assert job.annotations == []


def test_uncommitted_work_comes_along(job: LocalJob, tmp_path: Path, root: Path) -> None:
    write(root, {"dir/b.sh": "changed\n", "new dir/é new.txt": "n\n", "ignored": "no\n"})
    write(root, {"staged.txt": "s\n"})
    git(root, "add", "staged.txt")
    (root / "a.txt").unlink()
    (root / "link").symlink_to("dir/b.sh")
    check_out(job, tmp_path, root)
    assert job.shell("git status --porcelain=v1 -uall") == git(root, "status", "-s", "-uall")
    assert tree(job.workspace) == {
        ".gitignore": "ignored\n*.log\n",
        "dir/b.sh": "changed\n",
        "link": "changed\n",
        "new dir/é new.txt": "n\n",
        "staged.txt": "s\n",
    }
    assert (job.workspace / "link").readlink() == Path("dir/b.sh")


def test_committed_takes_head_alone(job: LocalJob, tmp_path: Path, root: Path) -> None:
    write(root, {"a.txt": "changed\n", "new": "n\n"})
    action = Checkout(world(tmp_path, root, committed=True))
    action.main(job.call("actions/checkout@v4", github(root)), job)
    assert tree(job.workspace)["a.txt"] == "1\n"
    assert job.shell("git status --porcelain") == ""
    assert not (job.workspace / "new").exists()


def test_the_job_can_not_change_the_user_s_tree(job: LocalJob, tmp_path: Path, root: Path) -> None:
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    check_out(job, tmp_path, root, fetch_depth="0")
    job.shell(
        "echo more >> a.txt; git config user.name x; git config user.email x; git commit -qam c;"
        "git branch other; git gc -q --prune=now; rm -rf dir; ! git push -q origin HEAD:refs/heads/x"
    )
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before
    links = [
        path for path in job.workspace.rglob("*") if path.is_file() and path.stat().st_nlink > 1
    ]
    assert links == []


@pytest.mark.parametrize("kind", ["path", "file"])
def test_origin_is_never_a_folder(job: LocalJob, tmp_path: Path, root: Path, kind: str) -> None:
    git(root, "remote", "add", "origin", f"file://{tmp_path}/x" if kind == "file" else "../x")
    check_out(job, tmp_path, root)
    assert job.shell("git config remote.origin.url") == URL


def test_credentials_of_the_remote_stay_behind(job: LocalJob, tmp_path: Path, root: Path) -> None:
    git(root, "remote", "add", "origin", "https://me:tok@example.org/octo/demo.git")
    check_out(job, tmp_path, root)
    assert job.shell("git config remote.origin.url") == "https://example.org/octo/demo.git"
    assert "tok" not in (job.workspace / ".git/config").read_text(encoding="utf-8")


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


class TestInputs:
    """The other inputs."""

    @pytest.mark.parametrize("path", ["../out", "/etc", "a/../../out"])
    def test_a_path_outside_the_workspace(
        self, job: LocalJob, tmp_path: Path, root: Path, path: str
    ) -> None:
        with pytest.raises(ActionFailed, match="is not under"):
            check_out(job, tmp_path, root, path=path)

    def test_a_repository_that_is_no_name(self, job: LocalJob, tmp_path: Path, root: Path) -> None:
        with pytest.raises(ActionFailed, match=r"Expected format \{owner\}/\{repo\}\."):
            check_out(job, tmp_path, root, repository="demo")

    def test_clean_empties_the_workspace(self, job: LocalJob, tmp_path: Path, root: Path) -> None:
        check_out(job, tmp_path, root)
        write(job.workspace, {"made": "1", "ignored": "1", "a.txt": "changed"})
        check_out(job, tmp_path, root)
        assert tree(job.workspace) == tree(root)
        assert f"Deleting the contents of '{job.workspace}'" in job.lines

    def test_clean_false_keeps_what_was_made(
        self, job: LocalJob, tmp_path: Path, root: Path
    ) -> None:
        check_out(job, tmp_path, root)
        write(job.workspace, {"made": "1", "a.txt": "changed"})
        check_out(job, tmp_path, root, clean="false")
        assert tree(job.workspace) == {**tree(root), "made": "1"}

    def test_sparse_cones(self, job: LocalJob, tmp_path: Path) -> None:
        files = {"top": "", "a/one": "", "a/b/two": "", "c/three": "", "d/four": ""}
        root = repository(tmp_path / "mine", files)
        write(root, {"a/b/two": "changed", "a/new": "", "c/new": "", "c/three": "changed"})
        check_out(job, tmp_path, root, sparse_checkout="a/b\nd")
        assert tree(job.workspace) == {
            "top": "",
            "a/one": "",
            "a/new": "",
            "a/b/two": "changed",
            "d/four": "",
        }
        assert job.shell("git status --porcelain") == "M a/b/two\n?? a/new"

    def test_sparse_patterns(self, job: LocalJob, tmp_path: Path) -> None:
        root = repository(tmp_path / "mine", {"top.md": "", "a/one.md": "", "a/two.txt": ""})
        check_out(job, tmp_path, root, sparse_checkout="*.md", sparse_checkout_cone_mode="false")
        assert set(tree(job.workspace)) == {"top.md", "a/one.md"}

    def test_safe_directory(self, job: LocalJob, tmp_path: Path, root: Path) -> None:
        check_out(job, tmp_path, root)
        check_out(job, tmp_path, root)
        monkey = {"GIT_CONFIG_GLOBAL": f"{job.layout.home}/.gitconfig"}
        _, listed = job.capture(["git", "config", "--global", "safe.directory"], env=monkey)
        assert listed.split() == [str(job.workspace)]

    def test_credentials_last_until_the_post_stage(
        self, job: LocalJob, tmp_path: Path, root: Path
    ) -> None:
        action = Checkout(world(tmp_path, root))
        action.main(job.call("x@v6", github(root, token=TOKEN)), job)
        key = "http.https://github.com/.extraheader"
        assert job.shell(f"git config {key}").startswith("AUTHORIZATION: basic ")
        assert "AUTHORIZATION" not in (job.workspace / ".git/config").read_text(encoding="utf-8")
        action.post(job.call("x@v6", github(root)), job)
        assert job.shell(f"git config {key} || echo none") == "none"

    @pytest.mark.parametrize("inputs", [{"persist_credentials": "false"}, {}])
    def test_no_credentials(
        self, job: LocalJob, tmp_path: Path, root: Path, inputs: dict[str, str]
    ) -> None:
        token = TOKEN if inputs else ""
        action = Checkout(world(tmp_path, root))
        action.main(job.call("x@v6", github(root, token=token), **inputs), job)
        assert not list(Path(job.layout.temp).glob("git-credentials*"))
        action.post(job.call("x@v6", github(root)), job)

    def test_ssh_inputs_are_named(self, job: LocalJob, tmp_path: Path, root: Path) -> None:
        check_out(job, tmp_path, root, ssh_key="KEY")
        assert job.annotations[0][0] == "warning"
        assert "'ssh-key' has no effect here" in job.annotations[0][1]

    @pytest.mark.parametrize(
        ("ref", "major"),
        [("v4", "v4"), ("v4.1.2", "v4"), ("v3", "v4"), ("main", "v7"), ("b" * 40, "v7")],
    )
    def test_the_major_that_applies(self, tmp_path: Path, root: Path, ref: str, major: str) -> None:
        assert Checkout(world(tmp_path, root)).describe(ref) == major


class TestOthers:
    """Other repositories come through the forge."""

    @pytest.fixture
    def theirs(self, tmp_path: Path) -> Path:
        made = repository(tmp_path / "srv/octo/tool", {"t": "1"})
        git(made, "tag", "v1")
        commit(made, {"t": "2"}, "second")
        return made

    def test_from_a_server(self, job: LocalJob, tmp_path: Path, root: Path, theirs: Path) -> None:
        forge = GitForge(tmp_path / "cache", server_url=f"file://{tmp_path}/srv")
        action = Checkout(world(tmp_path, root, forge=forge))
        for ref, text in {"v1": "1", "": "2", git(theirs, "rev-parse", "v1"): "1"}.items():
            inputs = {"repository": "octo/tool", "ref": ref, "path": "tool"}
            action.main(job.call("x@v4", github(root), **inputs), job)
            assert tree(job.workspace) == {"tool/t": text}
        place = job.workspace / "tool"
        assert job.shell("git log --format=%s", place) == "first"
        assert job.shell("git config remote.origin.url", place) == "https://github.com/octo/tool"

    def test_from_a_folder(self, job: LocalJob, tmp_path: Path, root: Path, theirs: Path) -> None:
        write(theirs, {"t": "uncommitted"})
        forge = GitForge(tmp_path / "cache", {"octo/tool": str(theirs)}, offline=True)
        action = Checkout(world(tmp_path, root, forge=forge))
        for ref, text in {"": "uncommitted", "v1": "1", "v9": "uncommitted"}.items():
            inputs = {"repository": "octo/tool", "ref": ref, "path": "tool"}
            action.main(job.call("x@v4", github(root), **inputs), job)
            assert tree(job.workspace) == {"tool/t": text}
        assert any("has no 'v9'" in line for line in job.lines)


class TestSubmodules:
    """Submodules as they are on disk, or from the user's own copies."""

    @pytest.fixture
    def root(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        settings = tmp_path / "gitconfig"
        settings.write_text('[protocol]\n\tfile = \n[protocol "file"]\n\tallow = always\n')
        monkeypatch.setitem(IDENTITY, "GIT_CONFIG_GLOBAL", str(settings))
        repository(tmp_path / "inner", {"i": "1"})
        library = repository(tmp_path / "library", {"l": "1"})
        git(library, "submodule", "--quiet", "add", f"{tmp_path}/inner", "inner")
        commit(library, {}, "inner")
        made = repository(tmp_path / "mine", {"a": "1"})
        git(made, "submodule", "--quiet", "add", f"{tmp_path}/library", "vendor/lib é")
        git(made, "submodule", "--quiet", "update", "--init", "--recursive")
        commit(made, {}, "library")
        return made

    def test_none_by_default(self, job: LocalJob, tmp_path: Path, root: Path) -> None:
        check_out(job, tmp_path, root)
        assert set(tree(job.workspace)) == {".gitmodules", "a"}
        assert (job.workspace / "vendor").exists() is False

    @pytest.mark.parametrize(("wanted", "inner"), [("true", False), ("recursive", True)])
    def test_as_on_disk(
        self, job: LocalJob, tmp_path: Path, root: Path, wanted: str, *, inner: bool
    ) -> None:
        write(root, {"vendor/lib é/l": "changed"})
        check_out(job, tmp_path, root, submodules=wanted)
        found = tree(job.workspace)
        assert found["vendor/lib é/l"] == "changed"
        assert ("vendor/lib é/inner/i" in found) is inner
        place = job.workspace / "vendor/lib é"
        assert job.shell("git rev-parse HEAD", place) == git(
            root / "vendor/lib é", "rev-parse", "HEAD"
        )

    def test_of_another_commit_without_the_network(
        self, job: LocalJob, tmp_path: Path, root: Path
    ) -> None:
        git(root, "tag", "v1")
        git(root, "rm", "-q", "vendor/lib é")
        commit(root, {"a": "2"}, "gone")
        action = Checkout(world(tmp_path, root, offline=True))
        action.main(job.call("x@v4", github(root), ref="v1", submodules="true"), job)
        assert tree(job.workspace)["vendor/lib é/l"] == "1"
        url = job.shell("git config 'submodule.vendor/lib é.url'")
        assert url == f"{tmp_path}/library"


def test_is_quick(tmp_path: Path, root: Path) -> None:
    for number in range(100):
        write(root, {f"src/f{number}.py": "x = 1\n" * 50})
    commit(root, {}, "many")
    taken = []
    for number in range(5):
        job = LocalJob(tmp_path / "state", os.environ, key=f"j{number}")
        start = time.perf_counter()
        check_out(job, tmp_path, root)
        taken.append(time.perf_counter() - start)
    print(f"checkout of 100 files: {min(taken) * 1000:.0f} ms")
    assert min(taken) < 0.2  # about 0.04 s on a quiet machine
