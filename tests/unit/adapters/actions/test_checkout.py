"""Checkout: what the job gets, and what it can't do to the user's repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.checkouts import check_out, github, tree
from tests.jobs import LocalJob, world
from tests.repositories import IDENTITY, commit, git, repository, write
from trunkline.adapters.actions.checkout.action import Checkout
from trunkline.adapters.forges.git import GitForge
from trunkline.ports.actions import ActionFailed

URL = "https://github.com/octo/demo"
TOKEN = "tok-en".replace("-", "")


@pytest.fixture(params=[True, False], ids=["borrowed", "copied"])
def sees_this_machine(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


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


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:tok@example.org/octo/demo.git", "https://example.org/octo/demo.git"),
        ("git@github.com:octo/demo.git", URL),
        ("ssh://git@example.org:22/octo/demo", "https://example.org/octo/demo"),
        ("example.org:octo/demo", "https://example.org/octo/demo"),
        ("/srv/octo/demo", URL),
    ],
)
def test_origin_is_as_on_github(
    job: LocalJob, tmp_path: Path, root: Path, url: str, shown: str
) -> None:
    git(root, "remote", "add", "origin", url)
    check_out(job, tmp_path, root)
    assert job.shell("git config remote.origin.url") == shown
    assert "tok" not in (job.workspace / ".git/config").read_text(encoding="utf-8")


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


def test_few_programs_are_started(
    job: LocalJob, tmp_path: Path, root: Path, started: list[str]
) -> None:
    for number in range(100):
        write(root, {f"src/f{number}.py": "x = 1\n" * 50})
    commit(root, {}, "many")
    started.clear()
    check_out(job, tmp_path, root)
    assert len(started) <= 10, started
