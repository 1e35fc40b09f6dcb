"""What everything behind GitHub's API does: the run's own repository on disk, and the fake."""

from __future__ import annotations

import io
import tarfile
import threading
import zipfile
from pathlib import Path

import pytest

from tests.actions_services import job_of
from trunkline.adapters.blobs.files import FileBlobs
from trunkline.adapters.blobs.memory import MemoryBlobs
from trunkline.adapters.clock import FakeIds
from trunkline.adapters.github_data.local import LocalGitHubData
from trunkline.adapters.github_data.memory import MemoryGitHubData
from trunkline.adapters.github_data.memory_git import MemoryGit
from trunkline.base.errors import NotFound
from trunkline.ports.github_data import (
    FILE,
    FOLDER,
    LINK,
    MODULE,
    PROGRAM,
    CommitObject,
    CommitQuery,
    FileChange,
    GitData,
    GitHubData,
    InvalidObject,
    MergeConflict,
    Ref,
    Signature,
    TagObject,
    TreeEntry,
)

JOB = job_of()
MAIN = "refs/heads/main"
EMPTY = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
NOBODY = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(params=["local", "memory"])
def data(request: pytest.FixtureRequest, tmp_path: Path) -> GitHubData:
    if request.param == "memory":
        return MemoryGitHubData(FakeIds(), MemoryGit, MemoryBlobs)
    source = tmp_path / "source"
    source.mkdir()
    return LocalGitHubData(tmp_path / "runs", str(source), FakeIds(), FileBlobs)


@pytest.fixture
def git(data: GitHubData) -> GitData:
    return data.git(JOB)


def entry(git: GitData, path: str, text: str = "", mode: str = FILE) -> TreeEntry:
    return TreeEntry(path, mode, "blob", git.write_blob(text.encode()))


def ada(at: int) -> Signature:
    return Signature("Ada Lovelace", "ada@example.org", at, "+0100")


class History:
    """A repository that grows commit by commit, an hour each."""

    def __init__(self, git: GitData) -> None:
        self.git = git
        self._at = 1_700_000_000

    def commit(
        self,
        message: str,
        files: dict[str, str | None],
        parents: tuple[str, ...] = (),
        author: Signature | None = None,
    ) -> str:
        """Store a commit over its first parent; None removes a file."""
        self._at += 3600
        changes = [
            TreeEntry(path, FILE, "blob", "") if text is None else entry(self.git, path, text)
            for path, text in files.items()
        ]
        base = self.git.tree_id(parents[0]) if parents else ""
        tree = self.git.write_tree(base, changes)
        return self.git.write_commit(
            CommitObject(
                sha="",
                tree=tree,
                parents=parents,
                author=author or ada(self._at),
                committer=ada(self._at),
                message=message,
            )
        )


@pytest.fixture
def history(git: GitData) -> History:
    return History(git)


# --- objects ----------------------------------------------------------------------------


