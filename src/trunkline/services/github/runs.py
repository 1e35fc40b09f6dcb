"""Workflow runs of this machine, their jobs and logs."""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.base.errors import Corrupt, NotFound
from trunkline.plan.payloads import stable_id
from trunkline.run.events import Conclusion
from trunkline.services import runs
from trunkline.services.actions.signed_urls import READ
from trunkline.services.github.calls import Answer, Call, Document, Listing, Redirect, Reply
from trunkline.services.github.documents import commit_summary, told_repository, user, when
from trunkline.services.github.downloads import LOGS
from trunkline.services.github.refusals import not_found
from trunkline.services.github.repositories import repository

# As far back as runs are listed.
MOST_RUNS = 200


def every(call: Call) -> Answer:
    """List the runs, newest first."""
    return Listing([_run(call, run) for run in _runs(call) if _fits(call, run)], "workflow_runs")


def of_workflow(call: Call) -> Answer:
    """List the runs of a workflow."""
    wanted = str(call.path["workflow"])
    found = [
        _run(call, run)
        for run in _runs(call)
        if wanted in {str(_workflow_id(call, run)), run.file, run.file.rpartition("/")[2]}
        and _fits(call, run)
    ]
    return Listing(found, "workflow_runs")


def get(call: Call) -> Answer:
    """Return a run."""
    return Reply(_run(call, find(call)))


def jobs(call: Call) -> Answer:
    """List a run's jobs."""
    run = find(call)
    return Listing([_job(call, run, job) for job in run.jobs.values()], "jobs")


def job(call: Call) -> Answer:
    """Return a job."""
    run, found = find_job(call)
    return Reply(_job(call, run, found))


def job_log(call: Call) -> Answer:
    """Lead to a job's log."""
    run, found = find_job(call)
    place = f"{run.run_id}-{job_id(run, found)}"
    return Redirect(call.stores.urls.url(call.origin, call.job, READ, LOGS, place))


def run_log(call: Call) -> Answer:
    """Lead to an archive of the logs of a run's jobs."""
    run = find(call)
    return Redirect(call.stores.urls.url(call.origin, call.job, READ, LOGS, run.run_id))


def find(call: Call) -> runs.RunView:
    """Return the run that a path names. Raises Refused."""
    run_id = str(call.path["run"])
    try:
        found = runs.view(run_id, call.stores.journals.open(run_id).read())
    except (NotFound, Corrupt) as error:
        raise not_found() from error
    if found.repository.lower() != call.repository.lower():
        raise not_found()
    return found


def job_id(run: runs.RunView, job: runs.JobView) -> int:
    """Return the number that stands for a job."""
    return stable_id(f"{run.run_id}/{job.key}")


def _runs(call: Call) -> Iterator[runs.RunView]:
    for run in runs.listed(call.stores.journals, MOST_RUNS):
        if run.repository.lower() == call.repository.lower():
            yield run


def find_job(call: Call) -> tuple[runs.RunView, runs.JobView]:
    """Return the job that a path names, and its run. Raises Refused."""
    wanted = int(call.path["job"])
    for run in _runs(call):
        for found in run.jobs.values():
            if job_id(run, found) == wanted:
                return run, found
    raise not_found()


def _fits(call: Call, run: runs.RunView) -> bool:
    query = call.query
    status = query.get("status", "")
    return (
        query.get("event", run.event) == run.event
        and query.get("branch", _branch(call, run)) == _branch(call, run)
        and query.get("head_sha", run.sha) == run.sha
        and status in {"", _status(run.conclusion, started=True), run.conclusion or ""}
    )


def _branch(call: Call, run: runs.RunView) -> str:
    """Return the branch that a run is of; that of a pull request is known of the run itself."""
    if run.run_id == call.job.run_id and call.context("head_ref"):
        return call.context("head_ref")
    return run.ref.removeprefix("refs/heads/").removeprefix("refs/tags/")


def _workflow_id(call: Call, run: runs.RunView) -> int:
    return stable_id(f"{call.repository}/{run.file}")


def _status(conclusion: Conclusion | None, *, started: bool) -> str:
    if conclusion is not None:
        return "completed"
    return "in_progress" if started else "queued"


def _run(call: Call, run: runs.RunView) -> Document:
    url, page = f"{call.url}/actions/runs/{run.run_id}", f"{call.page}/actions/runs/{run.run_id}"
    workflow = _workflow_id(call, run)
    actor = user(call, call.context("actor"))
    return {
        "id": int(run.run_id),
        "node_id": f"WFR_{run.run_id}",
        "name": run.workflow or run.file,
        "display_title": run.name,
        "head_branch": _branch(call, run),
        "head_sha": run.sha,
        "head_commit": _head(call, run.sha),
        "head_repository": {"full_name": call.repository, "id": told_repository(call).get("id")},
        "path": run.file,
        "run_number": run.number,
        "run_attempt": 1,
        "event": run.event,
        "status": _status(run.conclusion, started=True),
        "conclusion": run.conclusion,
        "workflow_id": workflow,
        "check_suite_id": stable_id(f"suite/{run.sha}"),
        "url": url,
        "html_url": page,
        "pull_requests": [],
        "created_at": when(run.started),
        "updated_at": when(run.ended or run.started),
        "run_started_at": when(run.started),
        "actor": actor,
        "triggering_actor": actor,
        "jobs_url": f"{url}/jobs",
        "logs_url": f"{url}/logs",
        "artifacts_url": f"{url}/artifacts",
        "cancel_url": f"{url}/cancel",
        "rerun_url": f"{url}/rerun",
        "workflow_url": f"{call.url}/actions/workflows/{workflow}",
        "repository": repository(call),
    }


def _head(call: Call, sha: str) -> Document | None:
    try:
        commit = call.git.commit(call.git.resolve(sha))
    except NotFound:
        return None
    told = commit_summary(call, commit)["commit"]
    return {
        "id": sha,
        "tree_id": commit.tree,
        "message": commit.message,
        "timestamp": when(commit.committer.at),
        "author": {"name": told["author"]["name"], "email": told["author"]["email"]},
        "committer": {"name": told["committer"]["name"], "email": told["committer"]["email"]},
    }


def _job(call: Call, run: runs.RunView, job: runs.JobView) -> Document:
    key = job_id(run, job)
    page = f"{call.page}/actions/runs/{run.run_id}/job/{key}"
    return {
        "id": key,
        "node_id": f"CR_{key}",
        "run_id": int(run.run_id),
        "run_attempt": 1,
        "run_url": f"{call.url}/actions/runs/{run.run_id}",
        "url": f"{call.url}/actions/jobs/{key}",
        "html_url": page,
        "check_run_url": f"{call.url}/check-runs/{key}",
        "name": job.name,
        "workflow_name": run.workflow or run.file,
        "head_sha": run.sha,
        "head_branch": _branch(call, run),
        "status": _status(job.conclusion, started=bool(job.started)),
        "conclusion": job.conclusion,
        "created_at": when(job.started or run.started),
        "started_at": when(job.started or run.started),
        "completed_at": when(job.ended),
        "labels": [],
        "runner_id": None,
        "runner_name": None,
        "steps": [_step(step) for step in job.steps.values()],
    }


def _step(step: runs.StepView) -> Document:
    ended = step.started + step.milliseconds / 1000 if step.conclusion is not None else None
    return {
        "number": step.number,
        "name": step.name,
        "status": _status(step.conclusion, started=True),
        "conclusion": step.conclusion,
        "started_at": when(step.started),
        "completed_at": when(ended),
    }
