"""What tokens may do in runs of pull requests from forks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from trunkline.run.token_access import granted

WRITTEN = {"contents": "write", "issues": "read", "packages": "none", "id-token": "write"}
FORK = {"contents": "read", "issues": "read", "packages": "none", "id-token": "none"}


def github(name: str, pull: Mapping[str, Any] | None) -> dict[str, object]:
    event = {} if pull is None else {"pull_request": pull}
    return {"event_name": name, "repository": "octo/demo", "event": event}


def head(repo: object) -> dict[str, object]:
    return {"head": {"ref": "topic", "repo": repo}}


@pytest.mark.parametrize("name", ["pull_request", "pull_request_review"])
@pytest.mark.parametrize(
    "repo", [{"full_name": "mallory/demo"}, {"full_name": "octo/demo2"}, {}, None]
)
def test_a_fork_writes_nothing(name: str, repo: object):
    assert granted(WRITTEN, github(name, head(repo))) == FORK


@pytest.mark.parametrize(
    ("name", "pull"),
    [
        ("pull_request", head({"full_name": "Octo/Demo"})),
        (
            "pull_request",
            {**head({"full_name": "other/name"}), "base": {"repo": {"full_name": "Other/Name"}}},
        ),
        ("pull_request", {"head": {"ref": "topic"}}),
        ("pull_request", {"head": None}),
        ("pull_request", None),
        ("pull_request_target", head({"full_name": "mallory/demo"})),
        ("push", head({"full_name": "mallory/demo"})),
    ],
)
def test_others_have_what_is_written(name: str, pull: Mapping[str, Any] | None):
    assert granted(WRITTEN, github(name, pull)) == WRITTEN
