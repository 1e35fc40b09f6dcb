"""The github context and default run names."""

from __future__ import annotations

import msgspec
import pytest

from tests.unit.plan.examples import FACTS, HEAD, workflow
from trunkline.plan.contexts import RunIdentity, default_run_name, github_context
from trunkline.plan.occurrence import Occurrence
from trunkline.plan.rehearsal import occurrence_of
from trunkline.workflow.model import Trigger

CI = workflow(Trigger(event="push"))


def made(event: str, **given: object) -> Occurrence:
    occurrence = occurrence_of(event, FACTS, given=given)
    assert isinstance(occurrence, Occurrence)
    return occurrence


def test_push():
    context = github_context(made("push"), FACTS, CI, RunIdentity(run_id="17", number=3))
    assert context["event_name"] == "push"
    assert context["event"]["after"] == context["sha"] == context["workflow_sha"] == HEAD
    assert context["ref"] == "refs/heads/topic"
    assert context["ref_name"] == "topic"
    assert context["ref_type"] == "branch"
    assert context["ref_protected"] is False
    assert (context["base_ref"], context["head_ref"]) == ("", "")
    assert context["repository"] == "octo/engine"
    assert context["repository_owner"] == "octo"
    assert context["repositoryUrl"] == "git://github.com/octo/engine.git"
    assert context["workflow"] == ".github/workflows/ci.yml"
    assert context["workflow_ref"] == "octo/engine/.github/workflows/ci.yml@refs/heads/topic"
    assert context["actor"] == context["triggering_actor"] == "ada"
    for name in ("run_id", "run_number", "run_attempt", "retention_days", "actor_id"):
        assert isinstance(context[name], str), name
    assert (context["run_id"], context["run_number"], context["run_attempt"]) == ("17", "3", "1")
    assert "token" not in context


def test_pull_request_and_tag():
    pull = github_context(made("pull_request"), FACTS, CI, RunIdentity())
    assert (pull["ref"], pull["ref_name"]) == ("refs/pull/1/merge", "1/merge")
    assert (pull["base_ref"], pull["head_ref"]) == ("main", "topic")
    release = github_context(made("release"), FACTS, CI, RunIdentity())
    assert (release["ref_name"], release["ref_type"]) == ("v1.2.3", "tag")


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ("push", "Teach it to count"),
        ("pull_request", "Teach it to count"),
        ("pull_request_review", "Teach it to count"),
        ("release", "v1.2.3"),
        ("schedule", "Nightly"),
        ("workflow_dispatch", "Nightly"),
    ],
)
def test_run_names(event, name):
    named = msgspec.structs.replace(CI, name="Nightly")
    assert default_run_name(made(event), named) == name


def test_a_workflow_without_a_name_is_its_file():
    assert default_run_name(made("schedule"), CI) == ".github/workflows/ci.yml"
    dispatch = made("repository_dispatch", event_type="deploy")
    assert default_run_name(dispatch, CI) == "deploy"


@pytest.mark.parametrize(
    ("server", "api", "graphql"),
    [
        ("https://github.com", "https://api.github.com", "https://api.github.com/graphql"),
        ("https://git.example.com", "https://git.example.com/api/v3", "…/api/graphql"),
    ],
)
def test_a_server_of_one_s_own(server, api, graphql):
    facts = msgspec.structs.replace(FACTS, server_url=server)
    push = occurrence_of("push", facts)
    assert isinstance(push, Occurrence)
    github = github_context(push, facts, CI, RunIdentity())
    assert github["server_url"] == server
    assert github["api_url"] == api == push.payload["repository"]["url"].partition("/repos/")[0]
    assert github["graphql_url"] == graphql.replace("…", server)
