"""Environment and files, read once into a frozen Settings."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping

import msgspec


class Settings(msgspec.Struct, frozen=True):
    """What the machine and the user's environment say. Paths are absolute.

    `work` holds the workspaces of jobs: tools and tests choke on folders whose name begins with a
    dot (a web server that serves no dot files, a linter that skips them), and on long paths.
    `keep_days` is how long runs are kept; `cpus` the number of jobs that run at once by default.
    `container_memory` (bytes, 0: all there is) and `container_pids` limit each container of a job;
    `network_policy` is what these reach: `open`, `registry` or `none`. `github_api_url` is the API
    that `--publish` sends to; '' for that of the repository's server.
    """

    state: str
    work: str
    cache: str
    keep_days: int
    cpus: int
    architecture: str
    system: str
    is_ci: bool
    container_memory: int
    container_pids: int
    network_policy: str
    github_api_url: str
    environment: Mapping[str, str]


# What `platform.machine()` says -> GitHub's `runner.arch` (docs: contexts, runner context).
ARCHITECTURES = {
    "x86_64": "X64",
    "amd64": "X64",
    "i386": "X86",
    "i686": "X86",
    "aarch64": "ARM64",
    "arm64": "ARM64",
    "armv7l": "ARM",
}
SYSTEMS = {"Linux": "Linux", "Darwin": "macOS", "Windows": "Windows"}
KEEP_DAYS = 30
CONTAINER_PIDS = 4096
POLICIES = ("open", "registry", "none")


def read(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from `environment` (default: this process's).

    Folders follow the XDG base directory specification; `TRUNKLINE_STATE`, `TRUNKLINE_WORK`,
    `TRUNKLINE_CACHE` and `TRUNKLINE_KEEP_DAYS` overrule. `TRUNKLINE_CONTAINER_MEMORY` is in bytes,
    `TRUNKLINE_CONTAINER_PIDS` a number. Unreadable numbers count as not given; an unknown
    `TRUNKLINE_NETWORK_POLICY` counts as `none`, so that a slip opens nothing. `GITHUB_API_URL` is
    GitHub's own variable.
    """
    env = dict(os.environ) if environment is None else dict(environment)
    home = env.get("HOME") or os.path.expanduser("~")
    state = _folder(env, "TRUNKLINE_STATE", "XDG_STATE_HOME", f"{home}/.local/state")
    return Settings(
        state=state,
        work=_work(env, state),
        cache=_folder(env, "TRUNKLINE_CACHE", "XDG_CACHE_HOME", f"{home}/.cache"),
        keep_days=_number(env, "TRUNKLINE_KEEP_DAYS", KEEP_DAYS),
        cpus=os.cpu_count() or 1,
        architecture=ARCHITECTURES.get(platform.machine().lower(), "X64"),
        system=SYSTEMS.get(platform.system(), platform.system()),
        is_ci=env.get("CI", "").lower() == "true",
        container_memory=_number(env, "TRUNKLINE_CONTAINER_MEMORY", 0),
        container_pids=_number(env, "TRUNKLINE_CONTAINER_PIDS", CONTAINER_PIDS),
        network_policy=_choice(env, "TRUNKLINE_NETWORK_POLICY", POLICIES),
        github_api_url=env.get("GITHUB_API_URL", ""),
        environment=env,
    )


def _work(env: Mapping[str, str], state: str) -> str:
    """Return the folder of workspaces: the state's unless its path has a name with a dot."""
    if env.get("TRUNKLINE_WORK"):
        return os.path.abspath(env["TRUNKLINE_WORK"])
    hidden = any(part.startswith(".") for part in state.split("/"))
    return f"/var/tmp/trunkline-{os.getuid()}" if hidden else state  # noqa: S108 - owner checked


def _folder(env: Mapping[str, str], own: str, xdg: str, default: str) -> str:
    if env.get(own):
        return os.path.abspath(env[own])
    base = env[xdg] if env.get(xdg, "").startswith("/") else default
    return os.path.normpath(f"{base}/trunkline")


def _number(env: Mapping[str, str], name: str, default: int) -> int:
    written = env.get(name, "")
    return int(written) if written.isdecimal() else default


def _choice(env: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """Return a choice: the first when nothing is given, the last for what is none of them."""
    written = env.get(name, "").lower() or choices[0]
    return written if written in choices else choices[-1]
