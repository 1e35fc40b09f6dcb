"""An occurrence made from what is on disk: what GitHub would have if this were there.

The code under test is the code on disk, so `github.sha` is HEAD for every event, unless a payload
that was given says otherwise; refs are the ones GitHub documents for the event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trunkline.base.diagnostics import Diagnostic
from trunkline.base.words import nearest
from trunkline.plan.facts import RepositoryFacts
from trunkline.plan.occurrence import EVENTS, EventRule, Occurrence, field, short_ref, text_field
from trunkline.plan.payloads import head_branch, head_ref, lay_over, make_payload, release_tag

_ZEROS = frozenset("0")


def occurrence_of(
    event: str,
    facts: RepositoryFacts,
    *,
    given: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
) -> Occurrence | tuple[Diagnostic, ...]:
    """Return the occurrence of `event` in a repository, or what is wrong with the request.

    `given` is a payload, laid over the one made from the facts; its refs and shas count. `inputs`
    are those of workflow_dispatch and workflow_call by name, as text or typed.
    """
    rule = EVENTS.get(event)
    if rule is None:
        return (_unknown_event(event),)
    asked = given or {}
    action = _action(event, rule, asked)
    payload = lay_over(make_payload(event, action, facts), asked)
    if event == "repository_dispatch" and action:
        payload["action"] = action
    ref = _ref(event, rule, payload, facts)
    pull = "pull_request" in payload
    return Occurrence(
        event=event,
        action=action,
        ref=ref,
        sha=_sha(payload) or facts.head_sha,
        base_ref=text_field(payload, "pull_request", "base", "ref"),
        head_ref=text_field(payload, "pull_request", "head", "ref"),
        branch=_branch(ref, payload),
        changed_files=facts.pull.changed_files if pull else _changed_files(asked, facts),
        commits=len(facts.pull.commits) if pull else len(facts.push.commits),
        message=_message(payload, facts),
        payload=payload,
        given_inputs=_given_inputs(asked, inputs or {}),
        notes=_notes(event, rule, ref, facts),
    )


def _unknown_event(event: str) -> Diagnostic:
    slip = nearest(event, EVENTS)
    hint = f"Did you mean '{slip}'?" if slip else f"The events are: {', '.join(EVENTS)}."
    return Diagnostic(rule="unknown-event", message=f"Unknown event '{event}'", hint=hint)


def _action(event: str, rule: EventRule, given: Mapping[str, Any]) -> str:
    """Return the activity type; a repository_dispatch has only what is given."""
    if event == "repository_dispatch":
        return text_field(given, "action") or text_field(given, "event_type")
    return text_field(given, "action") or rule.action


def _ref(event: str, rule: EventRule, payload: Mapping[str, Any], facts: RepositoryFacts) -> str:
    """Return GITHUB_REF (GitHub: events that trigger workflows)."""
    default = f"refs/heads/{text_field(payload, 'repository', 'default_branch')}"
    match rule.place:
        case "head":
            return _head_ref(event, payload, facts)
        case "pull" if field(payload, "pull_request", "merged") is True:
            return f"refs/heads/{text_field(payload, 'pull_request', 'base', 'ref')}"
        case "pull":
            number = field(payload, "pull_request", "number") or payload.get("number")
            return f"refs/pull/{number}/merge"
        case "tag":
            return f"refs/tags/{text_field(payload, 'release', 'tag_name')}"
        case "queue":
            return text_field(payload, "merge_group", "head_ref")
        case _:
            return default


def _head_ref(event: str, payload: Mapping[str, Any], facts: RepositoryFacts) -> str:
    """Return the ref that was pushed, chosen, created or deployed, in full."""
    if event in {"deployment", "deployment_status"}:
        name = text_field(payload, "deployment", "ref")
    else:
        name = text_field(payload, "ref")
    if name.startswith("refs/") or not name:
        return name or head_ref(facts)
    kind = "tags" if payload.get("ref_type") == "tag" else "heads"
    return f"refs/{kind}/{name}"


_SHA_FIELDS = (
    ("pull_request", "merge_commit_sha"),
    ("merge_group", "head_sha"),
    ("deployment", "sha"),
    ("after",),
)


def _sha(payload: Mapping[str, Any]) -> str:
    """Return the commit that a payload names, '' when it names none (a deletion names zeros)."""
    for path in _SHA_FIELDS:
        sha = text_field(payload, *path)
        if sha and not set(sha) <= _ZEROS:
            return sha
    return ""


def _branch(ref: str, payload: Mapping[str, Any]) -> str:
    """Return what `branches` tests."""
    for path in (("pull_request", "base", "ref"), ("workflow_run", "head_branch")):
        if branch := text_field(payload, *path):
            return branch
    if base := text_field(payload, "merge_group", "base_ref"):
        return short_ref(base)
    return short_ref(ref) if ref.startswith("refs/heads/") else ""


def _changed_files(given: Mapping[str, Any], facts: RepositoryFacts) -> tuple[str, ...] | None:
    """Return a push's changed files: those of the commits given, else the repository's."""
    commits = given.get("commits")
    if not isinstance(commits, list):
        return facts.push.changed_files
    names = {
        name
        for commit in commits
        for kind in ("added", "modified", "removed")
        for name in field(commit, kind) or ()
        if isinstance(name, str)
    }
    return tuple(sorted(names))


def _message(payload: Mapping[str, Any], facts: RepositoryFacts) -> str:
    """Return the head commit's message."""
    own = facts.head.message if facts.head else ""
    return text_field(payload, "head_commit", "message") or own


def _given_inputs(given: Mapping[str, Any], inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    below = given.get("inputs")
    return {**(below if isinstance(below, Mapping) else {}), **inputs}


def _notes(event: str, rule: EventRule, ref: str, facts: RepositoryFacts) -> tuple[str, ...]:
    """Say where a rehearsal differs from what GitHub would have."""
    notes = list(facts.notes)
    if facts.head is not None and not facts.head_ref:
        notes.append(f"HEAD is detached, so github.ref is the default branch, {ref}")
    default = f"refs/heads/{facts.default_branch}"
    if rule.place == "default" and ref == default and head_branch(facts) != facts.default_branch:
        notes.append(
            f"GitHub runs {event} on {facts.default_branch} with the files there;"
            " this run takes the files on disk"
        )
    if rule.place == "tag" and ref == f"refs/tags/{release_tag(facts)}" and not _at_head(facts):
        notes.append(f"no tag stands on HEAD, so the release is taken to be {short_ref(ref)}")
    return tuple(notes)


def _at_head(facts: RepositoryFacts) -> bool:
    tag = facts.latest_tag
    return facts.head_ref.startswith("refs/tags/") or (
        tag is not None and tag.sha == facts.head_sha
    )
