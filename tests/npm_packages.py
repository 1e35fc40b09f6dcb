"""Packages of the npm registry, and nodes, installed once and kept between test runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docker_engine import cache_folder, locked
from tests.installs import install

# A package that those of @actions depend on asks for a version that was never published.
OVERRIDES = {"typedarray.prototype.slice": "1.0.5"}


def package(name: str, version: str) -> Path:
    """Return a folder whose `node_modules` has a package. Skips the test where it can't be had."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed here")
    folder = cache_folder() / "npm" / f"{name.replace('/', '+')}@{version}"
    with locked("npm"):
        if not (folder / "ready").exists():
            _install(folder, name, version)
    return folder


def node(major: str) -> str:
    """Return a node of a major version: the machine's, or the npm registry's."""
    found = shutil.which("node")
    if found and _version(found).startswith(f"v{major}."):
        return found
    return str(package("node", major) / "node_modules/node/bin/node")


def _install(folder: Path, name: str, version: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    manifest = {"private": True, "dependencies": {name: version}, "overrides": OVERRIDES}
    (folder / "package.json").write_text(json.dumps(manifest))
    argv = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        install(argv, folder).check_returncode()
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"{name}@{version} can't be installed from its registry: {error}")
    (folder / "ready").touch()


def _version(program: str) -> str:
    done = subprocess.run(
        [program, "--version"], check=True, capture_output=True, text=True, env=dict(os.environ)
    )
    return done.stdout.strip()
