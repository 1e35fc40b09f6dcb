"""Logging in to a registry for a job: its own engine socket is asked, as `docker login` asks."""

from __future__ import annotations

from trunkline.adapters.docker.wire import EngineRefused, Wire
from trunkline.ports.actions import ActionFailed, ActionJob
from trunkline.ports.containers import Login

# Stands in for a password in a rehearsal: what goes round the job's engine has no credentials.
REHEARSAL_TOKEN = "trunkline-rehearsal"  # noqa: S105 - it opens nothing
NO_ANSWER = 503


def ask_engine(job: ActionJob, login: Login) -> str | None:
    """Return the token that the job is to have instead of the password, '' for the password itself.

    In a rehearsal no registry is asked, and the job's proxy keeps the password for pulls. None when
    the job has no engine that answers. Raises ActionFailed in the engine's words.
    """
    path = job.sandbox.containers.socket()
    if not path:
        return None
    described = {
        "username": login.username,
        "password": login.password,
        "serveraddress": login.server or "https://index.docker.io/v1/",
    }
    try:
        found = Wire(f"unix://{path}", {}).call("POST", "/auth", body=described)
    except EngineRefused as error:
        if error.status == NO_ANSWER:
            return None
        raise ActionFailed(f"Error response from daemon: {error.message}") from error
    return str(found.get("IdentityToken") or "") if isinstance(found, dict) else ""
