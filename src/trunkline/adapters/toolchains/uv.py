"""uv: found on PATH and in our cache, or installed there from PyPI."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from trunkline.adapters.toolchains.installing import held, run_client
from trunkline.adapters.toolchains.pip import find_pip
from trunkline.adapters.toolkit.python_versions import python_version
from trunkline.adapters.toolkit.semver import Range
from trunkline.adapters.toolkit.tool_caches import tool_caches
from trunkline.base.errors import Unavailable


class UvProgram(NamedTuple):
    """A uv: its version and its programs."""

    version: str
    uv: str
    uvx: str


class UvToolchain:
    """Finds and installs uv, and with it Pythons."""

    def __init__(
        self, cache: Path, environment: Mapping[str, str], *, offline: bool = False
    ) -> None:
        """Look on the PATH of `environment`; install below `cache`."""
        self._cache = cache / "uv"
        self._pythons = cache / "uv-python"
        self._environment = dict(environment)
        self._offline = offline

    def programs(self) -> list[UvProgram]:
        """Return what is here, that on PATH first."""
        found: list[UvProgram] = []
        on_path = shutil.which("uv", path=self._environment.get("PATH", ""))
        paths = [Path(on_path)] if on_path else []
        for place in tool_caches(self._environment):
            paths += sorted(Path(place).glob("uv/*/*/uv"))
        for path in [*paths, *sorted(self._cache.glob("*/bin/uv"))]:
            version = _ask(str(path))
            if version:
                found.append(UvProgram(version, str(path), str(path.with_name("uvx"))))
        return found

    def install(self, specifier: str) -> UvProgram:
        """Install the newest uv that fits a pip version specifier (`==0.9.2`, `>=0.5,<0.6`, '').

        Raises Unavailable.
        """
        if self._offline:
            here = ", ".join(program.version for program in self.programs()) or "none"
            raise Unavailable(
                f"uv{specifier} is not here, and --offline was given. Versions here: {here}."
            )
        with held(self._cache):
            return self._fetch(specifier)

    def _fetch(self, specifier: str) -> UvProgram:
        draft = self._cache / f".draft-{os.getpid()}"
        shutil.rmtree(draft, ignore_errors=True)
        failure = f"uv{specifier} can't be had from PyPI"
        flags = ("--quiet", "--no-deps", "--no-warn-script-location", "--disable-pip-version-check")
        try:
            pip = (*find_pip(self._environment, "uv"), "install")
            run_client(
                failure, self._environment, (*pip, *flags, "--target", str(draft), f"uv{specifier}")
            )
            version = _ask(str(draft / "bin/uv"))
            if not version:
                raise Unavailable(f"{failure}: what was installed does not start.")
            target = self._cache / version
            if not target.exists():
                draft.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return UvProgram(version, str(target / "bin/uv"), str(target / "bin/uvx"))

    def install_python(self, uv: str, versions: Range, *, free_threaded: bool) -> str:
        """Install the newest CPython of uv's that fits; return its program. Raises Unavailable."""
        if self._offline:
            raise Unavailable("It could be downloaded, but --offline was given.")
        flags = ("--all-versions", "--only-downloads", "--output-format", "json")
        listed = run_client(
            "uv can't list its Pythons", self._environment, (uv, "python", "list", *flags)
        )
        keys = {
            version: str(entry["key"])
            for entry in json.loads(listed)
            if entry["implementation"] == "cpython"
            and (entry.get("variant") == "freethreaded") is free_threaded
            and (version := python_version(entry["version"]))
        }
        newest = versions.newest(keys)
        if newest is None:
            raise Unavailable("uv has none either.")
        folder = ("--install-dir", str(self._pythons), "--no-bin")
        with held(self._cache):
            run_client(
                f"uv can't install {newest}",
                self._environment,
                (uv, "python", "install", *folder, keys[newest]),
            )
        suffix = "t" if free_threaded else ""
        name = f"python{newest.release[0]}.{newest.release[1]}{suffix}"
        return str(self._pythons / keys[newest] / "bin" / name)

    def python_places(self) -> tuple[str, ...]:
        """Return where uv's Pythons are, as a pattern."""
        return (f"{self._pythons}/*/bin",)


def _ask(path: str) -> str:
    try:
        done = subprocess.run(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    words = done.stdout.split()
    return words[1] if len(words) > 1 else ""
