"""Runs that go on, ended from within; runs that are over stay as they are."""

from __future__ import annotations

from trunkline.services.github import runs
from trunkline.services.github.calls import Answer, Call, Reply
from trunkline.services.github.refusals import Refused

RUNNING = "This workflow is already running"
OVER = "Cannot cancel a workflow run that is completed."
NOT_AGAIN = (
    "Unable to retry this workflow run because it was performed by a machine of its own: "
    "`trunkline run` starts it again."
)


def cancel(call: Call) -> Answer:
    """Ask a run to stop, as `trunkline cancel` does."""
    return _cancelled(call, force=False)


def force_cancel(call: Call) -> Answer:
    """Have a run stop, whatever its steps' conditions say."""
    return _cancelled(call, force=True)


def rerun(call: Call) -> Answer:
    """Refuse to do a run, its failed jobs or one of its jobs again."""
    if "run" in call.path:
        run = runs.find(call)
    else:
        run, _ = runs.find_job(call)
    raise Refused(403, RUNNING if run.conclusion is None else NOT_AGAIN)


def _cancelled(call: Call, *, force: bool) -> Answer:
    run = runs.find(call)
    engine = call.stores.journals.open(run.run_id).writer()
    if run.conclusion is not None or engine is None:
        raise Refused(409, OVER)
    call.stores.stop(engine, force=force)
    return Reply({}, 202)
