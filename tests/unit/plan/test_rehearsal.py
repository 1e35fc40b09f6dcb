"""Occurrences and payloads made from a repository's facts, and payloads that are given."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given as example
from hypothesis import settings
from hypothesis import strategies as st

from tests.unit.plan.examples import BASE, BEFORE, COMMIT, FACTS, HEAD
from trunkline.plan.facts import EMPTY_TREE, ZERO_SHA, PushFacts, RepositoryFacts, Tag
from trunkline.plan.occurrence import EVENTS, Occurrence
from trunkline.plan.rehearsal import occurrence_of


def made(event: str, facts: RepositoryFacts = FACTS, **options) -> Occurrence:
    occurrence = occurrence_of(event, facts, **options)
    assert isinstance(occurrence, Occurrence)
    return occurrence


def test_push_is_what_pushing_now_would_start():
    push = made("push")
    assert (push.ref, push.sha, push.branch) == ("refs/heads/topic", HEAD, "topic")
    assert push.changed_files == ("new.py", "old.py", "src/app.py")
    assert push.message == COMMIT.message
    payload = push.payload
    assert (payload["before"], payload["after"]) == (BEFORE, HEAD)
    assert payload["created"] is False
    assert payload["deleted"] is False
    assert payload["forced"] is False
    assert payload["base_ref"] is None
    head = payload["head_commit"]
    assert head["id"] == HEAD
    assert head["author"] == {
        "name": "Ada Byron",
        "email": "ada@example.org",
        "username": "ada-byron",
    }
    assert head["timestamp"] == "2026-01-02T03:04:05+01:00"
    assert (head["added"], head["modified"], head["removed"]) == (
        ["new.py"],
        ["src/app.py"],
        ["old.py"],
    )
    assert head["url"] == f"https://github.com/octo/engine/commit/{HEAD}"
    assert payload["commits"] == [head]
    assert payload["compare"] == f"https://github.com/octo/engine/compare/{'b' * 12}...{'a' * 12}"
    assert payload["pusher"] == {"name": "ada", "email": "ada@example.org"}


def test_every_payload_names_the_repository_and_the_sender():
    payload = made("push").payload
    repository = payload["repository"]
    assert repository["full_name"] == "octo/engine"
    assert repository["default_branch"] == "main"
    assert repository["clone_url"] == "https://github.com/octo/engine.git"
    assert repository["ssh_url"] == "git@github.com:octo/engine.git"
    assert repository["html_url"] == "https://github.com/octo/engine"
    assert repository["owner"]["login"] == "octo"
    assert repository["visibility"] == "private"
    assert isinstance(repository["id"], int)
    assert payload["sender"]["login"] == "ada"
    assert payload["organization"]["login"] == "octo"


@pytest.mark.parametrize(
    ("spdx", "told"),
    [
        ("", None),
        ("MIT", ("mit", "MIT License", "MIT", "https://api.github.com/licenses/mit")),
        ("NOASSERTION", ("other", "Other", "NOASSERTION", None)),
    ],
)
def test_the_repository_has_its_license(spdx: str, told: tuple[str | None, ...] | None):
    found = made("push", msgspec.structs.replace(FACTS, license=spdx)).payload["repository"]
    document = found["license"]
    keys = ("key", "name", "spdx_id", "url")
    assert (tuple(document[key] for key in keys) if document else None) == told


def test_first_commit_is_compared_with_the_empty_tree():
    facts = msgspec.structs.replace(FACTS, push=PushFacts(commits=(COMMIT,)))
    payload = made("push", facts).payload
    assert payload["before"] == EMPTY_TREE
    assert payload["created"] is True


def test_repository_without_commits():
    notes = ("no commits yet",)
    facts = RepositoryFacts(
        owner="me", name="new", actor="me", head_ref="refs/heads/main", notes=notes
    )
    for event in EVENTS:
        occurrence = made(event, facts)
        assert occurrence.sha == ZERO_SHA, event
        assert occurrence.notes[0] == "no commits yet"
    assert made("push", facts).payload["head_commit"] is None


def test_detached_head_is_taken_for_the_default_branch():
    facts = msgspec.structs.replace(FACTS, head_ref="", detached=True)
    push = made("push", facts)
    assert push.ref == "refs/heads/main"
    assert "HEAD is detached" in push.notes[0]
    tag = msgspec.structs.replace(FACTS, head_ref="refs/tags/v2", detached=True)
    assert (made("push", tag).ref, made("push", tag).branch) == ("refs/tags/v2", "")


def test_pull_request():
    pull = made("pull_request")
    assert (pull.ref, pull.sha) == ("refs/pull/1/merge", HEAD)
    assert (pull.base_ref, pull.head_ref, pull.branch) == ("main", "topic", "main")
    assert pull.action == "opened"
    assert pull.changed_files == ("src/app.py",)
    payload = pull.payload
    request = payload["pull_request"]
    assert payload["number"] == request["number"] == 1
    assert request["title"] == "Teach it to count"
    assert request["body"] == "Up to ten."
    assert request["state"] == "open"
    assert request["draft"] is request["merged"] is False
    assert request["user"]["login"] == "ada"
    assert request["labels"] == []
    assert request["head"]["sha"] == request["merge_commit_sha"] == HEAD
    assert request["head"]["label"] == "octo:topic"
    assert request["head"]["repo"]["fork"] is False
    assert request["base"]["sha"] == BASE
    assert request["base"]["repo"]["full_name"] == "octo/engine"


@pytest.mark.parametrize(
    ("event", "ref", "action"),
    [
        ("pull_request_target", "refs/heads/main", "opened"),
        ("pull_request_review", "refs/pull/1/merge", "submitted"),
        ("schedule", "refs/heads/main", ""),
        ("issues", "refs/heads/main", "opened"),
        ("issue_comment", "refs/heads/main", "created"),
        ("workflow_run", "refs/heads/main", "completed"),
        ("repository_dispatch", "refs/heads/main", ""),
        ("workflow_dispatch", "refs/heads/topic", ""),
        ("workflow_call", "refs/heads/topic", ""),
        ("release", "refs/tags/v1.2.3", "published"),
        ("create", "refs/heads/topic", ""),
        ("delete", "refs/heads/main", ""),
        ("deployment", "refs/heads/topic", ""),
        ("deployment_status", "refs/heads/topic", ""),
        ("merge_group", f"refs/heads/gh-readonly-queue/main/pr-1-{BASE}", "checks_requested"),
    ],
)
def test_refs_of_events(event, ref, action):
    occurrence = made(event)
    assert (occurrence.ref, occurrence.action, occurrence.sha) == (ref, action, HEAD)


def test_what_payloads_of_other_events_hold():
    release = made("release").payload["release"]
    assert (release["tag_name"], release["draft"], release["prerelease"]) == (
        "v1.2.3",
        False,
        False,
    )
    assert release["upload_url"].endswith("/assets{?name,label}")
    run = made("workflow_run").payload["workflow_run"]
    assert (run["head_sha"], run["head_branch"], run["conclusion"]) == (HEAD, "topic", "success")
    assert run["head_commit"]["id"] == HEAD
    assert run["head_repository"]["full_name"] == "octo/engine"
    group = made("merge_group").payload["merge_group"]
    assert (group["head_sha"], group["base_ref"]) == (HEAD, "refs/heads/main")
    comment = made("issue_comment").payload
    assert comment["comment"]["author_association"] == "OWNER"
    assert comment["issue"]["number"] == 1
    assert made("repository_dispatch").payload["client_payload"] == {}
    assert made("deployment_status").payload["deployment_status"]["state"] == "success"
    assert made("check_run").payload["check_run"]["head_sha"] == HEAD


def test_notes_say_where_a_rehearsal_differs():
    assert made("schedule").notes == (
        "GitHub runs schedule on main with the files there; this run takes the files on disk",
    )
    assert made("release").notes == ("no tag stands on HEAD, so the release is taken to be v1.2.3",)
    tagged = msgspec.structs.replace(FACTS, latest_tag=Tag("v2", HEAD))
    assert made("release", tagged).notes == ()
    on_main = msgspec.structs.replace(FACTS, head_ref="refs/heads/main")
    assert made("schedule", on_main).notes == ()
    assert made("push").notes == ()


def test_a_given_payload_is_laid_over_the_made_one():
    given = {
        "action": "labeled",
        "pull_request": {"number": 7, "base": {"ref": "dev"}, "labels": [{"name": "bug"}]},
    }
    pull = made("pull_request", given=given)
    assert (pull.action, pull.ref, pull.base_ref) == ("labeled", "refs/pull/7/merge", "dev")
    assert pull.branch == "dev"
    assert pull.payload["pull_request"]["head"]["ref"] == "topic"
    assert pull.payload["pull_request"]["labels"] == [{"name": "bug"}]
    assert pull.payload["label"]["name"] == "label"


def test_a_given_push_names_its_ref_commit_and_files():
    given = {
        "ref": "refs/heads/other",
        "after": "e" * 40,
        "commits": [{"added": ["x"], "modified": ["b"], "removed": ["a"]}, {"added": ["x"]}],
        "head_commit": {"message": "wip [skip ci]"},
    }
    push = made("push", given=given)
    assert (push.ref, push.branch, push.sha) == ("refs/heads/other", "other", "e" * 40)
    assert push.changed_files == ("a", "b", "x")
    assert push.message == "wip [skip ci]"


def test_a_deletion_keeps_the_commit_on_disk():
    assert made("push", given={"after": ZERO_SHA, "deleted": True}).sha == HEAD


def test_a_merged_pull_request_stands_on_its_base():
    given = {"action": "closed", "pull_request": {"merged": True}}
    pull = made("pull_request", given=given)
    assert pull.ref == "refs/heads/main"
    assert pull.payload["pull_request"]["state"] == "closed"


def test_a_dispatch_is_given_by_its_request():
    given = {"event_type": "deploy", "client_payload": {"unit": False}}
    dispatch = made("repository_dispatch", given=given)
    assert (dispatch.action, dispatch.payload["action"]) == ("deploy", "deploy")
    assert dispatch.payload["client_payload"] == {"unit": False}
    workflow = made(
        "workflow_dispatch", given={"ref": "main", "inputs": {"a": 1, "b": 2}}, inputs={"b": "3"}
    )
    assert workflow.ref == "refs/heads/main"
    assert workflow.given_inputs == {"a": 1, "b": "3"}


def test_synchronize_tells_both_ends():
    pull = made("pull_request", given={"action": "synchronize"})
    assert (pull.payload["before"], pull.payload["after"]) == (BEFORE, HEAD)


def test_unknown_event():
    problems = occurrence_of("pul_request", FACTS)
    assert isinstance(problems, tuple)
    (problem,) = problems
    assert problem.message == "Unknown event 'pul_request'"
    assert problem.hint == "Did you mean 'pull_request'?"
    others = occurrence_of("zzz", FACTS)
    assert isinstance(others, tuple)
    assert others[0].hint.startswith("The events are: ")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    ["action", "ref", "after", "commits", "head_commit", "pull_request", "release", "inputs"]
)


@settings(deadline=None)
@example(st.sampled_from(sorted(EVENTS)), st.dictionaries(FIELDS, JSON, max_size=4))
def test_any_payload_makes_an_occurrence(event, given):
    occurrence = made(event, given=given)
    assert json.loads(json.dumps(occurrence.payload)) == occurrence.payload
    assert isinstance(occurrence.ref, str)
    assert isinstance(occurrence.sha, str)
