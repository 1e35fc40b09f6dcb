"""What the forge tells of repositories in every state they come in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.repositories import commit, git, repository, write
from trunkline.adapters.git.facts import read_facts
from trunkline.base.errors import NotFound, Unavailable
from trunkline.plan.facts import RepositoryFacts


def facts(directory: Path, *, committed: bool = False, event: str = "") -> RepositoryFacts:
    return read_facts(str(directory), committed=committed, event=event)


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = tmp_path / "gitconfig"
    settings.write_text("[user]\nname = Ada Lovelace\nemail = ada@example.org\n", encoding="utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


def test_a_branch_with_its_last_commit(tmp_path: Path) -> None:
    root = repository(tmp_path / "demo", {"a": "1", "b": "1"})
    first = git(root, "rev-parse", "HEAD")
    (root / "b").unlink()
    second = commit(root, {"a": "2", "dir é/c d": "3"}, "subject\n\nbody é")
    found = facts(root)
    head = found.head
    assert head is not None
    assert (head.sha, head.message, head.timestamp) == (
        second,
        "subject\n\nbody é",
        "2026-01-02T03:04:05+00:00",
    )
    assert (head.added, head.modified, head.removed) == (("dir é/c d",), ("a",), ("b",))
    assert (head.author.name, head.committer.email) == ("Ada Lovelace", "ada@example.org")
    assert head.tree == git(root, "rev-parse", "HEAD^{tree}")
    assert found.push.before == first
    assert found.push.commits == (head,)
    assert found.push.changed_files == ("a", "b", "dir é/c d")
    assert (found.name, found.actor, found.root) == ("demo", "ada-lovelace", str(root))
    assert (found.head_ref, found.default_branch, found.dirty) == ("refs/heads/main", "main", False)
    assert found.notes == ()


@pytest.mark.parametrize(
    ("name", "text", "spdx"),
    [
        ("LICENSE", "Apache License\n   Version 2.0, January 2004\n", "Apache-2.0"),
        ("licence.md", "Permission is hereby granted, free of\ncharge, ... sublicense", "MIT"),
        ("COPYING", "All rights reserved.", "NOASSERTION"),
        ("docs/LICENSE", "Apache License Version 2.0", ""),
        ("LICENSE/text", "Apache License Version 2.0", ""),
        ("license.py", "Apache License Version 2.0", ""),
    ],
)
def test_the_license_is_that_of_the_root(tmp_path: Path, name: str, text: str, spdx: str) -> None:
    root = repository(tmp_path / "demo", {name: text, "src/a": ""})
    assert facts(root / "src").license == spdx


def test_uncommitted_work_counts_unless_left_out(tmp_path: Path) -> None:
    root = repository(tmp_path / "demo", {"a": "1", "b": "1", ".gitignore": "ignored\n"})
    commit(root, {"a": "2"})
    write(root, {"a": "3", "new/é file": "", "ignored": "", "staged": ""})
    (root / "b").unlink()
    git(root, "add", "staged")
    found = facts(root)
    assert found.dirty
    assert found.push.changed_files == ("a", "b", "new/é file", "staged")
    assert facts(root, committed=True).push.changed_files == ("a",)
    assert not facts(root, committed=True).dirty


def test_the_first_commit_compares_with_nothing(tmp_path: Path) -> None:
    found = facts(repository(tmp_path / "demo", {"a": "1", "b/c": "2"}))
    assert found.push.before == ""
    assert found.push.changed_files == ("a", "b/c")
    assert len(found.push.commits) == 1


def test_commits_ahead_of_the_upstream_are_the_push(tmp_path: Path) -> None:
    repository(tmp_path / "theirs", {"a": "1"})
    git(tmp_path, "clone", "-q", "theirs", "mine")
    root = tmp_path / "mine"
    tip = git(root, "rev-parse", "HEAD")
    assert facts(root).push.before == ""
    assert facts(root).push.upstream_tip == tip
    commit(root, {"b": "1"}, "one")
    commit(root, {"b": "2", "c": "1"}, "two")
    found = facts(root).push
    assert (found.before, found.forced) == (tip, False)
    assert [each.message for each in found.commits] == ["one", "two"]
    assert found.changed_files == ("b", "c")


def test_a_rewritten_branch_would_be_forced(tmp_path: Path) -> None:
    theirs = repository(tmp_path / "theirs", {"a": "1"})
    first = git(theirs, "rev-parse", "HEAD")
    pushed = commit(theirs, {"a": "2"})
    git(tmp_path, "clone", "-q", "theirs", "mine")
    root = tmp_path / "mine"
    git(root, "reset", "-q", "--hard", "HEAD~1")
    commit(root, {"a": "3"}, "again")
    found = facts(root).push
    assert (found.before, found.upstream_tip, found.forced) == (first, pushed, True)


def test_a_remote_branch_without_tracking_is_the_upstream(tmp_path: Path) -> None:
    repository(tmp_path / "theirs", {"a": "1"})
    git(tmp_path, "clone", "-q", "theirs", "mine")
    root = tmp_path / "mine"
    tip = git(root, "rev-parse", "HEAD")
    git(root, "branch", "--unset-upstream")
    commit(root, {"b": "1"}, "one")
    commit(root, {"c": "1"}, "two")
    assert facts(root).push.before == tip
    assert len(facts(root).push.commits) == 2


def test_a_merge_carries_the_merged_commits(tmp_path: Path) -> None:
    root = repository(tmp_path / "demo", {"a": "1"})
    git(root, "checkout", "-q", "-b", "topic")
    commit(root, {"b": "1"}, "topic's")
    git(root, "checkout", "-q", "main")
    before = commit(root, {"c": "1"}, "main's")
    git(root, "merge", "-q", "--no-ff", "-m", "merged", "topic")
    found = facts(root).push
    assert found.before == before
    assert [each.message for each in found.commits] == ["topic's", "merged"]
    assert found.commits[-1].added == ("b",)
    assert found.changed_files == ("b",)


def test_a_pull_request_from_a_topic(tmp_path: Path) -> None:
    root = repository(tmp_path / "demo", {"a": "1"})
    fork = git(root, "rev-parse", "HEAD")
    git(root, "checkout", "-q", "-b", "topic")
    commit(root, {"b": "1"}, "one")
    commit(root, {"b": "2"}, "two")
    git(root, "checkout", "-q", "main")
    base = commit(root, {"c": "1"}, "main's")
    git(root, "checkout", "-q", "topic")
    write(root, {"new": ""})
    found = facts(root, event="pull_request").pull
    assert (found.base_branch, found.base_sha, found.merge_base) == ("main", base, fork)
    assert [each.message for each in found.commits] == ["one", "two"]
    assert found.changed_files == ("b", "new")


@pytest.mark.parametrize(
    ("url", "owner", "name", "shown"),
    [
        ("https://github.com/octo/demo.git", "octo", "demo", "https://github.com/octo/demo.git"),
        ("https://me:tok@github.com/octo/demo", "octo", "demo", "https://github.com/octo/demo"),
        ("git@github.com:octo/demo.git", "octo", "demo", "git@github.com:octo/demo.git"),
        ("ssh://git@host:22/x/octo/de mo/", "octo", "de-mo", "ssh://git@host:22/x/octo/de mo/"),
        ("/srv/git/octo/demo.git", "octo", "demo", "/srv/git/octo/demo.git"),
    ],
)
def test_owner_and_name_come_from_the_remote(
    tmp_path: Path, url: str, owner: str, name: str, shown: str
) -> None:
    root = repository(tmp_path / "folder", {"a": "1"})
    git(root, "remote", "add", "origin", url)
    git(root, "remote", "add", "other", "https://example.org/no/no")
    found = facts(root)
    assert (found.owner, found.name, found.remote_url) == (owner, name, shown)


def test_without_commits(tmp_path: Path) -> None:
    root = repository(tmp_path / "demo")
    write(root, {"a": "1"})
    found = facts(root)
    assert (found.head, found.head_ref, found.head_sha) == (None, "refs/heads/main", "0" * 40)
    assert found.push.changed_files == ("a",)
    assert found.pull.changed_files == ("a",)
    assert "no commits yet" in found.notes[0]


def test_not_a_repository(tmp_path: Path) -> None:
    folder = tmp_path / "plain é folder"
    write(folder, {"a": "1"})
    found = facts(folder)
    assert (found.head, found.name, found.root) == (None, "plain---folder", str(folder))
    assert found.push.changed_files is None
    assert "is not a git repository" in found.notes[0]


def test_detached_on_a_tag_a_branch_and_nothing(tmp_path: Path) -> None:
    root = repository(tmp_path / "demo", {"a": "1"})
    git(root, "checkout", "-q", "--detach")
    assert facts(root).head_ref == "refs/heads/main"
    git(root, "tag", "v1.9")
    git(root, "tag", "v1.10")
    found = facts(root)
    assert (found.head_ref, found.detached) == ("refs/tags/v1.10", True)
    assert found.latest_tag is not None
    assert found.latest_tag.sha == found.head_sha
    commit(root, {"a": "2"})
    assert facts(root).head_ref == ""


def test_a_worktree_packed_refs_and_a_subfolder(tmp_path: Path) -> None:
    root = repository(tmp_path / "demo", {"a": "1", "sub/b": "1"})
    git(root, "branch", "feature/x")
    git(root, "worktree", "add", "-q", "../tree é", "feature/x")
    git(root, "pack-refs", "--all")
    found = facts(tmp_path / "tree é/sub")
    assert (found.name, found.head_ref) == ("demo", "refs/heads/feature/x")
    assert found.root == str(tmp_path / "tree é")
    assert found.default_sha == found.head_sha


def test_a_shallow_clone(tmp_path: Path) -> None:
    theirs = repository(tmp_path / "theirs", {"a": "1"})
    commit(theirs, {"a": "2"})
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{theirs}", "mine")
    found = facts(tmp_path / "mine")
    assert found.shallow
    assert (found.push.before, found.push.changed_files) == ("", ("a",))


def test_a_submodule_is_one_changed_entry(tmp_path: Path) -> None:
    repository(tmp_path / "lib", {"l": "1"})
    root = repository(tmp_path / "demo", {"a": "1"})
    git(root, "-c", "protocol.file.allow=always", "submodule", "add", "-q", "../lib", "vendor/lib")
    commit(root, {}, "submodule")
    commit(root / "vendor/lib", {"l": "2"}, "inside")
    assert facts(root).push.changed_files == (".gitmodules", "vendor/lib")


def test_a_hook_s_variables_do_not_lead_astray(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = repository(tmp_path / "demo", {"a": "1"})
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    assert facts(root).head is not None


def test_a_bare_repository_has_no_files(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "bare.git")
    with pytest.raises(NotFound, match="bare git repository"):
        facts(tmp_path / "bare.git")


def test_no_git_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository(tmp_path / "demo", {"a": "1"})
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="git is not installed"):
        facts(root)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_another_users_repository(tmp_path: Path) -> None:
    root = repository(tmp_path / "demo", {"a": "1"})
    os.chown(root, 12345, 12345)
    os.chown(root / ".git", 12345, 12345)
    with pytest.raises(Unavailable, match="belongs to another user") as caught:
        facts(root)
    assert caught.value.hint == f"git config --global --add safe.directory {root}"


def test_reading_leaves_the_index_alone(tmp_path: Path) -> None:
    root = repository(tmp_path / "demo", {"a": "1"})
    os.utime(root / "a", (1, 1))
    before = (root / ".git/index").read_bytes()
    facts(root)
    assert (root / ".git/index").read_bytes() == before


def test_few_programs_are_started(tmp_path: Path, started: list[str]) -> None:
    root = repository(tmp_path / "demo", {f"f{n}": str(n) for n in range(100)})
    commit(root, {"f1": "new"})
    started.clear()
    facts(root, event="push")
    assert len(started) <= 6, started
