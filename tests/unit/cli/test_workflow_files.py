"""Files of the repository that pipeline files name."""

from __future__ import annotations

from pathlib import Path

import pytest

from trunkline.base.errors import NotFound
from trunkline.cli.workflow_files import loader, workflow_files


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "secret.yml").write_text("password: x")
    root = tmp_path / "repository"
    (root / "ci").mkdir(parents=True)
    (root / "ci/build.yml").write_text("version: 0.2")
    (root / "ci/link.yml").symlink_to(tmp_path / "secret.yml")
    (root / "inner.yml").symlink_to("ci/build.yml")
    return root


@pytest.mark.parametrize("path", ["ci/build.yml", "./ci/../ci/build.yml", "inner.yml"])
def test_a_file_of_the_repository_is_read(repository, path):
    assert loader(str(repository))(path) == b"version: 0.2"


@pytest.mark.parametrize("path", ["../secret.yml", "ci/link.yml", "/etc/passwd", "ci", "none.yml"])
def test_what_lies_outside_of_the_repository_is_none_of_it(repository, path):
    assert loader(str(repository))(path) is None


def test_lint_reads_any_file_that_it_is_led_to(repository):
    assert loader(str(repository), inside=False)("../secret.yml") == b"password: x"


def test_several_files_and_folders_are_named(repository):
    (repository / "other.yml").write_text("on: push")
    found = workflow_files(str(repository), str(repository), ["other.yml", "ci", "ci/build.yml"])
    assert list(found)[:2] == ["other.yml", "ci/build.yml"]
    with pytest.raises(NotFound, match="There is no none"):
        workflow_files(str(repository), str(repository), ["ci", "none"])
