"""What starts a workflow: events, types, refs, paths, skips; and the filter that decided."""

from __future__ import annotations

import msgspec
import pytest

from tests.unit.plan.examples import workflow
from trunkline.plan.occurrence import EVENTS, Occurrence
from trunkline.plan.triggers import NotTriggered, Triggered, decide_trigger, skip_mark
from trunkline.workflow.events import EVENTS as WRITABLE_EVENTS
from trunkline.workflow.model import Schedule, Trigger

MAIN = Occurrence(event="push", ref="refs/heads/main", branch="main", changed_files=("src/a.py",))
TAG = Occurrence(event="push", ref="refs/tags/v1", changed_files=("src/a.py",))
PULL = Occurrence(
    event="pull_request",
    action="opened",
    ref="refs/pull/1/merge",
    branch="main",
    base_ref="main",
    head_ref="topic",
    changed_files=("docs/x.md",),
)


def decide(trigger: Trigger, occurrence: Occurrence):
    return decide_trigger(workflow(trigger), occurrence)


def push(**filters) -> Trigger:
    return Trigger(event="push", **filters)


@pytest.mark.parametrize(
    ("trigger", "occurrence", "runs", "reason"),
    [
        (push(), MAIN, True, "push of branch 'main'"),
        (push(), TAG, True, "push of tag 'v1'"),
        (push(branches=("main",)), MAIN, True, "branch 'main' matches branches"),
        (push(branches=("dev", "rel/**")), MAIN, False, "none of branches: dev, rel/**"),
        (push(branches=("**", "!main")), MAIN, False, "none of branches: **, !main"),
        (push(branches_ignore=("main",)), MAIN, False, "matches branches-ignore: main"),
        (push(branches_ignore=("dev",)), MAIN, True, "nothing in branches-ignore"),
        (push(branches=("main",)), TAG, False, "a tag was pushed, and only branches are given"),
        (push(branches_ignore=("x",)), TAG, False, "only branches-ignore are given"),
        (push(tags=("v*",)), TAG, True, "tag 'v1' matches tags"),
        (push(tags=("v*",)), MAIN, False, "a branch was pushed, and only tags are given"),
        (push(tags=("v2*",), branches=("main",)), TAG, False, "tag 'v1' matches none of tags"),
        (push(tags=("v2*",), branches=("main",)), MAIN, True, "matches branches"),
        (push(tags_ignore=("v1",)), TAG, False, "tag 'v1' matches tags-ignore"),
        (push(paths=("src/**",)), MAIN, True, "'src/a.py' matches paths"),
        (push(paths=("docs/**",)), MAIN, False, "no changed file (1) matches paths: docs/**"),
        (push(paths=("**", "!src/**")), MAIN, False, "no changed file"),
        (push(paths=("docs/**",)), TAG, True, "push of tag"),
        (
            push(paths_ignore=("src/**",)),
            MAIN,
            False,
            "every changed file (1) matches paths-ignore",
        ),
        (push(paths_ignore=("docs/**",)), MAIN, True, "'src/a.py' matches nothing in paths-ignore"),
        (push(paths=("docs/**",), branches=("main",)), MAIN, False, "matches paths: docs/**"),
        (push(paths=("**",), branches=("dev",)), MAIN, False, "none of branches: dev"),
        (push(), PULL, False, "'on' has no pull_request, only push"),
        (Trigger(event="pull_request", branches=("main",)), PULL, True, "branch 'main' matches"),
        (Trigger(event="pull_request", branches=("topic",)), PULL, False, "none of branches"),
        (Trigger(event="pull_request", paths=("src/**",)), PULL, False, "matches paths: src/**"),
        (Trigger(event="pull_request", types=("closed",)), PULL, False, "not in types: closed"),
        (Trigger(event="pull_request", types=("opened",)), PULL, True, "from 'topic' to 'main'"),
    ],
)
def test_filters(trigger, occurrence, runs, reason):
    decision = decide(trigger, occurrence)
    assert isinstance(decision, Triggered) is runs
    assert reason in decision.reason


def test_pull_requests_have_default_types_and_others_have_all():
    closed = msgspec.structs.replace(PULL, action="closed")
    decision = decide(Trigger(event="pull_request"), closed)
    assert decision == NotTriggered(
        "type 'closed' is not one of the default types: opened, synchronize, reopened"
    )
    issue = Occurrence(event="issues", action="transferred", branch="main")
    assert isinstance(decide(Trigger(event="issues"), issue), Triggered)


