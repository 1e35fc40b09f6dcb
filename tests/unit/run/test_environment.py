"""The layers of a step's environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trunkline.run.environment import process_environment, search_path


def environment(
    base: Mapping[str, str] | None = None,
    env: Mapping[str, str] | None = None,
    github: Mapping[str, Any] | None = None,
    runner: Mapping[str, Any] | None = None,
    paths: Sequence[str] = (),
) -> dict[str, str]:
    return process_environment(
        base=base or {}, env=env or {}, github=github or {}, runner=runner or {}, paths=paths
    )


def test_contexts_win_over_everything():
    found = environment(
        base={"GITHUB_SHA": "base", "RUNNER_OS": "base"},
        env={"GITHUB_SHA": "step", "RUNNER_TEMP": "step"},
        github={"sha": "abc"},
        runner={"os": "Linux", "temp": "/t"},
    )
    assert found["GITHUB_SHA"] == "abc"
    assert (found["RUNNER_OS"], found["RUNNER_TEMP"]) == ("Linux", "/t")


def test_the_workflow_may_set_ci_but_not_github_actions():
    assert environment()["CI"] == "true"
    assert environment(env={"CI": "false"})["CI"] == "false"
    assert environment(env={"GITHUB_ACTIONS": "no"})["GITHUB_ACTIONS"] == "true"
    assert environment()["ACT"] == "true"


def test_the_token_and_the_event_are_no_variables():
    found = environment(github={"token": "t", "event": {}, "ref_protected": False, "run_id": "7"})
    assert "GITHUB_TOKEN" not in found
    assert "GITHUB_EVENT" not in found
    assert found["GITHUB_REF_PROTECTED"] == "false"
    assert found["GITHUB_RUN_ID"] == "7"


def test_empty_refs_are_empty_variables():
    found = environment(github={"base_ref": "", "head_ref": ""})
    assert (found["GITHUB_BASE_REF"], found["GITHUB_HEAD_REF"]) == ("", "")


def test_the_last_folder_added_comes_first():
    assert environment(base={"PATH": "/bin"}, paths=["/a", "/b"])["PATH"] == "/b:/a:/bin"
    assert search_path("", ["/a"]) == "/a"


def test_a_step_may_set_path():
    assert environment(base={"PATH": "/bin"}, env={"PATH": "/x"}, paths=["/a"])["PATH"] == "/a:/x"


def test_no_variable_holds_a_nul():
    found = environment(env={"a": "x\0y", "b\0": "z"})
    assert found["a"] == "x"
    assert not any("\0" in name for name in found)
