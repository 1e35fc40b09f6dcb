"""Tools that this machine keeps as GitHub's runners do: found there, and never written to."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.jobs import LocalJob, world
from trunkline.adapters.actions.setup_node.action import SetupNode
from trunkline.adapters.actions.setup_python import interpreters
from trunkline.adapters.actions.setup_python.action import SetupPython
from trunkline.adapters.actions.setup_uv import SetupUv
from trunkline.adapters.toolchains import node as nodes
from trunkline.adapters.toolchains.node import NodeToolchain
from trunkline.adapters.toolkit.tool_caches import tool_caches
from trunkline.adapters.toolkit.world import World

MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture(autouse=True)
def nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide what else this machine has."""
    monkeypatch.setattr(nodes, "_MACHINE_PLACES", ())
    monkeypatch.setattr(interpreters, "_MACHINE_PLACES", ())


def program(path: Path, said: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\necho {said}\n", encoding="utf-8")
    path.chmod(0o755)


def own_tools(root: Path) -> None:
    """Make a user's tool cache: two nodes, this Python, a uv."""
    for version in ("20.1.0", "22.3.0"):
        prefix = root / f"node/{version}/x64"
        program(prefix / "bin/node", f"v{version}")
        (prefix / "lib/node_modules/npm/bin").mkdir(parents=True)
        (prefix / "lib/node_modules/npm/bin/npm-cli.js").touch()
    python = root / f"Python/{MINOR}.0/x64/bin/python{MINOR}"
    python.parent.mkdir(parents=True)
    python.symlink_to(Path(sys.executable).resolve())
    program(root / "uv/0.9.1/x86_64/uv", "uv 0.9.1")
    (root / "uv/0.9.1/x86_64/uvx").touch()


def content(root: Path) -> dict[str, str]:
    """Return what lies below a folder, and what links say."""
    return {
        str(path.relative_to(root)): str(path.readlink()) if path.is_symlink() else path.read_text()
        for path in root.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def machine(tmp_path: Path, variable: str) -> World:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), variable: f"{tmp_path}/own"}
    chain = NodeToolchain(tmp_path / "cache", environment, offline=True)
    return world(tmp_path, tmp_path, toolchains=chain, environment=environment, offline=True)


@pytest.mark.parametrize(
    ("environment", "folders"),
    [
        ({}, ()),
        ({"RUNNER_TOOL_CACHE": "/a"}, ("/a",)),
        ({"RUNNER_TOOL_CACHE": "/a", "AGENT_TOOLSDIRECTORY": " /b "}, ("/b", "/a")),
        ({"RUNNER_TOOL_CACHE": "here", "AGENT_TOOLSDIRECTORY": ""}, ()),
        ({"AGENT_TOOLSDIRECTORY": "/opt/hostedtoolcache"}, ()),
    ],
)
def test_which_folders(environment: Mapping[str, str], folders: tuple[str, ...]) -> None:
    assert tool_caches(environment) == (*folders, "/opt/hostedtoolcache")


@pytest.mark.parametrize("variable", ["RUNNER_TOOL_CACHE", "AGENT_TOOLSDIRECTORY"])
def test_tools_of_the_user_s_own_are_used_and_stay_as_they_are(
    tmp_path: Path, variable: str
) -> None:
    own_tools(tmp_path / "own")
    before = content(tmp_path / "own")
    here = machine(tmp_path, variable)
    job = LocalJob(tmp_path / "state", {"PATH": "/usr/bin:/bin"})
    SetupNode(here).main(job.call("actions/setup-node@v6", {}, node_version="20.1.0"), job)
    assert job.shell("node --version") == "v20.1.0"
    python = job.call("actions/setup-python@v6", {}, python_version=MINOR)
    SetupPython(here).main(python, job)
    assert job.outputs["python-version"].startswith(f"{MINOR}.")
    uv = job.call("astral-sh/setup-uv@v7", {}, version="0.9", enable_cache="false")
    SetupUv(here).main(uv, job)
    assert job.outputs["uv-version"] == "0.9.1"
    own = Path(job.layout.tool_cache)
    assert not any(Path(path).is_relative_to(tmp_path / "own") for path in job.paths)
    assert {path.name for path in own.glob("*/*/*.complete")} == {"x64.complete", "x86_64.complete"}
    assert content(tmp_path / "own") == before


def test_links_to_tools_of_the_user_s_own_are_not_written_through(tmp_path: Path) -> None:
    own_tools(tmp_path / "own")
    before = content(tmp_path / "own")
    here = machine(tmp_path, "RUNNER_TOOL_CACHE")
    job = LocalJob(tmp_path / "state", {"PATH": "/usr/bin:/bin"})
    version = ".".join(str(part) for part in sys.version_info[:3])
    arch = job.layout.arch.lower()
    links = {
        f"node/20.1.0/{arch}": "node/20.1.0/x64",
        f"Python/{version}/{arch}": f"Python/{MINOR}.0/x64",
        "uv/0.9.1/x86_64": "uv/0.9.1/x86_64",
    }
    for name, target in links.items():
        link = Path(job.layout.tool_cache, name)
        link.parent.mkdir(parents=True)
        link.symlink_to(tmp_path / "own" / target)
    SetupNode(here).main(job.call("actions/setup-node@v6", {}, node_version="20.1.0"), job)
    call = job.call("actions/setup-python@v6", {}, python_version=version)
    SetupPython(here).main(call, job)
    uv = job.call("astral-sh/setup-uv@v7", {}, version="0.9", enable_cache="false")
    SetupUv(here).main(uv, job)
    assert content(tmp_path / "own") == before
    for name in links:
        assert not Path(job.layout.tool_cache, name).is_symlink()
