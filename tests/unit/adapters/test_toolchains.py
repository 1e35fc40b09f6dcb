"""Node for JavaScript actions: found where it is, installed where it is not."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from trunkline.adapters.toolchains import node as module
from trunkline.adapters.toolchains.node import NodeToolchain
from trunkline.adapters.toolchains.registry import Registry
from trunkline.base.errors import Unavailable


def make_node(folder: Path, version: str) -> Path:
    """Make a program that says it is node."""
    path = folder / "node"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho v{version}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def tools(tmp_path: Path, *names: str) -> str:
    """Return a search path with these programs of the machine."""
    folder = tmp_path / "tools"
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).symlink_to(shutil.which(name) or "/missing")
    return str(folder)


@pytest.fixture(autouse=True)
def own_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MACHINE_PLACES", ())


class TestFound:
    """Nodes that are here."""

    def test_the_one_on_path(self, tmp_path: Path) -> None:
        path = make_node(tmp_path / "bin", "20.1.0")
        make_node(tmp_path / ".nvm/versions/node/v20.9.0/bin", "20.9.0")
        chain = NodeToolchain(tmp_path, {"PATH": str(path.parent), "HOME": str(tmp_path)})
        assert chain.node(20) == str(path)

    def test_the_newest_of_a_version_manager(self, tmp_path: Path) -> None:
        make_node(tmp_path / "bin", "18.1.0")
        for version in ("20.2.0", "20.10.0", "22.1.0"):
            make_node(tmp_path / f".nvm/versions/node/v{version}/bin", version)
        chain = NodeToolchain(tmp_path, {"PATH": f"{tmp_path}/bin", "HOME": str(tmp_path)})
        assert chain.node(20).endswith("/v20.10.0/bin/node")
        assert [each.version for each in chain.nodes()] == ["18.1.0", "20.10.0", "20.2.0", "22.1.0"]

    def test_its_npm(self, tmp_path: Path) -> None:
        make_node(tmp_path / "n/bin", "20.1.0")
        npm = tmp_path / "n/lib/node_modules/npm"
        (npm / "bin").mkdir(parents=True)
        (npm / "bin/npm-cli.js").touch()
        chain = NodeToolchain(tmp_path, {"PATH": f"{tmp_path}/n/bin"})
        assert [each.npm for each in chain.nodes()] == [str(npm)]

    def test_offline_names_what_is_here(self, tmp_path: Path) -> None:
        make_node(tmp_path / "bin", "18.1.0")
        chain = NodeToolchain(tmp_path, {"PATH": f"{tmp_path}/bin"}, offline=True)
        with pytest.raises(Unavailable, match=r"Node 24 is not here, .* Versions here: 18\.1\.0\."):
            chain.node(24)

    def test_neither_npm_nor_curl(self, tmp_path: Path) -> None:
        chain = NodeToolchain(tmp_path, {"PATH": ""})
        with pytest.raises(Unavailable, match="neither npm nor curl is here"):
            chain.node(24)

    def test_a_broken_node_is_none(self, tmp_path: Path) -> None:
        path = make_node(tmp_path / "bin", "20.1.0")
        path.write_text("#!/bin/false\n", encoding="utf-8")
        chain = NodeToolchain(tmp_path, {"PATH": f"{tmp_path}/bin"}, offline=True)
        assert chain.nodes() == ()


class TestInstalled:
    """Nodes from a registry on this machine."""

    @pytest.fixture
    def registry(self, tmp_path: Path) -> Iterator[str]:
        root = tmp_path / "registry"
        handler = partial(SimpleHTTPRequestHandler, directory=str(root))
        self.asked: list[str] = []
        handler.func.log_message = lambda *told: self.asked.append(str(told[2]))  # type: ignore[attr-defined]
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        url = f"http://127.0.0.1:{server.server_port}"
        system = f"node-linux-{'x64' if os.uname().machine == 'x86_64' else 'arm64'}"
        versions = {v: publish(root, url, system, v) for v in ("22.1.0", "24.1.0", "24.2.0")}
        (root / system).write_text(json.dumps({"versions": versions}), encoding="utf-8")
        versions = {v: publish(root, url, "npm", v) for v in ("10.1.0", "11.1.0")}
        (root / "npm").write_text(json.dumps({"versions": versions}), encoding="utf-8")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield url
        server.shutdown()
        thread.join()
        server.server_close()

    def environment(self, tmp_path: Path, registry: str) -> dict[str, str]:
        path = tools(tmp_path, "curl", "tar", "gzip", "sh")
        return {"PATH": path, "npm_config_registry": registry, "no_proxy": "127.0.0.1"}

    def chain(self, tmp_path: Path, registry: str) -> NodeToolchain:
        return NodeToolchain(tmp_path / "cache", self.environment(tmp_path, registry))

    def test_the_newest_of_a_major(self, tmp_path: Path, registry: str) -> None:
        path = self.chain(tmp_path, registry).node(24)
        assert path == str(tmp_path / "cache/node/24.2.0/bin/node")
        assert os.access(path, os.X_OK)

    def test_is_installed_once(self, tmp_path: Path, registry: str) -> None:
        first = self.chain(tmp_path, registry).node(24)
        assert NodeToolchain(tmp_path / "cache", {"PATH": ""}, offline=True).node(24) == first

    def test_with_the_npm_of_its_time(self, tmp_path: Path, registry: str) -> None:
        made = self.chain(tmp_path, registry).install_node("^22")
        assert made.version == "22.1.0"
        about = Path(made.npm, "package.json").read_text(encoding="utf-8")
        assert json.loads(about)["version"] == "10.1.0"
        assert (Path(made.path).parent / "npm").resolve() == Path(made.npm, "bin/npm-cli.js")

    def test_a_version_that_is_not_there(self, tmp_path: Path, registry: str) -> None:
        with pytest.raises(Unavailable, match=r"in the range \^18\. .*here: none\."):
            self.chain(tmp_path, registry).install_node("^18")

    def test_a_changed_package_is_refused(self, tmp_path: Path, registry: str) -> None:
        for archive in (tmp_path / "registry").glob("*24.2.0.tgz"):
            archive.write_bytes(archive.read_bytes() + b"x")
        with pytest.raises(Unavailable, match="is not what the npm registry says it is"):
            self.chain(tmp_path, registry).node(24)
        assert not list((tmp_path / "cache/node").glob("*/bin/node"))

    def test_several_at_once_download_one(self, tmp_path: Path, registry: str) -> None:
        found: list[str] = []
        environment = self.environment(tmp_path, registry)

        def ask() -> None:
            found.append(NodeToolchain(tmp_path / "cache", environment).node(24))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [str(tmp_path / "cache/node/24.2.0/bin/node")] * 4
        assert {path.name for path in (tmp_path / "cache/node").iterdir()} == {"24.2.0", "lock"}
        assert len([line for line in self.asked if "-24.2.0.tgz " in line]) == 1

    def test_a_registry_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(Unavailable, match="can't be had from"):
            self.chain(tmp_path, "http://127.0.0.1:1").node(24)


def publish(root: Path, url: str, package: str, version: str) -> dict[str, object]:
    """Put a package into the registry; return what its document says of it."""
    root.mkdir(exist_ok=True)
    archive = root / f"{package}-{version}.tgz"
    with tarfile.open(archive, "w:gz") as file:
        texts = {
            "package/package.json": json.dumps({"version": version}),
            "package/bin/node": f"#!/bin/sh\necho v{version}\n",
            "package/bin/npm-cli.js": "",
        }
        for name, text in texts.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            file.addfile(entry, io.BytesIO(text.encode()))
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    return {"dist": {"tarball": f"{url}/{archive.name}", "integrity": f"sha512-{digest}"}}


@pytest.mark.long
@pytest.mark.registry
def test_the_real_registry(tmp_path: Path) -> None:
    chain = NodeToolchain(tmp_path, {**os.environ, "HOME": str(tmp_path)})
    try:
        path = chain.node(24)
    except Unavailable as error:
        pytest.skip(error.message)
    done = subprocess.run([path, "--version"], check=True, capture_output=True, text=True)
    assert done.stdout.startswith("v24.")


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not here")
def test_npm_says_why(tmp_path: Path) -> None:
    away = {"npm_config_registry": "http://127.0.0.1:9/", "npm_config_fetch_retries": "0"}
    npm = Registry({**os.environ, **away})
    told = r"^a@1 can't be had from the npm registry: .*request to http://127\.0\.0\.1:9/a failed"
    with pytest.raises(Unavailable, match=told):
        npm.fetch("a", "1", tmp_path)


def test_without_npm_a_registry_must_be_named(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not here")
    (tmp_path / "bin" / "curl").symlink_to(curl)
    registry = Registry({"PATH": str(tmp_path / "bin")})
    with pytest.raises(Unavailable, match="no registry is named"):
        registry.fetch("node-bin", "^20", tmp_path)
