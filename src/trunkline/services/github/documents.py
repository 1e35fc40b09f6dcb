"""What GitHub's documents have in common: people, times, repositories, commits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from trunkline.plan.payloads import stable_id
from trunkline.ports.github_data import CommitObject, Signature
from trunkline.services.github.calls import Call, Document
from trunkline.services.github.refusals import invalid

BOT = "github-actions[bot]"
BOT_ID = 41898282
BOT_EMAIL = f"{BOT_ID}+{BOT}@users.noreply.github.com"
APP = {"id": 15368, "slug": "github-actions", "name": "GitHub Actions"}
PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")
UNVERIFIED = {"verified": False, "reason": "unsigned", "signature": None, "payload": None}


def when(seconds: float | None) -> str | None:
    """Return a time as GitHub writes it, whole seconds of UTC."""
    if not seconds:
        return None
    told = datetime.fromtimestamp(int(seconds), UTC).isoformat()
    return told.replace("+00:00", "Z")


def seconds_of(text: str) -> float | None:
    """Return the seconds since the epoch of a time in ISO 8601, None when it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def quoted(path: str) -> str:
    """Return a path as it stands in an address (RFC 3986)."""
    kept = (chr(byte) if chr(byte) in PLAIN else f"%{byte:02X}" for byte in path.encode())
    return "".join(kept)


def user(call: Call, login: str, kind: str = "User") -> Document:
    """Return an account."""
    name, server = login.removesuffix("[bot]"), call.page.removesuffix(f"/{call.repository}")
    number = BOT_ID if login == BOT else stable_id(login)
    return {
        "login": login,
        "id": number,
        "node_id": f"U_{number}",
        "avatar_url": f"{server}/{name}.png",
        "url": f"{call.api}/users/{login}",
        "html_url": f"{server}/{name}",
        "type": kind,
        "site_admin": False,
    }


def bot(call: Call) -> Document:
    """Return the account that a job's token acts as, or the user whose token it is."""
    if call.personal:
        return user(call, call.context("actor"))
    return user(call, BOT, "Bot")


def owner(call: Call) -> Document:
    """Return the repository's owner."""
    repository = told_repository(call)
    told = repository.get("owner")
    kind = told.get("type") if isinstance(told, Mapping) else None
    return user(call, call.repository.partition("/")[0], str(kind or "User"))


def told_repository(call: Call) -> Mapping[str, Any]:
    """Return what the event's payload tells of the repository."""
    found = call.event.get("repository")
    same = isinstance(found, Mapping) and found.get("full_name") == call.repository
    return found if same and isinstance(found, Mapping) else {}


def acting(call: Call) -> Signature:
    """Return who signs what a job's token writes."""
    return Signature(BOT, BOT_EMAIL, int(call.stores.clock.now()))


class Person(msgspec.Struct, frozen=True):
    """Who made a commit or a tag, and when, as requests say it."""

    name: str
    email: str
    date: str = ""


def signed(call: Call, by: Person | None) -> Signature:
    """Return who a commit or a tag shall be by: `by`, else who acts. Raises Refused."""
    if by is None:
        return acting(call)
    at = seconds_of(by.date) if by.date else call.stores.clock.now()
    if at is None:
        raise invalid("Commit", "date", "invalid")
    return Signature(by.name, by.email, int(at))


def git_person(by: Signature) -> Document:
    """Return who made a commit, as git knows it."""
    return {"name": by.name, "email": by.email, "date": when(by.at) or "1970-01-01T00:00:00Z"}


def account(call: Call, by: Signature) -> Document | None:
    """Return the account behind an e-mail address of GitHub's, None for any other."""
    local, at, host = by.email.partition("@")
    if not at or host != "users.noreply.github.com":
        return None
    login = local.rpartition("+")[2]
    return user(call, login, "Bot" if login.endswith("[bot]") else "User")


def commit_summary(call: Call, commit: CommitObject) -> Document:
    """Return a commit as lists have it."""
    url = f"{call.url}/commits/{commit.sha}"
    return {
        "sha": commit.sha,
        "node_id": f"C_{commit.sha}",
        "url": url,
        "html_url": f"{call.page}/commit/{commit.sha}",
        "comments_url": f"{url}/comments",
        "commit": {
            "author": git_person(commit.author),
            "committer": git_person(commit.committer),
            "message": commit.message,
            "tree": {"sha": commit.tree, "url": f"{call.url}/git/trees/{commit.tree}"},
            "url": f"{call.url}/git/commits/{commit.sha}",
            "comment_count": 0,
            "verification": UNVERIFIED,
        },
        "author": account(call, commit.author),
        "committer": account(call, commit.committer),
        "parents": [
            {
                "sha": parent,
                "url": f"{call.url}/commits/{parent}",
                "html_url": f"{call.page}/commit/{parent}",
            }
            for parent in commit.parents
        ],
    }
