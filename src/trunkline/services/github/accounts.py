"""Accounts: who a token acts as, who others are, and what they may do."""

from __future__ import annotations

from trunkline.services.github.calls import Answer, Call, Reply
from trunkline.services.github.documents import owner, user
from trunkline.services.github.refusals import NOT_ACCESSIBLE, Refused


def me(call: Call) -> Answer:
    """Return whose token it is; a job's own is nobody's (as GitHub answers)."""
    if not call.personal:
        raise Refused(403, NOT_ACCESSIBLE)
    actor = user(call, call.context("actor"))
    return Reply({**actor, "name": call.context("actor"), "email": None})


def get(call: Call) -> Answer:
    """Return an account."""
    login = str(call.path["login"])
    if login.lower() == call.repository.partition("/")[0].lower():
        return Reply(owner(call))
    found = user(call, login, "Bot" if login.endswith("[bot]") else "User")
    return Reply({**found, "name": None, "email": None})


def permission(call: Call) -> Answer:
    """Return what an account may do: whoever started the run, and the owner, may write."""
    login = str(call.path["login"])
    trusted = {call.context("actor").lower(), call.repository.partition("/")[0].lower()}
    level = "admin" if login.lower() in trusted else "read"
    return Reply({"permission": level, "role_name": level, "user": user(call, login)})


def installation(_call: Call) -> Answer:
    """Refuse: this end point is an app's, with a token that the app signs."""
    raise Refused(401, "A JSON web token could not be decoded")
