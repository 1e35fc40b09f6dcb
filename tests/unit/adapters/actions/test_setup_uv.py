"""setup-uv: which uv, and what the job gets of it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.jobs import LocalJob, world
from tests.repositories import write
from trunkline.adapters.actions.setup_uv import SetupUv
from trunkline.adapters.toolkit.world import World
from trunkline.ports.actions import ActionFailed

GITHUB: dict[str, Any] = {"ref": "refs/heads/main", "repository": "octo/demo"}
# A program that says it is uv, and makes environments as empty folders.
SCRIPT = """#!/bin/sh
case $1 in
  --version) echo "uv {version} (abc 2026-01-01)" ;;
  venv) mkdir -p "$2/bin"; echo "$@" > "$2/asked" ;;
  python) command -v python3 ;;
esac
"""


def make_uv(folder: Path, version: str) -> None:
    folder.mkdir(parents=True)
    for name in ("uv", "uvx"):
        (folder / name).write_text(SCRIPT.replace("{version}", version), encoding="utf-8")
        (folder / name).chmod(0o755)


@pytest.fixture
def place(tmp_path: Path) -> World:
    make_uv(tmp_path / "bin", "0.5.3")
    for version in ("0.4.30", "0.6.1"):
        make_uv(tmp_path / f"cache/uv/{version}/bin", version)
    environment = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "HOME": str(tmp_path)}
    return world(tmp_path, tmp_path, environment=environment, offline=True)


@pytest.fixture
def job(tmp_path: Path) -> LocalJob:
    return LocalJob(tmp_path / "state", {"PATH": os.environ["PATH"]})


def set_up(place: World, job: LocalJob, **inputs: str) -> str:
    """Set uv up; return its version."""
    SetupUv(place).main(job.call("astral-sh/setup-uv@v7", GITHUB, **inputs), job)
    return job.outputs["uv-version"]


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("", "0.5.3"),
        ("latest", "0.5.3"),
        ("0.4.30", "0.4.30"),
        ("0.4.x", "0.4.30"),
        (">=0.4", "0.6.1"),
        (">=0.4,<0.6", "0.5.3"),
        ("~=0.4.1", "0.4.30"),
        ("==0.6.1", "0.6.1"),
        ("~=0.4", "0.6.1"),
    ],
)
def test_versions(place: World, job: LocalJob, text: str, version: str) -> None:
    assert set_up(place, job, version=text) == version
    uv = f"{job.layout.tool_cache}/uv/{version}/x86_64/uv"
    assert (job.outputs["uv-path"], job.outputs["uvx-path"]) == (uv, f"{uv}x")
    assert job.shell("command -v uv") == uv
    assert job.shell("uv --version").startswith(f"uv {version}")
    assert f"{job.layout.home}/.local/bin" in job.paths


@pytest.mark.parametrize(
    ("inputs", "name", "text"),
    [
        ({}, "uv.toml", 'required-version = "==0.4.30"'),
        ({}, "pyproject.toml", '[tool.uv]\nrequired-version = "<0.5"'),
        ({"version_file": ".tool-versions"}, ".tool-versions", "uv 0.4.30\n"),
        ({"version_file": "dev.txt"}, "dev.txt", "tox\nuv==0.4.30 \\\n  --hash=x\n"),
        ({"version_file": "uv.lock"}, "uv.lock", '[[package]]\nname="uv"\nversion="0.4.30"\n'),
    ],
)
def test_version_files(
    place: World, job: LocalJob, inputs: dict[str, str], name: str, text: str
) -> None:
    write(job.workspace, {f"sub/{name}": text})
    assert set_up(place, job, working_directory="sub", **inputs) == "0.4.30"


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"version": "0.9.9"}, r"uv==0\.9\.9 is not here, .* Versions here: 0\.5\.3, 0\.4\.30, 0"),
        ({"version": "newest"}, "'newest' is no version of uv"),
        ({"version_file": "none"}, "Could not find file"),
    ],
)
def test_mistakes(place: World, job: LocalJob, inputs: dict[str, str], message: str) -> None:
    with pytest.raises(ActionFailed, match=message):
        set_up(place, job, **inputs)


def test_an_active_environment(place: World, job: LocalJob) -> None:
    set_up(place, job, activate_environment="true", venv_path="my env", no_project="true")
    made = str(job.workspace / "my env")
    assert job.outputs["venv"] == job.exported["VIRTUAL_ENV"] == made
    assert job.paths[0] == f"{made}/bin"
    asked = (job.workspace / "my env/asked").read_text(encoding="utf-8")
    assert asked == f"venv {made} --directory {job.workspace} --clear --no-project\n"


def test_a_python(place: World, job: LocalJob) -> None:
    set_up(place, job, python_version="3.12")
    assert job.exported["UV_PYTHON"] == job.outputs["python-version"] == "3.12"
    other = subprocess.run(["python3", "--version"], check=True, capture_output=True, text=True)
    set_up(place, job)
    assert f"Python {job.outputs['python-version']}" == other.stdout.strip()


def test_folders(place: World, job: LocalJob) -> None:
    set_up(place, job, tool_dir="/t", tool_bin_dir="/b", cache_local_path="cache")
    wanted = {
        "UV_TOOL_DIR": "/t",
        "UV_TOOL_BIN_DIR": "/b",
        "UV_CACHE_DIR": str(job.workspace / "cache"),
    }
    assert wanted.items() <= job.exported.items()


def test_the_cache(place: World, job: LocalJob) -> None:
    write(job.workspace, {"uv.lock": "1", "cache/x": "kept"})
    set_up(place, job, cache_local_path="cache")
    assert job.outputs["cache-hit"] == "false"
    SetupUv(place).post(job.call("x@v7", GITHUB), job)
    assert job.lines[-1] == f"cache saved with key: {job.outputs['cache-key']}"
    (job.workspace / "cache/x").unlink()
    set_up(place, job, cache_local_path="cache")
    assert job.outputs["cache-hit"] == "true"
    assert (job.workspace / "cache/x").read_text(encoding="utf-8") == "kept"


def test_no_cache(place: World, job: LocalJob) -> None:
    set_up(place, job, enable_cache="false")
    assert "cache-key" not in job.outputs
