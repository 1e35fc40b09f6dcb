"""Node programs of this machine: on PATH, of version managers, and installed into our cache."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from trunkline.adapters.toolchains.externals import Externals
from trunkline.adapters.toolchains.installing import held
from trunkline.adapters.toolchains.registry import Registry
from trunkline.adapters.toolkit.semver import Version, parse_range, parse_version
from trunkline.adapters.toolkit.tool_caches import tool_caches
from trunkline.base.errors import Unavailable
from trunkline.ports.toolchains import NodeProgram

# Below HOME, where version managers keep their nodes.
_HOME_PLACES = (
    ".nvm/versions/node/*/bin/node",
    ".volta/tools/image/node/*/bin/node",
    ".local/share/fnm/node-versions/*/installation/bin/node",
    ".fnm/node-versions/*/installation/bin/node",
    ".asdf/installs/nodejs/*/bin/node",
    ".local/share/mise/installs/node/*/bin/node",
    ".nodenv/versions/*/bin/node",
    "n/n/versions/node/*/bin/node",
)
_MACHINE_PLACES = (
    "usr/local/bin/node",
    "usr/bin/node",
    "usr/local/n/versions/node/*/bin/node",
    "opt/homebrew/bin/node",
    "opt/homebrew/opt/node@*/bin/node",
)
_NPM_PLACES = (
    "lib/node_modules/npm",
    "share/nodejs/npm",
    "share/npm",
    "libexec/lib/node_modules/npm",
)
_SYSTEMS = {"Linux": "linux", "Darwin": "darwin"}
_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
# Which npm a node brings along: node's major version from which on, npm's range.
_NPM_OF = ((24, "11"), (18, "10"), (16, "8"), (0, "6"))


class NodeToolchain:
    """Finds nodes, and installs the npm registry's builds. See the port `Toolchains`."""

    def __init__(
        self, cache: str | Path, environment: Mapping[str, str], *, offline: bool = False
    ) -> None:
        """Look on the PATH and in the HOME of `environment`; install below `cache`."""
        self._cache = Path(cache, "node")
        self._environment = environment
        self._offline = offline
        self._lock = threading.Lock()
        self._asked: dict[str, str] = {}
        self._externals = Externals(Path(cache), environment, offline=offline)

    def node(self, major: int) -> str:
        """Return the path of a node of that major version. Raises Unavailable."""
        path = self._environment.get("PATH", "")
        first = shutil.which("node", path=path)
        if first and self._version(Path(first)).startswith(f"{major}."):
            return first
        found = self._newest(str(major))
        if found:
            return found.path
        return self._install(str(major), with_npm=False).path

    def nodes(self) -> tuple[NodeProgram, ...]:
        """Return the nodes that are here, those on PATH first."""
        found: dict[str, NodeProgram] = {}
        for path in self._paths():
            real = str(path.resolve())
            version = "" if real in found else self._version(path)
            if parse_version(version):
                found[real] = NodeProgram(version=version, path=real, npm=_npm_beside(Path(real)))
        return tuple(found.values())

    def install_node(self, versions: str) -> NodeProgram:
        """Install the newest node of an npm range, with an npm. Raises Unavailable."""
        return self._install(versions, with_npm=True)

    def external_node(self, major: int, *, musl: bool) -> str:
        """Have a node for containers; return its folder's name. Raises Unavailable."""
        return self._externals.node(major, lambda: self._of(major), musl=musl)

    def _of(self, major: int) -> tuple[str, ...]:
        """Return the programs of a major version, the one on PATH first."""
        fitting = (node for node in self.nodes() if node.version.startswith(f"{major}."))
        return tuple(node.path for node in fitting)

    def _newest(self, versions: str) -> NodeProgram | None:
        wanted = parse_range(versions)
        fitting = {
            version: node
            for node in reversed(self.nodes())
            if wanted and (version := parse_version(node.version)) and wanted.allows(version)
        }
        return fitting[max(fitting)] if fitting else None

    def _paths(self) -> Iterator[Path]:
        for folder in self._environment.get("PATH", "").split(":"):
            # A shim starts whatever the folder it is called in says.
            if folder.startswith("/") and not folder.rstrip("/").endswith("/shims"):
                yield from Path(folder).glob("node")
        home = Path(self._environment.get("HOME") or "/nonexistent")
        for place in _HOME_PLACES:
            yield from sorted(home.glob(place))
        for place in _MACHINE_PLACES:
            yield from sorted(Path("/").glob(place))
        for place in tool_caches(self._environment):
            yield from sorted(Path(place).glob("node/*/*/bin/node"))
        yield from sorted(self._cache.glob("*/bin/node"))

    def _version(self, path: Path) -> str:
        """Return a node's version, by the name of its folder or by asking it; '' when it is none."""
        named = re.search(r"/v?(\d+\.\d+\.\d+)(/installation|/x64|/arm64)?/bin/node$", str(path))
        if named and path.is_file():
            return named[1]
        key = str(path)
        with self._lock:
            if key not in self._asked:
                self._asked[key] = _ask(path)
            return self._asked[key]

    def _install(self, versions: str, *, with_npm: bool) -> NodeProgram:
        package = f"node-{_SYSTEMS.get(platform.system())}-{_MACHINES.get(platform.machine())}"
        here = ", ".join(sorted({node.version for node in self.nodes()}, key=_order)) or "none"
        if self._offline:
            raise Unavailable(
                f"Node {versions} is not here, and --offline was given. Versions here: {here}.",
                hint="Run once without --offline.",
            )
        with held(self._cache):
            made = self._newest(versions)
            if made is None or (with_npm and not made.npm):
                try:
                    made = self._fetch(package, versions, with_npm=with_npm)
                except Unavailable as error:
                    raise Unavailable(f"{error.message} Versions of node here: {here}.") from error
        return made

    def _fetch(self, package: str, versions: str, *, with_npm: bool) -> NodeProgram:
        """Install a node, whole or not at all; the caller has the lock."""
        registry = Registry(self._environment)
        draft = self._cache / f".draft-{os.getpid()}"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        try:
            version = registry.fetch(package, versions, draft)
            root = draft / "package"
            if with_npm:
                _add_npm(registry, root, version)
            (root / "bin/node").chmod(0o755)
            target = self._cache / version
            shutil.rmtree(target, ignore_errors=True)
            root.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        npm = _npm_beside(target / "bin/node")
        return NodeProgram(version=version, path=str(target / "bin/node"), npm=npm)


def _add_npm(registry: Registry, root: Path, version: str) -> None:
    major = int(version.partition(".")[0])
    versions = next(npm for oldest, npm in _NPM_OF if major >= oldest)
    modules = root / "lib/node_modules"
    modules.mkdir(parents=True, exist_ok=True)
    registry.fetch("npm", versions, modules)
    (modules / "package").rename(modules / "npm")
    for name in ("npm", "npx"):
        (root / "bin" / name).symlink_to(f"../lib/node_modules/npm/bin/{name}-cli.js")


def _npm_beside(node: Path) -> str:
    """Return the folder of the npm that belongs to a node, '' when there is none."""
    prefix = node.parent.parent
    places = (prefix / place for place in _NPM_PLACES)
    return next((str(place) for place in places if (place / "bin/npm-cli.js").is_file()), "")


def _ask(path: Path) -> str:
    try:
        done = subprocess.run(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip().removeprefix("v")


def _order(text: str) -> Version:
    return parse_version(text) or Version(0, 0, 0)
