"""Runs that are ended through the API, and how their tokens name their subject."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jwt
import msgspec
import pytest

from tests.actions_services import ask
from tests.github_api import ALL, GitHub, served
from trunkline.adapters.clock import FakeClock
from trunkline.adapters.journals.files import FileJournals
from trunkline.adapters.process_table import ask_to_stop
from trunkline.plan.model import Plan, Source
from trunkline.run.events import Conclusion, RunCompleted, RunStarted


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    with served(tmp_path) as found:
        yield found


def subject(github: GitHub) -> str:
    """Return the `sub` of a token that the job asks for."""
    url = github.access.scripts["ACTIONS_ID_TOKEN_REQUEST_URL"]
    bearer = github.access.scripts["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]
    answer = ask("GET", f"{url}&audience=me", headers={"authorization": f"Bearer {bearer}"})
    token = msgspec.json.decode(answer.body)["value"]
    found: str = jwt.decode(token, options={"verify_signature": False})["sub"]
    return found


def test_how_tokens_name_their_subject(tmp_path: Path):
    with served(tmp_path) as plain:
        job = msgspec.structs.replace(plain.job, permissions={**ALL, "id-token": "write"})
        plain.system.job_services.close(plain.job)
        access = plain.system.job_services.open(job)
        github = plain._replace(job=job, access=access, token=plain.system.job_services.token(job))
        place = "/actions/oidc/customization/sub"
        assert github.get(place)["use_default"] is True
        assert subject(github) == "repo:octo/demo:ref:refs/heads/main"
        new = {"use_default": False, "include_claim_keys": ["repo", "actor"]}
        assert github.done(github.ask("PUT", place, new), 201) == {}
        assert github.get(place) == {**new, "use_immutable_subject": False}
        assert subject(github) == "repo:octo/demo:actor:ada"
        github.done(github.ask("PUT", place, {"use_default": True}), 201)
        assert subject(github) == "repo:octo/demo:ref:refs/heads/main"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"use_default": False},
        {"use_default": False, "include_claim_keys": ["iss"]},
        {"use_default": False, "include_claim_keys": ["a:b"]},
        {"use_default": "no"},
    ],
)
def test_subjects_that_there_are_not(github: GitHub, body: dict[str, object]):
    assert github.ask("PUT", "/actions/oidc/customization/sub", body).status == 422
    assert github.get("/actions/oidc/customization/sub")["use_default"] is True


def begin(github: GitHub, run_id: str, *, ended: bool) -> FileJournals:
    """Write the journal of a run of this repository."""
    journals = FileJournals(github.system.settings.state, FakeClock(), github.system.settings.work)
    journal = journals.create(run_id)
    started = RunStarted(
        run_id=run_id,
        number=1,
        plan=Plan(
            source=Source(path="ci.yml", repository="octo/demo"), name="CI", event="push", jobs=()
        ),
        github={"repository": "octo/demo", "sha": github.head, "ref": "refs/heads/main"},
    )
    journal.append([started, *([RunCompleted(conclusion=Conclusion.SUCCESS)] if ended else [])], 0)
    return journals


@pytest.mark.parametrize("what", ["cancel", "force-cancel"])
def test_a_run_that_is_over_is_not_cancelled(github: GitHub, what: str):
    begin(github, "2001", ended=True)
    told = github.post(f"/actions/runs/2001/{what}", {}, 409)
    assert told["message"] == "Cannot cancel a workflow run that is completed."


@pytest.mark.parametrize("what", ["rerun", "rerun-failed-jobs"])
def test_runs_are_not_done_again_from_within(github: GitHub, what: str):
    begin(github, "2001", ended=True)
    told = github.post(f"/actions/runs/2001/{what}", {}, 403)
    assert told["message"].startswith("Unable to retry this workflow run because")
    begin(github, "2002", ended=False)
    told = github.post(f"/actions/runs/2002/{what}", {}, 403)
    assert told["message"] == "This workflow is already running"


@pytest.mark.parametrize("what", ["cancel", "force-cancel", "rerun", "rerun-failed-jobs"])
def test_runs_that_there_are_not(github: GitHub, what: str):
    github.post(f"/actions/runs/3/{what}", {}, 404)
    github.post("/actions/jobs/3/rerun", {}, 404)


@pytest.mark.parametrize("force", [False, True])
def test_an_engine_is_asked(force: bool):  # noqa: FBT001
    # It looks at its signals when it has time, not as they come.
    script = (
        "import signal\n"
        "wishes = {signal.SIGTERM, signal.SIGHUP}\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, wishes)\n"
        "print('ready', flush=True)\n"
        f"for _ in range({1 + force}): signal.sigwait(wishes)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as engine:
        assert engine.stdout is not None
        assert engine.stdout.readline() == "ready\n"
        ask_to_stop(engine.pid, force=force)
        assert engine.wait(60) == 0
    ask_to_stop(engine.pid, force=force)  # who has ended is asked in vain
