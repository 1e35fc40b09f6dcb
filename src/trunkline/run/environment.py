"""The environment of a step's process: its layers, outermost first (reference sections 3.9, 4.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

# The keys of the `github` context that become GITHUB_* variables; the token never does.
GITHUB_VARIABLES = frozenset(
    {
        *("action", "action_path", "action_ref", "action_repository", "actor", "actor_id"),
        *("api_url", "artifacts", "artifacts_list", "base_ref", "env", "event_name", "event_path"),
        *("graphql_url", "head_ref", "job", "output", "path", "ref", "ref_name", "ref_protected"),
        *("ref_type", "repository", "repository_id", "repository_owner", "repository_owner_id"),
        *("retention_days", "run_attempt", "run_id", "run_number", "server_url", "sha", "state"),
        *("step_summary", "triggering_actor", "workflow", "workflow_ref", "workflow_sha"),
        "workspace",
    }
)

# GitHub sets these unless the workflow does; ACT tells workflows that they run locally.
DEFAULTS = {"CI": "true", "GITHUB_ACTIONS": "true", "ACT": "true"}


def process_environment(
    *,
    base: Mapping[str, str],
    env: Mapping[str, str],
    github: Mapping[str, Any],
    runner: Mapping[str, Any],
    paths: Iterable[str] = (),
) -> dict[str, str]:
    """Return the whole environment of a process.

    `base` is the sandbox's; `env` the merged workflow, job, GITHUB_ENV and step layers; `github`
    and `runner` the contexts, which always win; `paths` the GITHUB_PATH folders, oldest first:
    the last one added comes first in PATH. Text after a NUL is cut: no process could get it.
    """
    whole = {**DEFAULTS, **base, **env, "GITHUB_ACTIONS": "true"}
    for name in GITHUB_VARIABLES & github.keys():
        _put(whole, f"GITHUB_{name.upper()}", github[name])
    for name, value in runner.items():
        _put(whole, f"RUNNER_{name.upper()}", value)
    whole["PATH"] = search_path(whole.get("PATH", ""), paths)
    return {name: value.partition("\0")[0] for name, value in whole.items() if "\0" not in name}


def search_path(path: str, paths: Iterable[str]) -> str:
    """Return `path` with the folders of GITHUB_PATH in front, the last one added first."""
    added = list(paths)[::-1]
    return ":".join([*added, path] if path else added)


def _put(whole: dict[str, str], name: str, value: Any) -> None:
    if isinstance(value, str):
        whole[name] = value
    elif isinstance(value, bool):
        whole[name] = "true" if value else "false"
    elif isinstance(value, int | float):
        whole[name] = f"{value:.15G}"
