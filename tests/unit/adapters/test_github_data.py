"""What GitHub's API tells of a repository that is not all here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repositories import git, repository
from trunkline.adapters.github_data.repository import ScratchGit
from trunkline.base.errors import NotFound


def test_the_tree_of_a_partial_clone_lacks_sizes(tmp_path: Path) -> None:
    whole = repository(tmp_path / "whole", {"a.txt": "content\n", "d/b.txt": "more\n"})
    git(whole, "config", "uploadpack.allowFilter", "true")
    url = whole.as_uri()
    git(tmp_path, "clone", "-q", "--bare", "--filter=blob:none", url, "part")
    part = tmp_path / "part"
    # A run's own repository borrows objects, and does not know where to ask for more.
    git(part, "remote", "remove", "origin")
    head = git(part, "rev-parse", "HEAD")
    data = ScratchGit(part)
    entries = data.tree(head, recursive=True)
    assert [(each.path, each.size) for each in entries] == [
        ("a.txt", None),
        ("d", None),
        ("d/b.txt", None),
    ]
    assert data.entry(head, "a.txt") == entries[0]
    with pytest.raises(NotFound):
        data.blob(entries[0].sha)
