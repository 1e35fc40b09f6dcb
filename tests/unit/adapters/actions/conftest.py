"""What the tests of native actions share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.jobs import LocalJob
from tests.repositories import IDENTITY, commit, repository


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
