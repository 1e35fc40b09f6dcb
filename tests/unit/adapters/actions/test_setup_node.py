"""setup-node: the version that is meant, and a place of the job's own for what npm installs."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.jobs import LocalJob, world
from tests.repositories import write
from trunkline.adapters.actions.setup_node.action import SetupNode
from trunkline.adapters.actions.setup_node.versions import as_range
from trunkline.adapters.clock import FakeClock
from trunkline.adapters.toolkit.world import World
from trunkline.base.errors import Unavailable
from trunkline.ports.actions import ActionFailed
from trunkline.ports.toolchains import NodeProgram

GITHUB: dict[str, Any] = {
    "ref": "refs/heads/main",
    "repository": "octo/demo",
    "repository_owner": "Octo",
}
NOVEMBER_2026 = 1_795_000_000.0
NPM_WITH_NEWS = """#!/bin/sh
echo /home/me/.npm
[ "$npm_config_update_notifier" = false ] || echo 'npm notice New major version' >&2
"""


class FakeToolchains:
    """Nodes as a table; `npm` is the machine's own, so that it runs."""

    def __init__(self, *versions: str, registry: tuple[str, ...] = ()) -> None:
        node = shutil.which("node") or ""
        npm = str(Path(shutil.which("npm") or "").resolve().parents[1])
        self.known = [NodeProgram(version=v, path=node, npm=npm) for v in versions]
        self.registry = registry
        self.asked: list[str] = []

    def node(self, major: int) -> str:
        return next(n.path for n in self.known if n.version.startswith(f"{major}."))

    def nodes(self) -> tuple[NodeProgram, ...]:
        return tuple(self.known)

    def install_node(self, versions: str) -> NodeProgram:
        self.asked.append(versions)
        if not self.registry:
            raise Unavailable("the npm registry can't be had.")
        return NodeProgram(version=self.registry[0], path=self.known[0].path)


@pytest.fixture
def job(tmp_path: Path) -> LocalJob:
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("node and npm are not here")
    made = LocalJob(tmp_path / "state", os.environ)
    # Else npm tells of a newer one, in the run that asks for it: once a week or so.
    made.env["npm_config_update_notifier"] = "false"
    return made


def place(tmp_path: Path, chains: FakeToolchains | None = None) -> World:
    chains = chains or FakeToolchains("20.2.0", "18.1.0", "20.10.0", "22.1.0")
    return world(tmp_path, tmp_path, toolchains=chains, clock=FakeClock(NOVEMBER_2026))


def set_up(where: World, job: LocalJob, uses: str = "x@v6", **inputs: str) -> None:
    SetupNode(where).main(job.call(uses, GITHUB, **inputs), job)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("20", "20.10.0"),
        ("20.x", "20.10.0"),
        ("v18", "18.1.0"),
        (">=18 <22", "20.10.0"),
        ("20.2.0", "20.2.0"),
        ("lts/jod", "22.1.0"),
        ("lts/-2", "22.1.0"),
        ("latest", "22.1.0"),
        ("^18 || ^20", "20.10.0"),
    ],
)
def test_versions(tmp_path: Path, job: LocalJob, text: str, version: str) -> None:
    set_up(place(tmp_path), job, node_version=text)
    assert job.paths == [f"{job.layout.tool_cache}/node/{version}/{job.layout.arch.lower()}/bin"]


@pytest.mark.parametrize(
    ("date", "newest"), [("2026-11", 26), ("2026-09", 24), ("2025-11", 24), ("2027-11", 26)]
)
def test_lts_goes_with_time(date: str, newest: int) -> None:
    year, month = (int(part) for part in date.split("-"))
    seconds = (year - 1970 + month / 12) * 365.25 * 86400 - 5 * 86400
    assert as_range("lts/*", seconds) == str(newest)
    assert as_range("lts/-1", seconds) == str(newest - 2)


def test_npm_installs_into_the_job(tmp_path: Path, job: LocalJob) -> None:
    write(
        tmp_path / "tool",
        {
            "package.json": json.dumps(
                {"name": "tool", "version": "1.0.0", "bin": {"my-tool": "cli.js"}}
            ),
            "cli.js": "#!/usr/bin/env node\nconsole.log(42)\n",
        },
    )
    (tmp_path / "tool/cli.js").chmod(0o755)
    set_up(place(tmp_path), job, node_version="20")
    prefix = str(Path(job.paths[0]).parent)
    assert job.shell("npm config get prefix").split("\n")[-1] == prefix
    assert job.shell("command -v npm") == f"{prefix}/bin/npm"
    job.shell(f"npm install -g --offline --install-links {tmp_path}/tool")
    assert job.shell("my-tool") == "42"
    assert job.shell("command -v my-tool") == f"{prefix}/bin/my-tool"
    assert job.outputs["node-version"] == job.shell("node --version")


def test_nothing_asked_for_is_the_node_on_path(tmp_path: Path, job: LocalJob) -> None:
    set_up(place(tmp_path), job)
    assert job.paths == []
    assert job.outputs["node-version"] == job.shell("node --version")


def test_what_is_not_here_is_installed(tmp_path: Path, job: LocalJob) -> None:
    chains = FakeToolchains("20.2.0", registry=("16.20.2",))
    set_up(place(tmp_path, chains), job, node_version="16")
    assert chains.asked == ["16"]
    assert "/node/16.20.2/" in job.paths[0]


def test_the_latest_is_asked_for(tmp_path: Path, job: LocalJob) -> None:
    chains = FakeToolchains("20.2.0", registry=("20.19.5",))
    set_up(place(tmp_path, chains), job, node_version="20", check_latest="true")
    assert "/node/20.19.5/" in job.paths[0]


