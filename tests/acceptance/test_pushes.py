"""Releases by scripts alone: check out, commit, push; recorded in a rehearsal, sent with --publish."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import Done, Place, assert_no_traceback, missing
from tests.github_api import GitHub, served
from tests.repositories import git, repository

WORKFLOW = """
on: push
permissions: {contents: PERMISSION}
jobs:
  release:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - env: {MORE: one}
        run: |
          git config user.name me
          git config user.email me@example.org
          git checkout -q --orphan site
          git commit -q -m 'the site'
          git tag v9
          git push -q origin HEAD:refs/heads/gh-pages v9
      - run: git ls-remote origin refs/heads/gh-pages | cut -f 2
"""
BUILDSPEC = """
version: 0.2
env: {git-credential-helper: HELPER}
phases:
  install: {commands: [git config --global user.name me, git config --global user.email me@x.org]}
  build:
    commands:
      - git checkout -q --orphan site && git commit -q -m 'the site' && git tag v9
      - git push -q origin HEAD:refs/heads/gh-pages v9
  post_build:
    commands: [git ls-remote origin refs/heads/gh-pages | cut -f 2]
"""


@pytest.fixture
def real(tmp_path: Path) -> Iterator[GitHub]:
    """Return the server that stands for GitHub."""
    with served(tmp_path / "real") as found:
        yield found


def run(
    tmp_path: Path, real: GitHub, *args: str, permission: str = "write", home: str = ""
) -> Done:
    """Run the workflow in a clone of a repository of `real`'s server."""
    workflow = WORKFLOW.replace("PERMISSION", permission)
    if home:
        workflow = workflow.replace("MORE: one", f"HOME: {home}")
    return run_file(Place(tmp_path), real, ".github/workflows/ci.yml", workflow, *args)


def run_file(place: Place, real: GitHub, path: str, text: str, *args: str) -> Done:
    """Run what a file says in a clone of a repository of `real`'s server, which stays as it is."""
    server = real.api.removesuffix("/api/v3")
    root = repository(place.root / "demo", {path: text, "a.txt": "a\n"})
    git(root, "remote", "add", "origin", f"{server}/octo/demo")
    before = git(root, "for-each-ref")
    flags = ("run", "--plain", "--server-url", server, *args)
    done = place.run(*flags, cwd=root, env={"GITHUB_API_URL": real.api})
    assert_no_traceback(done)
    assert git(root, "for-each-ref") == before
    return done


def branch(real: GitHub) -> int:
    """Return with which status the server tells of the branch."""
    return real.ask("GET", "/branches/gh-pages").status


def test_a_rehearsal_records_them(tmp_path: Path, real: GitHub):
    done = run(tmp_path, real)
    assert done.code == 0, done.text
    wanted = [
        "release | refs/heads/gh-pages",
        "…push refs/heads/gh-pages, at …: recorded here, not sent",
        "…push refs/tags/v9, at …: recorded here, not sent",
    ]
    assert not missing(wanted, done.out.splitlines()), done.text
    assert branch(real) == 404


def test_a_step_with_a_home_of_its_own(tmp_path: Path, real: GitHub):
    (tmp_path / "home").mkdir()
    done = run(tmp_path, real, home=str(tmp_path / "home"))
    assert done.code == 0, done.text
    assert "push refs/heads/gh-pages" in done.out
    assert branch(real) == 404


def test_publishing_sends_them(tmp_path: Path, real: GitHub):
    done = run(tmp_path, real, "--publish", "-s", f"GITHUB_TOKEN={real.token}")
    wanted = [
        "release | refs/heads/gh-pages",
        "…push refs/heads/gh-pages, at …: sent to …",
        "…push refs/tags/v9, at …: sent to …",
    ]
    assert not missing(wanted, done.out.splitlines()), done.text
    assert branch(real) == 200
    assert real.ask("GET", "/git/ref/tags/v9").status == 200
    assert real.token not in done.text


def test_what_the_job_may_not_do_is_not_sent(tmp_path: Path, real: GitHub):
    given = ("--publish", "-s", f"GITHUB_TOKEN={real.token}")
    done = run(tmp_path, real, *given, permission="read")
    assert done.code == 1
    denied = "release | remote: Permission to octo/demo.git denied to github-actions[bot]."
    assert not missing([denied], done.out.splitlines()), done.text
    assert branch(real) == 404


def test_a_buildspec_s_pushes_are_recorded(tmp_path: Path, real: GitHub):
    text = BUILDSPEC.replace("HELPER", "yes")
    done = run_file(Place(tmp_path), real, "buildspec.yml", text, "-W", "buildspec.yml")
    assert done.code == 0, done.text
    wanted = [
        "build | refs/heads/gh-pages",
        "…push refs/heads/gh-pages, at …: recorded here, not sent",
        "…push refs/tags/v9, at …: recorded here, not sent",
    ]
    assert not missing(wanted, done.out.splitlines()), done.text
    assert branch(real) == 404


def test_a_buildspec_s_pushes_are_sent_with_publish(tmp_path: Path, real: GitHub):
    text = BUILDSPEC.replace("HELPER", "yes")
    given = ("-W", "buildspec.yml", "--publish", "-s", f"GITHUB_TOKEN={real.token}")
    done = run_file(Place(tmp_path), real, "buildspec.yml", text, *given)
    assert done.code == 0, done.text
    assert branch(real) == 200
    assert real.token not in done.text


def test_a_buildspec_without_git_s_credentials_can_not_push(tmp_path: Path, real: GitHub):
    text = BUILDSPEC.replace("HELPER", "no")
    done = run_file(Place(tmp_path), real, "buildspec.yml", text, "-W", "buildspec.yml")
    assert done.code == 1
    denied = "build | remote: Permission to octo/demo.git denied to github-actions[bot]."
    assert not missing([denied], done.out.splitlines()), done.text


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run commands as somebody else")
def test_another_user_s_pushes_of_a_buildspec_are_recorded(real: GitHub):
    text = BUILDSPEC.replace("HELPER", "yes").replace("env:", "run-as: nobody\nenv:")
    # The source is root's: git of somebody else does not work in it.
    commands = "git checkout -q --orphan site"
    text = text.replace(
        commands, f"cd && git clone -q $CODEBUILD_SOURCE_REPO_URL site && cd site && {commands}"
    )
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        done = run_file(Place(Path(folder)), real, "buildspec.yml", text, "-W", "buildspec.yml")
    assert done.code == 0, done.text
    assert not missing(["…push refs/heads/gh-pages, at …: recorded…"], done.out.splitlines())
    assert branch(real) == 404
