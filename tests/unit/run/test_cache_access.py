"""Who may write caches."""

from __future__ import annotations

from typing import Any

import pytest

from trunkline.run.cache_access import cache_mode, is_trusted

MAIN = "refs/heads/main"


def github(event: str, ref: str = MAIN, **payload: Any) -> dict[str, Any]:
    return {
        "event_name": event,
        "ref": ref,
        "repository": "Octo/demo",
        "event": {"repository": {"default_branch": "main"}, **payload},
    }


def run_of(name: str) -> dict[str, Any]:
    return {"workflow_run": {"head_repository": {"full_name": name}}}


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (github("push"), True),
        (github("schedule"), True),
        (github("workflow_dispatch"), True),
        (github("repository_dispatch"), True),
        (github("pull_request", "refs/pull/7/merge"), True),
        (github("release", "refs/tags/v1"), True),
        (github("merge_group", "refs/heads/gh-readonly-queue/main/pr-7"), True),
        (github("pull_request_target"), False),
        (github("pull_request_target", "refs/heads/release"), True),
        (github("issue_comment"), False),
        (github("issues"), False),
        (github("watch"), False),
        (github("workflow_run", **run_of("octo/Demo")), True),
        (github("workflow_run", **run_of("stranger/demo")), False),
        (github("workflow_run", workflow_run={"head_repository": None}), False),
        (github("workflow_run"), False),
        ({"event_name": "issues", "ref": MAIN, "event": {}}, True),
        ({"event_name": "issues", "ref": MAIN}, True),
    ],
)
def test_who_may_write(context: dict[str, Any], expected: bool) -> None:  # noqa: FBT001
    assert is_trusted(context) is expected
    assert cache_mode("", context) == ("write" if expected else "read")
    assert cache_mode("none", context) == "none"
