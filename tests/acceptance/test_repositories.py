"""Repositories as they are found: without commits or a remote, detached, linked, oddly named, or none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands import Done, Place, assert_no_traceback, missing
from tests.repositories import commit, git, repository, write

WORKFLOW = """
on: [push, pull_request, workflow_dispatch, release]
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: |
          echo "files: $(ls | tr '\\n' ' ')"
          echo "text: $(cat *.txt | tr '\\n' ' ')"
          echo "$GITHUB_EVENT_NAME $GITHUB_REF $GITHUB_REPOSITORY [$GITHUB_BASE_REF]"
          echo "branch: [$(git branch --show-current 2>/dev/null)]"
          git status --short --branch 2>/dev/null || echo no git
"""
FILES = {".github/workflows/ci.yml": WORKFLOW, "one.txt": "one\n"}


def no_commits(root: Path) -> Path:
    repository(root)
    write(root, FILES)
    return root


def no_remote(root: Path) -> Path:
    return repository(root, FILES)


def detached(root: Path) -> Path:
    repository(root, FILES)
    git(root, "checkout", "-q", "--detach")
    return root


def worktree(root: Path) -> Path:
    main = repository(root.parent / "main one", FILES)
    git(main, "worktree", "add", "-q", "-b", "side/branch", str(root))
    return root


def not_a_repository(root: Path) -> Path:
    root.mkdir()
    write(root, FILES)
    return root


def oddly_named(root: Path) -> Path:
    odd = root.parent / "mit Leerzeichen & Ümläut 'quoted' $HOME"
    repository(odd, FILES)
    write(odd, {"zwei wörter ☃.txt": "two\n"})
    return odd


def with_remote(root: Path) -> Path:
    upstream = repository(root.parent / "upstream", FILES)
    git(root.parent, "clone", "-q", str(upstream), str(root))
    git(root, "remote", "set-url", "origin", "git@github.com:octo/demo.git")
    git(root, "checkout", "-q", "-b", "feature")
    commit(root, {"two.txt": "two\n"})
    return root


def shallow(root: Path) -> Path:
    upstream = repository(root.parent / "upstream", FILES)
    commit(upstream, {"two.txt": "two\n"})
    git(root.parent, "clone", "-q", "--depth", "1", f"file://{upstream}", str(root))
    return root


def packed(root: Path) -> Path:
    repository(root, FILES)
    git(root, "gc", "-q")
    git(root, "pack-refs", "--all")
    return root


def uncommitted(root: Path) -> Path:
    repository(root, {**FILES, "gone.txt": "gone\n", ".gitignore": "ignored*\n"})
    write(root, {"one.txt": "changed\n", "new.txt": "new\n", "ignored.txt": "ignored\n"})
    (root / "gone.txt").unlink()
    return root


EXPECTED: dict[Callable[[Path], Path], tuple[str, ...]] = {
    no_commits: ("files: one.txt ", "push refs/heads/main root/demo []"),
    no_remote: (
        "files: one.txt ",
        "push refs/heads/main root/demo []",
        "branch: [main]",
        "## main…",
    ),
    detached: ("files: one.txt ", "push … root/demo []", "branch: […]"),
    worktree: ("files: one.txt ", "push refs/heads/side/branch … []", "branch: [side/branch]"),
    not_a_repository: ("files: one.txt ", "push … root/demo []"),
    oddly_named: (
        "files: one.txt zwei wörter ☃.txt ",
        "text: one two ",
        "push refs/heads/main … []",
    ),
    with_remote: ("text: one two ", "push refs/heads/feature octo/demo []", "branch: [feature]"),
    shallow: ("text: one two ", "push refs/heads/main … []"),
    packed: ("files: one.txt ", "branch: [main]"),
    uncommitted: (
        "files: new.txt one.txt ",
        "text: new changed ",
        " D gone.txt",
        " M one.txt",
        "?? new.txt",
    ),
}


def ran(place: Place, root: Path, *args: str) -> tuple[Done, list[str]]:
    done = place.run("run", "--plain", *args, cwd=root, env={"LOGNAME": "root", "USER": "root"})
    assert_no_traceback(done)
    runs = place.runs()
    return done, place.log(runs[-1], "a") if runs else []


@pytest.mark.parametrize("make", EXPECTED, ids=lambda make: make.__name__)
def test_it_simply_works(make: Callable[[Path], Path], place: Place) -> None:
    root = make(place.root / "demo")
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*") if ".git" not in path.parts}
    done, log = ran(place, root)
    assert done.code == 0, done.text
    assert not missing(EXPECTED[make], log), "\n".join(log)
    after = {path: path.stat().st_mtime_ns for path in root.rglob("*") if ".git" not in path.parts}
    assert before == after


@pytest.mark.parametrize("make", EXPECTED, ids=lambda make: make.__name__)
def test_plan_tells_the_same_without_running(make: Callable[[Path], Path], place: Place) -> None:
    root = make(place.root / "demo")
    for args in (("plan",), ("plan", "pull_request"), ("plan", "--json"), ("lint",)):
        done = place.run(*args, cwd=root)
        assert done.code == 0, done.text
        assert_no_traceback(done)
    assert place.runs() == []


def test_head_alone(place: Place) -> None:
    root = uncommitted(place.root / "demo")
    done, log = ran(place, root, "--committed")
    assert done.code == 0, done.text
    assert not missing(["files: gone.txt one.txt ", "text: gone one "], log), "\n".join(log)


def test_from_a_folder_inside_the_repository(place: Place) -> None:
    root = repository(place.root / "demo", {**FILES, "deep/er/x": ""})
    write(root, {".secrets": "TOKEN=hush-hush\n", ".env": "FROM_FILE=yes\n"})
    done, log = ran(place, root / "deep" / "er")
    assert done.code == 0, done.text
    assert "files: deep one.txt " in log
    assert "  FROM_FILE: yes" in log


def test_from_outside_with_a_workflow_file_of_its_own(place: Place) -> None:
    root = repository(place.root / "demo", {"one.txt": "one\n", "ci/own.yml": WORKFLOW})
    done, log = ran(place, place.root, "-C", str(root), "-W", str(root / "ci/own.yml"))
    assert done.code == 0, done.text
    assert "files: ci one.txt " in log


def test_a_pull_request_from_a_branch(place: Place) -> None:
    root = with_remote(place.root / "demo")
    done, log = ran(place, root, "pull_request")
    assert done.code == 0, done.text
    assert not missing(["pull_request refs/pull/… octo/demo [main]"], log), "\n".join(log)


def test_several_workflows_are_several_runs_and_the_worst_counts(place: Place) -> None:
    job = "on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [run: exit CODE]}}\n"
    names = {"good": "0", "bad": "1", "also-good": "0"}
    files = {f".github/workflows/{name}.yml": job.replace("CODE", names[name]) for name in names}
    root = repository(place.root / "demo", files)
    done = place.run("run", "--plain", cwd=root)
    assert done.code == 1
    assert len(place.runs()) == 3
