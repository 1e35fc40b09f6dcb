"""The `cache` input of setup-python (actions/setup-python `src/cache-distributions`)."""

from __future__ import annotations

import re

from trunkline.adapters.toolkit.caching import JobCaches, keep_for_post
from trunkline.adapters.toolkit.files import hash_files, read_text
from trunkline.adapters.toolkit.inputs import Inputs
from trunkline.ports.actions import ActionCall, ActionFailed, ActionJob
from trunkline.ports.caches import Caches

# What each manager's cache depends on when nothing is said.
_FILES = {"pip": "**/requirements.txt", "pipenv": "**/Pipfile.lock", "poetry": "**/poetry.lock"}
_ELSE = "**/pyproject.toml"


def restore(inputs: Inputs, version: str, caches: Caches, call: ActionCall, job: ActionJob) -> None:
    """Restore a package manager's cache. Raises ActionFailed."""
    manager = inputs.text("cache")
    if manager not in _FILES:
        raise ActionFailed(f"Caching for '{manager}' is not supported")
    patterns = inputs.text("cache-dependency-path") or _FILES[manager]
    digest = hash_files(job, patterns)
    if not digest and manager == "pip":
        digest = hash_files(job, _ELSE)
    if not digest:
        files = ",".join(patterns.split("\n")) + (f" or {_ELSE}" if manager == "pip" else "")
        raise ActionFailed(
            f"No file in {job.layout.workspace} matched to [{files}], make sure you have checked "
            "out the target repository"
        )
    prefix = _prefix(manager, version, job)
    key, paths = f"{prefix}-{digest}", _paths(manager, job)
    restore_keys = [prefix] if manager == "pip" else []
    matched = JobCaches.of(caches, call, job).restore(paths, key, restore_keys)
    keep_for_post(paths, key, matched, job)
    job.set_output("cache-hit", "true" if matched == key else "false")
    job.log(f"Cache restored from key: {matched}" if matched else f"{manager} cache is not found")


def system_name(job: ActionJob) -> str:
    """Return the operating system's name and version, as the action tells them."""
    facts = _release(job)
    return f"{facts.get('ID', 'this operating system')} {facts.get('VERSION_ID', '')}".strip()


def _prefix(manager: str, version: str, job: ActionJob) -> str:
    facts = _release(job)
    system = f"-{facts.get('VERSION_ID', '')}-{facts.get('ID', '')}" if facts else ""
    where = f"{job.layout.os}-{job.layout.arch.lower()}{system}"
    return f"setup-python-{where}-python-{version}-{manager}"


def _release(job: ActionJob) -> dict[str, str]:
    lines = (read_text(job, "/etc/os-release") or "").splitlines()
    return {name: value.strip('"') for name, _, value in (line.partition("=") for line in lines)}


def _paths(manager: str, job: ActionJob) -> list[str]:
    if manager == "pipenv":
        return ["~/.local/share/virtualenvs"]
    command = (
        ["pip", "cache", "dir"] if manager == "pip" else ["poetry", "config", "virtualenvs.path"]
    )
    code, told = job.capture(command)
    lines = [line for line in told.split("\n") if re.match(r"[/~]", line)]
    if code or not lines:
        raise ActionFailed(f"Could not get cache folder path for {manager} package manager")
    return [lines[-1].strip()]
