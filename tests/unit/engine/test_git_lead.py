"""git's configuration in a job's HOME: settings are added to it, unless it is too large to be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.jobs import LocalJob
from trunkline.base.errors import Unavailable
from trunkline.engine.git_lead import CONFIG, IN_JOB, GitLead
from trunkline.run.step_files import FILE_LIMIT

SETTINGS = (("url.http://127.0.0.1/.insteadOf", "https://github.com/"),)


@pytest.fixture
def job(tmp_path: Path) -> LocalJob:
    return LocalJob(tmp_path / "state", os.environ)


def test_settings_are_included_once(job: LocalJob) -> None:
    config = Path(job.layout.home, CONFIG)
    config.write_text("[user]\n\tname = me\n")
    lead = GitLead(job.sandbox, job.layout)
    lead.lead(SETTINGS, contained=False)
    written = config.read_text()
    assert "name = me" in written
    assert f"{job.layout.temp}/{IN_JOB}" in written
    lead.lead(SETTINGS, contained=True)
    assert config.read_text() == written


def test_a_configuration_that_is_too_large_stays_as_it_is(job: LocalJob) -> None:
    config = Path(job.layout.home, CONFIG)
    config.touch()
    os.truncate(config, FILE_LIMIT + 1024)
    with pytest.raises(Unavailable, match=r"\.gitconfig can't lead git .* it holds 16385k\."):
        GitLead(job.sandbox, job.layout).lead(SETTINGS, contained=False)
    assert config.stat().st_size == FILE_LIMIT + 1024
