"""What the tests of native actions share."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from tests.jobs import LocalJob
from tests.repositories import IDENTITY, commit, repository


@pytest.fixture
def sees_this_machine() -> bool:
    """Whether the job's processes see the folders of this machine: those of a container do not."""
    return True


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, sees_this_machine: bool) -> LocalJob:
    for name, value in IDENTITY.items():
        if name.startswith("GIT_CONFIG"):
            monkeypatch.setenv(name, value)
    made = LocalJob(tmp_path / "state", os.environ)
    made.layout = msgspec.structs.replace(made.layout, host_paths=sees_this_machine)
    return made


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = repository(tmp_path / "mine", {"a.txt": "1\n", "dir/b.sh": "#!/bin/sh\n"})
    (made / "dir/b.sh").chmod(0o755)
    commit(made, {".gitignore": "ignored\n*.log\n"}, "second")
    return made