def test_ids_are_git_s(git: GitData, history: History) -> None:
    assert git.write_blob(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"
    assert git.write_tree("", ()) == EMPTY
    sha = history.commit("first", {"a.txt": "one\n", "sub/b": "two\n"})
    assert git.tree_id(sha) == "1b179c12ecebda626e5b501379a89390209b522d"
    assert sha == "00458d7994834eb1f8924d20f6e0487cfc5a2ce9"


def test_a_blob_comes_back(git: GitData) -> None:
    data = bytes(range(256)) * 100
    assert git.blob(git.write_blob(data)) == data
    assert git.blob(git.write_blob(b"")) == b""


def test_a_commit_comes_back(git: GitData, history: History) -> None:
    first = history.commit("first", {"a": "1"})
    author = Signature("Grace", "grace@example.org", 1_600_000_000, "-0700")
    sha = history.commit("subject\n\nbody\nmore", {"a": "2"}, (first,), author)
    found = git.commit(sha)
    assert found.sha == sha
    assert found.parents == (first,)
    assert found.author == author
    assert found.committer.name == "Ada Lovelace"
    assert found.message == "subject\n\nbody\nmore"
    assert found.tree == git.tree_id(sha)


def test_names_that_would_break_a_commit_are_cleaned(git: GitData, history: History) -> None:
    author = Signature("A\n<b>\0c", "x>y\n@z", 5)
    sha = history.commit("m", {}, author=author)
    assert git.commit(sha).author == Signature("Abc", "xy@z", 5)


def test_a_tag_comes_back(git: GitData, history: History) -> None:
    commit = history.commit("first", {})
    new = TagObject(
        sha="", tag="v1", object=commit, type="commit", message="one\n\nmore", tagger=ada(7)
    )
    sha = git.write_tag(new)
    found = git.tag(sha)
    assert (found.sha, found.tag, found.object, found.type) == (sha, "v1", commit, "commit")
    assert (found.message, found.tagger) == ("one\n\nmore", ada(7))


def test_trees(git: GitData) -> None:
    tree = git.write_tree(
        "",
        [
            entry(git, "b.txt", "text"),
            entry(git, "run", "#!", PROGRAM),
            entry(git, "link", "b.txt", LINK),
            entry(git, "sub/deep/x", "x"),
            entry(git, "sub.txt", "s"),
            TreeEntry("module", MODULE, "commit", NOBODY),
        ],
    )
    listed = [(each.path, each.mode, each.type, each.size) for each in git.tree(tree)]
    assert listed == [
        ("b.txt", FILE, "blob", 4),
        ("link", LINK, "blob", 5),
        ("module", MODULE, "commit", None),
        ("run", PROGRAM, "blob", 2),
        ("sub.txt", FILE, "blob", 1),
        ("sub", FOLDER, "tree", None),
    ]
    paths = [each.path for each in git.tree(tree, recursive=True)]
    assert paths[-3:] == ["sub", "sub/deep", "sub/deep/x"]


def test_a_tree_over_another(git: GitData) -> None:
    base = git.write_tree(
        "", [entry(git, "a", "1"), entry(git, "d/x", "x"), entry(git, "d/y", "y")]
    )
    folder = git.write_tree("", [entry(git, "in", "in")])
    deep = git.write_tree("", [entry(git, "d/x", "new")])
    replaced = git.write_tree(base, [TreeEntry("d", FOLDER, "tree", git.entry(deep, "d").sha)])
    assert [each.path for each in git.tree(replaced, recursive=True)] == ["a", "d", "d/x"]
    file = git.write_tree(base, [entry(git, "d", "a file now")])
    assert [each.path for each in git.tree(file)] == ["a", "d"]
    changed = git.write_tree(
        base,
        [
            TreeEntry("a", FILE, "blob", ""),
            TreeEntry("d/x", FILE, "blob", ""),
            TreeEntry("gone", FILE, "blob", ""),
            TreeEntry("whole", FOLDER, "tree", folder),
            entry(git, "d/z", "z"),
        ],
    )
    files = [each.path for each in git.tree(changed, recursive=True) if each.type == "blob"]
    assert files == ["d/y", "d/z", "whole/in"]
    assert git.write_tree(base, ()) == base


def test_trees_of_what_is_not_there(git: GitData) -> None:
    with pytest.raises(InvalidObject):
        git.write_tree("", [TreeEntry("a", FILE, "blob", NOBODY)])
    with pytest.raises(InvalidObject):
        git.write_tree("", [TreeEntry("a", FOLDER, "tree", NOBODY)])


def test_what_stands_at_a_path(git: GitData, history: History) -> None:
    sha = history.commit("m", {"a b/ä.txt": "x\n", "[1].txt": "y"})
    assert git.entry(sha, "a b/ä.txt").size == 2
    assert git.entry(sha, "/a b/").type == "tree"
    assert git.entry(sha, "[1].txt").type == "blob"
    assert git.entry(sha, "").sha == git.tree_id(sha)
    for path in ("none", "a b/none", "a b/ä.txt/x", "../a b", "*.txt", "."):
        with pytest.raises(NotFound):
            git.entry(sha, path)


@pytest.mark.parametrize("sha", [NOBODY, "", "--help", "a\0b", "main", "HEAD"])
def test_objects_that_are_not_there(git: GitData, sha: str) -> None:
    for read in (git.commit, git.blob, git.tag, git.tree_id, git.tree):
        with pytest.raises(NotFound):
            read(sha)


def test_objects_of_another_type(git: GitData, history: History) -> None:
    commit = history.commit("m", {"a": "1"})
    blob = git.write_blob(b"1")
    for read, sha in ((git.blob, commit), (git.commit, blob), (git.tag, commit), (git.tree, blob)):
        with pytest.raises(NotFound):
            read(sha)


def test_commits_and_tags_of_what_is_not_there(git: GitData) -> None:
    new = CommitObject(
        sha="", tree=NOBODY, parents=(), author=ada(1), committer=ada(1), message="m"
    )
    with pytest.raises(InvalidObject):
        git.write_commit(new)
    tag = TagObject(sha="", tag="v", object=NOBODY, type="commit", message="m", tagger=ada(1))
    with pytest.raises(InvalidObject):
        git.write_tag(tag)


# --- refs -------------------------------------------------------------------------------


def test_refs(git: GitData, history: History) -> None:
    assert git.default_branch() == "main"
    assert git.refs("refs/") == ()
    sha = history.commit("m", {})
    tag = git.write_tag(
        TagObject(sha="", tag="v1", object=sha, type="commit", message="m", tagger=ada(1))
    )
    assert git.set_ref(MAIN, sha)
    assert git.set_ref("refs/tags/v1", tag, "")
    assert git.refs("refs/") == (
        Ref(MAIN, sha, "commit", sha),
        Ref("refs/tags/v1", tag, "tag", sha),
    )
    assert git.refs("refs/tags/v") == (Ref("refs/tags/v1", tag, "tag", sha),)


def test_a_ref_moves_from_where_it_is(git: GitData, history: History) -> None:
    first = history.commit("1", {})
    second = history.commit("2", {}, (first,))
    assert not git.set_ref(MAIN, second, first)
    assert git.set_ref(MAIN, first, "")
    assert not git.set_ref(MAIN, second, "")
    assert not git.set_ref(MAIN, second, second)
    assert git.set_ref(MAIN, second, first)
    assert git.resolve("main") == second
    assert not git.set_ref(MAIN, "", first)
    assert git.set_ref(MAIN, "", second)
    with pytest.raises(NotFound):
        git.resolve("main")


def test_one_of_many_moves_a_ref(git: GitData, history: History) -> None:
    first = history.commit("1", {})
    git.set_ref(MAIN, first)
    tips = [history.commit(f"{number}", {}, (first,)) for number in range(6)]
    moved: list[bool] = []
    threads = [
        threading.Thread(target=lambda tip=tip: moved.append(git.set_ref(MAIN, tip, first)))
        for tip in tips
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert moved.count(True) == 1
    assert git.resolve("main") in tips


@pytest.mark.parametrize(
    "name",
    [
        "main",
        "refs/heads/",
        "refs/heads/a b",
        "refs/heads/..",
        "refs/heads/a.lock",
        "refs//x",
        "",
        "refs/heads/a\0b",
        "refs/heads/-x/@{1}",
    ],
)
def test_names_that_no_ref_has(git: GitData, history: History, name: str) -> None:
    sha = history.commit("m", {})
    with pytest.raises(InvalidObject):
        git.set_ref(name, sha)


@pytest.mark.parametrize("sha", [NOBODY, "main", "--help"])
def test_refs_point_to_what_is_there(git: GitData, sha: str) -> None:
    with pytest.raises(InvalidObject):
        git.set_ref(MAIN, sha)


def test_a_branch_is_at_a_commit(git: GitData) -> None:
    with pytest.raises(InvalidObject):
        git.set_ref(MAIN, git.write_blob(b"x"))


def test_names_of_commits(git: GitData, history: History) -> None:
    first = history.commit("1", {})
    second = history.commit("2", {}, (first,))
    tag = git.write_tag(
        TagObject(sha="", tag="both", object=first, type="commit", message="m", tagger=ada(1))
    )
    git.set_ref("refs/heads/both", second)
    git.set_ref("refs/tags/both", tag)
    git.set_ref("refs/heads/a/b", first)
    git.set_ref(MAIN, first)
    assert git.resolve("both") == second
    assert git.resolve("tags/both") == first
    assert git.resolve("refs/tags/both") == first
    assert git.resolve("heads/both") == second
    assert git.resolve("a/b") == first
    assert git.resolve(first) == first
    assert git.resolve(second[:9]) == second
    assert git.resolve("HEAD") == first
    for name in ("a", "none", "", "both~1", "both^", "@", "--all", "a\0b", "heads", "main..both"):
        with pytest.raises(NotFound):
            git.resolve(name)


# --- history ----------------------------------------------------------------------------


class Forked:
    """A history with two branches: main (1, 2) and topic (1, 3)."""

    def __init__(self, history: History) -> None:
        self.first = history.commit("1", {"a": "a\n", "dir/b": "b\n"})
        self.second = history.commit("2", {"a": "a\nmore\n"}, (self.first,))
        by = Signature("Grace", "grace@example.org", 1)
        self.third = history.commit("3", {"dir/c": "c\n"}, (self.first,), by)


@pytest.fixture
def forked(history: History) -> Forked:
    return Forked(history)


def test_commits(git: GitData, history: History, forked: Forked) -> None:
    def shas(**query: object) -> list[str]:
        return [each.sha for each in git.commits(CommitQuery(**query))]  # type: ignore[arg-type]

    merged = history.commit("m", {"dir/c": "c\n"}, (forked.second, forked.third))
    whole = [merged, forked.third, forked.second, forked.first]
    assert shas(head=merged) == whole
    assert shas(head=merged, base=forked.second) == [merged, forked.third]
    assert shas(head=merged, skip=1, limit=2) == whole[1:3]
    assert shas(head=merged, path="dir") == [forked.third, forked.first]
    assert shas(head=merged, path="a") == [forked.second, forked.first]
    assert shas(head=merged, path="none") == []
    assert shas(head=merged, author="grace") == [forked.third]
    assert shas(head=merged, author=".*") == []
    at = git.commit(forked.second).committer.at
    assert at == 1_700_007_200
    assert shas(head=merged, since="2023-11-15T00:30:00Z") == [merged, forked.third]
    assert shas(head=merged, until="2023-11-15T00:13:20Z") == [forked.second, forked.first]
    assert git.count(forked.second, merged) == 2
    assert git.count(merged, forked.second) == 0


def test_where_histories_part(git: GitData, history: History, forked: Forked) -> None:
    alone = history.commit("alone", {})
    assert git.merge_base(forked.second, forked.third) == forked.first
    assert git.merge_base(forked.first, forked.third) == forked.first
    assert git.merge_base(forked.second, alone) == ""
    for read in (git.merge_base, git.count):
        with pytest.raises(NotFound):
            read(NOBODY, alone)


def test_changes(git: GitData, history: History) -> None:
    long = "".join(f"line {number}\n" for number in range(20))
    first = history.commit("1", {"a": "a\nb\n", "gone": "g\n", "long": long, "moved": "x" * 99})
    new = {
        "a": "a\nc\n",
        "gone": None,
        "long": long.replace("line 10\n", "line ten\n"),
        "moved": None,
        "sub/moved": "x" * 99,
        "new": "n",
        "image": "\0\1",
    }
    second = history.commit("2", new, (first,))
    found = {each.path: each for each in git.changes(first, second)}
    assert list(found) == sorted(found)
    assert found["a"] == FileChange(
        path="a",
        sha=git.entry(second, "a").sha,
        status="modified",
        additions=1,
        deletions=1,
        patch="@@ -1,2 +1,2 @@\n a\n-b\n+c",
    )
    assert found["gone"].status == "removed"
    assert found["gone"].patch == "@@ -1 +0,0 @@\n-g"
    assert found["gone"].sha == git.entry(first, "gone").sha
    assert found["new"].patch == "@@ -0,0 +1 @@\n+n\n\\ No newline at end of file"
    assert found["long"].patch.startswith("@@ -8,7 +8,7 @@")
    assert (found["image"].status, found["image"].patch) == ("added", "")
    moved = found["sub/moved"]
    assert (moved.status, moved.previous, moved.patch) == ("renamed", "moved", "")
    assert "moved" not in found
    assert len(git.changes("", first)) == 4
    assert git.changes(first, first) == ()


def test_differences_as_text(git: GitData, history: History) -> None:
    first = history.commit("1", {"a": "one\n"})
    second = history.commit("second", {"a": "two\n"}, (first,))
    told = git.diff(first, second)
    assert told.startswith(b"diff --git a/a b/a\n")
    assert b"\n-one\n+two\n" in told
    letter = git.diff(first, second, mail=True)
    assert letter.startswith(b"From " + second.encode())
    assert b"Subject: [PATCH] second\n" in letter
    assert b"+one" in git.diff("", first)


def test_merges(git: GitData, history: History, forked: Forked) -> None:
    tree = git.merge(forked.second, forked.third)
    blobs = {each.path: git.blob(each.sha) for each in git.tree(tree, recursive=True) if each.size}
    assert blobs == {"a": b"a\nmore\n", "dir/b": b"b\n", "dir/c": b"c\n"}
    other = history.commit("4", {"a": "other\n"}, (forked.first,))
    with pytest.raises(MergeConflict):
        git.merge(forked.second, other)
    removed = history.commit("5", {"a": None}, (forked.first,))
    with pytest.raises(MergeConflict):
        git.merge(forked.second, removed)
    assert git.merge(forked.second, forked.first) == git.tree_id(forked.second)


@pytest.mark.parametrize("form", ["zip", "tar.gz"])
def test_archives(git: GitData, history: History, form: str) -> None:
    sha = history.commit("m", {"a.txt": "a\n", "sub/b": "b\n"})
    with git.archive(sha, form, "demo-1") as file:
        data = io.BytesIO(file.read())
    if form == "zip":
        with zipfile.ZipFile(data) as packed:
            assert packed.read("demo-1/sub/b") == b"b\n"
    else:
        with tarfile.open(fileobj=data) as archive:
            member = archive.extractfile("demo-1/a.txt")
            assert member is not None
            assert member.read() == b"a\n"
    with pytest.raises(NotFound):
        git.archive(NOBODY, form, "x")


# --- whose they are --------------------------------------------------------


def test_a_run_has_its_own(data: GitHubData) -> None:
    mine, again, other = job_of("1"), job_of("1", 2), job_of("2")
    sha = History(data.git(mine)).commit("m", {})
    data.git(mine).set_ref(MAIN, sha)
    number = data.records(mine).add("releases", {})
    digest, _ = data.blobs(mine).put(io.BytesIO(b"asset"))
    assert data.git(again).resolve("main") == sha
    assert data.records(again).find("releases", number) == {}
    assert data.blobs(again).has(digest)
    with pytest.raises(NotFound):
        data.git(other).resolve("main")
    assert data.records(other).find("releases", number) is None
    assert not data.blobs(other).has(digest)
