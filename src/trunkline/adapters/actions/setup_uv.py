"""astral-sh/setup-uv as a native action."""

from __future__ import annotations

import posixpath
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from trunkline.adapters.toolchains.uv import UvProgram, UvToolchain
from trunkline.adapters.toolkit.caching import JobCaches
from trunkline.adapters.toolkit.files import hash_files, read_text
from trunkline.adapters.toolkit.inputs import Inputs, warn_of_unsupported
from trunkline.adapters.toolkit.matchers import add_matchers
from trunkline.adapters.toolkit.semver import Range, Version, parse_range, parse_version
from trunkline.adapters.toolkit.versioned_action import VersionedAction
from trunkline.base.errors import Unavailable
from trunkline.ports.actions import ActionCall, ActionFailed, ActionJob

DEFAULTS = {
    "activate-environment": "false",
    "no-project": "false",
    "enable-cache": "auto",
    "cache-dependency-glob": "**/*requirements*.txt\n**/*requirements*.in\n**/*constraints*.txt\n"
    "**/*constraints*.in\n**/pyproject.toml\n**/uv.lock\n**/*.py.lock",
    "restore-cache": "true",
    "save-cache": "true",
    "ignore-empty-workdir": "false",
    "add-problem-matchers": "true",
}
_FROM_PYPI = "uv is found on this machine, or comes from PyPI."
UNSUPPORTED = {
    "checksum": _FROM_PYPI,
    "github-token": _FROM_PYPI,
    "manifest-file": _FROM_PYPI,
    "server-url": _FROM_PYPI,
    "cache-python": "Pythons are kept on this machine.",
}
_ANY = {"", "latest", "latest-known", "*"}
_COMPATIBLE = re.compile(r"~=\s*(\d+)\.(\d+)(?:\.(\d+))?")
_ARCHITECTURES = {"X64": "x86_64", "ARM64": "aarch64"}
_LINK = (
    'set -eu; [ ! -L "$1" ] || rm -f "$1"; mkdir -p "$1"; ln -sf "$2" "$1/uv"; ln -sf "$3" "$1/uvx"'
)


