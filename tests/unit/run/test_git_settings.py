"""Settings of git for jobs, read by git itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.actions_services import job_of
from trunkline.app.job_services import git_settings
from trunkline.run.git_settings import as_file, as_variables, including

OURS = "http://127.0.0.1:8080"
LEADS = "http://x-access-token:ghs_a@127.0.0.1:8080"
JOB = replace(job_of(), github={"server_url": "https://github.com", "actor": "mona"})
SETTINGS = git_settings(JOB, OURS, ("ghs_a", "ghp_given"))


def told(home: Path, *args: str, env: dict[str, str] | None = None) -> str:
    """Return what git says in a HOME."""
    whole = {"PATH": os.environ["PATH"], "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", *args],
        cwd=home,
        env={**whole, **(env or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a HOME whose configuration includes the settings, and one that is not there."""
    file = tmp_path / 'a "folder"' / "services"
    file.parent.mkdir()
    file.write_bytes(as_file(SETTINGS))
    config = including(b"[user]\n\tname = me\n", (str(file), "/github/nowhere"))
    assert including(config, (str(file), "/github/nowhere")) == config
    (tmp_path / ".gitconfig").write_bytes(config)
    return tmp_path


@pytest.mark.parametrize(
    ("address", "led"),
    [
        ("https://github.com/octo/demo", f"{LEADS}/octo/demo"),
        ("https://mona:ghs_a@github.com/octo/demo.git", f"{LEADS}/octo/demo.git"),
        ("https://github.com/octo/other", f"{LEADS}/-/github.com/octo/other"),
        ("https://x-access-token:ghs_a@github.com/o/r.git", f"{LEADS}/-/github.com/o/r.git"),
        ("https://mona:ghs_a@github.com/o/r", f"{LEADS}/-/github.com/o/r"),
        ("https://ghs_a@github.com/o/r", f"{LEADS}/-/github.com/o/r"),
        ("https://git:ghp_given@github.com/o/r", LEADS.replace("ghs_a", "ghp_given")),
        ("https://mona:ghp_other@github.com/o/r", "https://mona:ghp_other@github.com/o/r"),
        ("https://gitlab.com/o/r", "https://gitlab.com/o/r"),
        ("git@github.com:o/r", "git@github.com:o/r"),
    ],
)
def test_where_addresses_lead(home: Path, address: str, led: str):
    assert told(home, "ls-remote", "--get-url", address).startswith(led)
    assert told(home, "config", "user.name") == "me"


def test_what_a_workflow_sets_itself_counts_but_for_its_own_repository(home: Path):
    theirs = "url.https://ghp_theirs@github.com/.insteadOf"
    told(home, "config", "--global", theirs, "https://github.com/")
    private = "https://github.com/octo/private"
    assert told(home, "ls-remote", "--get-url", private) == private.replace("//", "//ghp_theirs@")
    pushes = "url.git@github.com:.pushInsteadOf"
    told(home, "config", "--global", pushes, "https://github.com/")
    told(home, "init", "--quiet", ".")
    told(home, "remote", "add", "origin", f"https://github.com/{JOB.repository}.git")
    for flags in ((), ("--push",)):
        led = told(home, "remote", "get-url", *flags, "origin")
        assert led == f"{LEADS}/{JOB.repository}.git"


def test_variables_join_those_that_are_there(tmp_path: Path):
    given = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "a.b", "GIT_CONFIG_VALUE_0": "c"}
    env = {**given, **as_variables(SETTINGS, given)}
    assert told(tmp_path, "config", "a.b", env=env) == "c"
    led = told(tmp_path, "ls-remote", "--get-url", "https://github.com/o/r", env=env)
    assert led == f"{LEADS}/-/github.com/o/r"
    assert as_variables((), given) == {}