def test_a_missing_version_names_those_that_are_here(tmp_path: Path, job: LocalJob) -> None:
    with pytest.raises(ActionFailed) as caught:
        set_up(place(tmp_path), job, node_version="16")
    assert str(caught.value).startswith("Unable to find Node version '16' for platform linux")
    assert str(caught.value).endswith("Versions of node here: 18.1.0, 20.2.0, 20.10.0, 22.1.0.")


@pytest.mark.parametrize("text", ["lts/none", "stable-ish"])
def test_what_is_no_version(tmp_path: Path, job: LocalJob, text: str) -> None:
    with pytest.raises(ActionFailed, match=text):
        set_up(place(tmp_path), job, node_version=text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".nvmrc", "v20.2.0\n"),
        (".node-version", "20.2.0"),
        (".tool-versions", "python 3.11\nnodejs 20.2.0\n"),
        ("mise.toml", '[tools]\nnode = "20.2.0"\n'),
        ("mise.toml", '[tools]\nnode = { version = "20.2.0" }\n'),
        ("package.json", '{"engines": {"node": "<=20.2.0 >=20"}}'),
        ("package.json", '{"volta": {"node": "20.2.0"}, "engines": {"node": "18"}}'),
        ("package.json", '{"devEngines": {"runtime": [{"name": "node", "version": "20.2.0"}]}}'),
        ("package.json", '{"volta": {"extends": "../base.json"}}'),
    ],
)
def test_version_files(tmp_path: Path, job: LocalJob, name: str, text: str) -> None:
    write(job.workspace, {f"sub/{name}": text, "base.json": '{"volta": {"node": "20.2.0"}}'})
    set_up(place(tmp_path), job, node_version_file=f"sub/{name}")
    assert "/node/20.2.0/" in job.paths[0]


def test_a_missing_version_file(tmp_path: Path, job: LocalJob) -> None:
    with pytest.raises(ActionFailed, match=r"\.nvmrc does not exist"):
        set_up(place(tmp_path), job, node_version_file=".nvmrc")


def test_a_registry(tmp_path: Path, job: LocalJob) -> None:
    job.env["NODE_AUTH_TOKEN"] = "from-a-secret"  # noqa: S105
    set_up(place(tmp_path), job, registry_url="https://registry.example.org", scope="@Mine")
    path = Path(job.layout.temp, ".npmrc")
    assert path.read_text(encoding="utf-8") == (
        "//registry.example.org/:_authToken=${NODE_AUTH_TOKEN}\n"
        "@mine:registry=https://registry.example.org/\n"
    )
    assert job.exported["NPM_CONFIG_USERCONFIG"] == str(path)
    assert job.exported["NODE_AUTH_TOKEN"] == "from-a-secret"  # noqa: S105
    assert (
        job.shell("npm config get @mine:registry").split("\n")[-1]
        == "https://registry.example.org/"
    )


def test_github_packages_has_the_owner_s_scope(tmp_path: Path, job: LocalJob) -> None:
    set_up(place(tmp_path), job, registry_url="https://npm.pkg.github.com")
    assert "@octo:registry=" in Path(job.layout.temp, ".npmrc").read_text(encoding="utf-8")
    assert "NODE_AUTH_TOKEN" not in job.exported


class TestCache:
    """`cache` and its keys."""

    def test_miss_then_hit(self, tmp_path: Path, job: LocalJob) -> None:
        where = place(tmp_path)
        write(job.workspace, {"package-lock.json": "{}"})
        set_up(where, job, cache="npm")
        assert job.outputs["cache-hit"] == "false"
        key = job.outputs["cache-primary-key"]
        assert key.startswith(f"node-cache-Linux-{job.layout.arch.lower()}-npm-")
        SetupNode(where).post(job.call("x@v6", GITHUB), job)
        assert job.lines[-1] == f"Cache saved with the key: {key}"
        set_up(where, job, cache="npm")
        assert (job.outputs["cache-hit"], job.outputs["cache-matched-key"]) == ("true", key)
        SetupNode(where).post(job.call("x@v6", GITHUB), job)
        assert job.lines[-1] == f"Cache hit occurred on the primary key {key}, not saving cache."

    def test_a_newer_npm_is_no_folder(self, tmp_path: Path, job: LocalJob) -> None:
        del job.env["npm_config_update_notifier"]
        write(job.workspace, {"package-lock.json": "{}", "bin/npm": NPM_WITH_NEWS})
        (job.workspace / "bin/npm").chmod(0o755)
        job.env["PATH"] = f"{job.workspace}/bin:{job.env['PATH']}"
        set_up(place(tmp_path), job, cache="npm")
        assert job.state["cache-paths"] == "/home/me/.npm"

    @pytest.mark.parametrize(("uses", "cached"), [("x@v4", False), ("x@v6", True)])
    def test_by_itself_since_v5(
        self, tmp_path: Path, job: LocalJob, uses: str, *, cached: bool
    ) -> None:
        write(
            job.workspace, {"package-lock.json": "", "package.json": '{"packageManager": "npm@11"}'}
        )
        set_up(place(tmp_path), job, uses)
        assert ("cache-primary-key" in job.outputs) is cached

    @pytest.mark.parametrize(
        ("inputs", "message"),
        [
            ({"cache": "bun"}, "Caching for 'bun' is not supported"),
            ({"cache": "npm"}, "Dependencies lock file is not found in"),
            ({"cache": "npm", "cache_dependency_path": "x/*"}, "Some specified paths were not"),
        ],
    )
    def test_mistakes(
        self, tmp_path: Path, job: LocalJob, inputs: dict[str, str], message: str
    ) -> None:
        with pytest.raises(ActionFailed, match=message):
            set_up(place(tmp_path), job, **inputs)