class SetupUv(VersionedAction):
    """Gives the job a uv."""

    oldest, newest = 5, 10
    inputs = frozenset(
        {
            *DEFAULTS,
            *UNSUPPORTED,
            *("version", "version-file", "pyproject-file", "uv-file", "python-version"),
            *("venv-path", "working-directory", "cache-suffix", "cache-local-path", "prune-cache"),
            *("ignore-nothing-to-cache", "tool-dir", "tool-bin-dir", "resolution-strategy"),
            *("download-from-astral-mirror", "quiet"),
        }
    )
    has_post = True
    post_condition = "success()"

    def main(self, call: ActionCall, job: ActionJob) -> None:
        """Set up uv, its folders, an environment and the cache. Raises ActionFailed."""
        inputs = Inputs(call, DEFAULTS)
        warn_of_unsupported(call, job, UNSUPPORTED)
        if inputs.text("resolution-strategy") == "lowest":
            job.annotate(
                "warning",
                "Input 'resolution-strategy' has no effect here: the newest version that fits is "
                "taken.",
            )
        root = job.layout.workspace
        folder = posixpath.normpath(posixpath.join(root, inputs.text("working-directory") or "."))
        program = self._find(_wanted(inputs, folder, job))
        _set_folders(inputs, program, job)
        job.set_output("uv-version", program.version)
        if inputs.text("python-version"):
            job.set_env("UV_PYTHON", inputs.text("python-version"))
        if inputs.flag("activate-environment"):
            _activate(inputs, folder, job)
        if inputs.flag("add-problem-matchers"):
            add_matchers(job, "python")
        cache_folder = _cache_folder(inputs, job)
        job.log(f"Successfully installed uv version {program.version} from {program.uv}")
        python = inputs.text("python-version") or _python_found(folder, job)
        job.set_output("python-version", python)
        if inputs.text("enable-cache").lower() in {"true", "auto"}:
            self._restore(inputs, python, cache_folder, call, job)

    def post(self, call: ActionCall, job: ActionJob) -> None:
        """Save the cache, when one was asked for and missed."""
        key = call.state.get("cache-key", "")
        if not key or not Inputs(call, DEFAULTS).flag("save-cache"):
            return
        if key == call.state.get("cache-matched-key"):
            job.log(f"Cache hit occurred on key {key}, not saving cache.")
            return
        try:
            if JobCaches.of(self._world.caches, call, job).save([call.state["cache-path"]], key):
                job.log(f"cache saved with key: {key}")
        except ActionFailed as error:
            job.log(f"[warning]{error}")

    def _find(self, text: str) -> UvProgram:
        world = self._world
        chain = UvToolchain(Path(world.cache), world.environment, offline=world.offline)
        versions = _versions(text)
        fitting = [
            program
            for program in chain.programs()
            if (version := parse_version(program.version)) and versions.allows(version)
        ]
        if text in _ANY and fitting:
            return fitting[0]
        if fitting:
            return max(fitting, key=lambda program: _order(program.version))
        try:
            return chain.install("" if text in _ANY else _specifier(versions))
        except Unavailable as error:
            raise ActionFailed(error.message) from error

    def _restore(
        self, inputs: Inputs, python: str, folder: str, call: ActionCall, job: ActionJob
    ) -> None:
        globs = inputs.text("cache-dependency-glob")
        digest = hash_files(job, globs) if globs else "no-dependency-glob"
        if not digest:
            job.annotate(
                "warning",
                f"No file matched to [{','.join(globs.split(chr(10)))}]. The cache will never get "
                "invalidated. Make sure you have checked out the target repository and configured "
                "the cache-dependency-glob input correctly.",
            )
            digest = "no-dependency-glob"
        suffix = inputs.text("cache-suffix")
        machine = _ARCHITECTURES.get(job.layout.arch, job.layout.arch)
        key = f"setup-uv-2-{machine}-{job.layout.os}-{quote(python)}-{digest}"
        key += f"-{quote(suffix)}" if suffix else ""
        job.save_state("cache-key", key)
        job.save_state("cache-path", folder)
        job.set_output("cache-key", key)
        if not inputs.flag("restore-cache"):
            job.log("restore-cache is false. Skipping restore cache step.")
            return
        matched = JobCaches.of(self._world.caches, call, job).restore([folder], key, ())
        job.save_state("cache-matched-key", matched)
        job.set_output("cache-hit", "true" if matched else "false")
        job.log(f"cache restored from key: {key}" if matched else f"No cache found for key: {key}")


def _order(text: str) -> Version:
    return parse_version(text) or Version(0, 0, 0)


def _wanted(inputs: Inputs, folder: str, job: ActionJob) -> str:
    """Return the version of uv as written, '' for whichever. Raises ActionFailed."""
    version = inputs.text("version")
    if version:
        return version
    named = [inputs.text(name) for name in ("version-file", "uv-file", "pyproject-file")]
    names = [name for name in named if name] or ["uv.toml", "pyproject.toml"]
    for name in names:
        text = read_text(job, posixpath.join(folder, name))
        if text is None:
            if named[0] or named[1] or named[2]:
                raise ActionFailed(f"Could not find file: {posixpath.join(folder, name)}")
            continue
        found = _from_file(name, text)
        if found:
            job.log(f"Found required-version for uv in {name}: {found}")
            return found
    return ""


def _from_file(name: str, text: str) -> str:
    base = posixpath.basename(name)
    readers: dict[str, Callable[[str], str]] = {
        ".tool-versions": _from_tool_versions,
        "uv.toml": lambda text: _required(_toml(name, text)),
        "uv.lock": lambda text: _from_lock(_toml(name, text)),
    }
    if base in readers:
        return readers[base](text)
    if base.endswith(".toml"):
        return _required(_toml(name, text).get("tool", {}).get("uv", {}))
    found = re.search(r"^uv\s*([=~<>!].*?)\s*(?:[;#\\].*)?$", text, re.MULTILINE)
    return found[1] if found else ""