@pytest.mark.parametrize(
    "message",
    [
        "fix [skip ci]",
        "[ci skip] fix",
        "a\n\n[no ci]",
        "[skip actions]",
        "[actions skip]",
        "fix\n\nskip-checks: true",
        "fix\n\nskip-checks:true\n",
        "fix\n\nSigned-off-by: x\nskip-checks:true",
    ],
)
def test_skips(message):
    for occurrence in (MAIN, PULL):
        skipped = msgspec.structs.replace(occurrence, message=message)
        decision = decide(Trigger(event=occurrence.event), skipped)
        assert isinstance(decision, NotTriggered)
        assert "the head commit's message says" in decision.reason
    target = Occurrence(event="pull_request_target", action="opened", message=message)
    assert isinstance(decide(Trigger(event="pull_request_target"), target), Triggered)


@pytest.mark.parametrize(
    "message", ["skip ci", "fix", "skip-checks: true", "x\n\nno skip-checks:true"]
)
def test_does_not_skip(message):
    expected = "skip-checks: true" if message == "skip-checks: true" else None
    assert skip_mark(message) == expected


def test_only_the_first_300_files_count():
    files = (*(f"a/{number:03}" for number in range(300)), "src/x")
    occurrence = msgspec.structs.replace(MAIN, changed_files=files)
    decision = decide(push(paths=("src/**",)), occurrence)
    assert "no file among the first 300 of 301 changed ones" in decision.reason
    assert isinstance(decide(push(paths=("a/299",)), occurrence), Triggered)


def test_unknown_files_and_many_commits_run():
    unknown = msgspec.structs.replace(MAIN, changed_files=None)
    assert isinstance(decide(push(paths=("docs/**",)), unknown), Triggered)
    many = msgspec.structs.replace(MAIN, commits=1001)
    assert isinstance(decide(push(paths=("docs/**",)), many), Triggered)


def test_nothing_changed():
    nothing = msgspec.structs.replace(MAIN, changed_files=())
    assert isinstance(decide(push(), nothing), Triggered)
    assert "nothing has changed" in decide(push(paths=("**",)), nothing).reason


def test_schedule_chooses_its_entry():
    schedules = (Schedule("0 3 * * *"), Schedule("0 4 * * *"))
    trigger = Trigger(event="schedule", schedules=schedules)
    unsaid = Occurrence(event="schedule")
    assert "cron '0 3 * * *', the first of 2" in decide(trigger, unsaid).reason
    said = Occurrence(event="schedule", payload={"schedule": "0 4 * * *"})
    assert "cron '0 4 * * *'" in decide(trigger, said).reason
    other = Occurrence(event="schedule", payload={"schedule": "1 1 * * *"})
    assert decide(trigger, other) == NotTriggered("no entry is '1 1 * * *': 0 3 * * *, 0 4 * * *")


def test_workflow_run_names_and_branches():
    trigger = Trigger(event="workflow_run", workflows=("Build",), branches=("main",))
    payload = {"workflow_run": {"name": "Build"}}
    occurrence = Occurrence(
        event="workflow_run", action="completed", branch="main", payload=payload
    )
    assert isinstance(decide(trigger, occurrence), Triggered)
    other = msgspec.structs.replace(occurrence, payload={"workflow_run": {"name": "Test"}})
    assert "workflow 'Test' is not in workflows: Build" in decide(trigger, other).reason
    dev = msgspec.structs.replace(occurrence, branch="dev")
    assert "branch 'dev' matches none of branches" in decide(trigger, dev).reason
    malformed = msgspec.structs.replace(occurrence, payload={"workflow_run": None})
    assert isinstance(decide(trigger, malformed), Triggered)


def test_repository_dispatch_types_are_free():
    trigger = Trigger(event="repository_dispatch", types=("deploy", "test"))
    asked = Occurrence(event="repository_dispatch", action="test")
    assert isinstance(decide(trigger, asked), Triggered)
    unsaid = Occurrence(event="repository_dispatch")
    assert "type deploy, the first of its types" in decide(trigger, unsaid).reason
    other = Occurrence(event="repository_dispatch", action="other")
    assert "type 'other' is not in types: deploy, test" in decide(trigger, other).reason


def test_image_versions_are_filtered_by_pattern():
    trigger = Trigger(event="image_version", names=("win*",), versions=("2.*",))
    payload = {"image_version": {"name": "windows", "version": "2.1"}}
    occurrence = Occurrence(event="image_version", action="ready", payload=payload)
    assert isinstance(decide(trigger, occurrence), Triggered)
    old = {"image_version": {"name": "windows", "version": "1.0"}}
    decision = decide(trigger, msgspec.structs.replace(occurrence, payload=old))
    assert decision == NotTriggered("'1.0' matches none of versions: 2.*")


def test_every_event_that_can_be_written_can_happen():
    assert set(EVENTS) == set(WRITABLE_EVENTS)
