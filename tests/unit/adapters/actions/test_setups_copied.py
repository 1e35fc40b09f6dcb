"""Programs for a job that does not see this machine: copies of its own, whole."""

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
from trunkline.adapters.actions.setup_python.action import SetupPython
from trunkline.adapters.actions.setup_uv import SetupUv
from trunkline.adapters.toolchains import node as node_module
from trunkline.adapters.toolchains.uv import UvProgram, UvToolchain
from trunkline.ports.actions import ActionFailed

GITHUB: dict[str, Any] = {
    "ref": "refs/heads/main",
    "repository": "octo/demo",
    "repository_owner": "Octo",
}
COMMON = ["linux-vdso.so.1", "/lib/libc.so.6"]


@pytest.fixture
def sees_this_machine() -> bool:
    return False


@pytest.fixture(autouse=True)
def own_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_module, "_MACHINE_PLACES", ())


def make_node(root: Path, version: str, libraries: list[str]) -> None:
    """Make a prefix with a program that says it is node, and an npm."""
    told = json.dumps(libraries)
    text = f"#!/bin/sh\ncase $1 in -e) echo '{told}';; *) echo v{version};; esac\n"
    npm = "lib/node_modules/npm"
    files = {
        "bin/node": text,
        f"{npm}/bin/npm-cli.js": "#!/bin/sh\necho npm\n",
        f"{npm}/node_modules/semver/index.js": "",
        "lib/node_modules/other/big": "not wanted",
    }
    write(root, files)
    for name in ("bin/node", f"{npm}/bin/npm-cli.js"):
        (root / name).chmod(0o755)


def test_node_and_npm_are_brought_and_nothing_else(job: LocalJob, tmp_path: Path) -> None:
    make_node(tmp_path / "n", "20.1.0", COMMON)
    environment = {"PATH": f"{tmp_path}/n/bin"}
    chain = node_module.NodeToolchain(tmp_path / "cache", environment, offline=True)
    action = SetupNode(world(tmp_path, tmp_path, toolchains=chain))
    action.main(job.call("x@v4", GITHUB, node_version="20"), job)
    shutil.rmtree(tmp_path / "n")
    folder = Path(job.layout.tool_cache, "node/20.1.0", job.layout.arch.lower())
    assert job.shell("command -v npm; node --version; npm").split("\n") == [
        f"{folder}/bin/npm",
        "v20.1.0",
        "npm",
    ]
    assert not (folder / "lib/node_modules/other").exists()


def test_a_node_of_a_distribution_is_left_out(job: LocalJob, tmp_path: Path) -> None:
    make_node(tmp_path / "a", "20.9.0", [*COMMON, "/usr/lib/libnode.so.115"])
    make_node(tmp_path / "b", "20.1.0", COMMON)
    environment = {"PATH": f"{tmp_path}/a/bin:{tmp_path}/b/bin"}
    chain = node_module.NodeToolchain(tmp_path / "cache", environment, offline=True)
    action = SetupNode(world(tmp_path, tmp_path, toolchains=chain))
    action.main(job.call("x@v4", GITHUB, node_version="20"), job)
    assert job.outputs["node-version"] == "v20.1.0"


def test_uv_is_brought(job: LocalJob, tmp_path: Path) -> None:
    text = '#!/bin/sh\n[ "$1" = --version ] && echo "uv 0.6.1 (abc)"\n'
    write(tmp_path / "bin", {"uv": text, "uvx": text})
    for name in ("uv", "uvx"):
        (tmp_path / "bin" / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    where = world(tmp_path, tmp_path, environment=environment, offline=True)
    SetupUv(where).main(job.call("x@v7", GITHUB), job)
    shutil.rmtree(tmp_path / "bin")
    assert job.shell("uv --version") == "uv 0.6.1 (abc)"


def test_a_python_of_uv_s_is_brought(
    job: LocalJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What uv would install here is a prefix that has no real program: it is brought, then refused."""
    made = tmp_path / "pythons/cpython-3.98.7"
    write(made, {"bin/python3.98": "#!/bin/sh\nexit 1\n", "lib/python3.98/os.py": ""})
    (made / "bin/python3.98").chmod(0o755)
    monkeypatch.setattr(UvToolchain, "programs", lambda _: [UvProgram("1", "uv", "uvx")])
    monkeypatch.setattr(UvToolchain, "install_python", lambda *_, **__: f"{made}/bin/python3.98")
    action = SetupPython(world(tmp_path, tmp_path))
    with pytest.raises(ActionFailed, match="Uv's does not start"):
        action.main(job.call("x@v5", GITHUB, python_version="3.98.7"), job)
    brought = Path(job.layout.tool_cache, "uv-python/cpython-3.98.7")
    assert (brought / "lib/python3.98/os.py").is_file()