def _toml(name: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ActionFailed(f"{name} can't be read: {error}") from error


def _required(table: dict[str, Any]) -> str:
    return str(table.get("required-version", ""))


def _from_tool_versions(text: str) -> str:
    found = re.search(r"^\s*uv\s+v?(\S+)", text, re.MULTILINE)
    return found[1] if found else ""


def _from_lock(table: dict[str, Any]) -> str:
    packages = table.get("package", [])
    return next((str(p.get("version", "")) for p in packages if p.get("name") == "uv"), "")


def _versions(text: str) -> Range:
    """Return the range that a version means, npm's way or Python's. Raises ActionFailed."""
    spaced = _COMPATIBLE.sub(_compatible, text.replace(",", " ")).replace("==", "=")
    found = parse_range("*" if text in _ANY else spaced)
    if found is None:
        raise ActionFailed(f"'{text}' is no version of uv and no range of versions.")
    return found


def _compatible(found: re.Match[str]) -> str:
    if found[3] is None:
        return f">={found[1]}.{found[2]}.0 <{int(found[1]) + 1}.0.0"
    return f"~{found[1]}.{found[2]}.{found[3]}"


def _specifier(versions: Range) -> str:
    """Return a range as pip writes it."""
    return ",".join(
        f"{'==' if each.operator == '=' else each.operator}"
        f"{'.'.join(str(number) for number in each.version.release)}"
        for each in versions.alternatives[0]
    )


def _set_folders(inputs: Inputs, program: UvProgram, job: ActionJob) -> None:
    machine = _ARCHITECTURES.get(job.layout.arch, job.layout.arch)
    place = f"{job.layout.tool_cache}/uv/{program.version}/{machine}"
    _put(program, place, job)
    job.sandbox.put(f"{place}.complete", b"")
    job.add_path(inputs.text("tool-bin-dir") or f"{job.layout.home}/.local/bin")
    if inputs.text("tool-bin-dir"):
        job.set_env("UV_TOOL_BIN_DIR", inputs.text("tool-bin-dir"))
    if inputs.text("tool-dir"):
        job.set_env("UV_TOOL_DIR", inputs.text("tool-dir"))
    pythons = job.layout.env.get("UV_PYTHON_INSTALL_DIR", f"{job.layout.temp}/uv-python-dir")
    job.set_env("UV_PYTHON_INSTALL_DIR", pythons)
    job.add_path(pythons)
    job.add_path(place)
    job.set_output("uv-path", f"{place}/uv")
    job.set_output("uvx-path", f"{place}/uvx")


def _put(program: UvProgram, place: str, job: ActionJob) -> None:
    """Have uv at `place`: by links, or as copies where the job does not see this machine."""
    if not job.layout.host_paths:
        for name, path in (("uv", program.uv), ("uvx", program.uvx)):
            with Path(path).open("rb") as file:
                job.sandbox.put(f"{place}/{name}", file, 0o755)
    elif job.capture(["sh", "-c", _LINK, "sh", place, program.uv, program.uvx])[0]:
        raise ActionFailed(f"{place} can't be made.")


def _activate(inputs: Inputs, folder: str, job: ActionJob) -> None:
    place = posixpath.normpath(posixpath.join(folder, inputs.text("venv-path") or ".venv"))
    job.log(f"Creating and activating python venv at {place}...")
    flags = ["--no-project"] if inputs.flag("no-project") else []
    if job.run(["uv", "venv", place, "--directory", folder, "--clear", *flags]):
        raise ActionFailed("The process 'uv venv' failed.")
    job.add_path(f"{place}/bin")
    job.set_env("VIRTUAL_ENV", place)
    job.set_output("venv", place)


def _cache_folder(inputs: Inputs, job: ActionJob) -> str:
    given = inputs.text("cache-local-path")
    if given:
        path = posixpath.normpath(posixpath.join(job.layout.workspace, given))
        job.set_env("UV_CACHE_DIR", path)
        return path
    path = job.layout.env.get("UV_CACHE_DIR", "")
    if not path:
        path = f"{job.layout.temp}/setup-uv-cache"
        job.set_env("UV_CACHE_DIR", path)
    return path


def _python_found(folder: str, job: ActionJob) -> str:
    """Return the version of the Python that uv would take."""
    code, told = job.capture(["uv", "python", "find", "--directory", folder])
    program = told.strip().split("\n")[-1]
    if code or not program.startswith("/"):
        return "unknown"
    code, told = job.capture([program, "--version"])
    return told.strip().removeprefix("Python ") if not code else "unknown"
