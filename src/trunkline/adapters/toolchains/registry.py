"""Gets packages from the npm registry: with npm, else with curl from the one that is named."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trunkline.adapters.toolchains.installing import run_client
from trunkline.adapters.toolkit.semver import parse_range, parse_version
from trunkline.base.errors import Unavailable

# npm waits a minute between its tries, and tells nobody; these are milliseconds.
IMPATIENT = ("--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000")
_ABBREVIATED = "Accept: application/vnd.npm.install-v1+json"


class Registry:
    """The npm registry that the environment names."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Use the PATH, the registry and the proxies of `environment`."""
        self._environment = dict(environment)
        path = environment.get("PATH", "")
        self._npm = shutil.which("npm", path=path)
        self._curl = shutil.which("curl", path=path)

    def fetch(self, package: str, versions: str, folder: Path) -> str:
        """Unpack the newest version in the npm range `versions` into `folder`; return the version.

        Raises Unavailable.
        """
        if self._npm:
            version, archive = self._pack(package, versions, folder)
        elif self._curl:
            version, archive = self._download(package, versions, folder)
        else:
            raise Unavailable(f"{package} can't be installed: neither npm nor curl is here.")
        run_client(
            f"{package} can't be unpacked",
            self._environment,
            ("tar", "-xzf", str(archive), "-C", str(folder)),
        )
        archive.unlink()
        return version

    def _pack(self, package: str, versions: str, folder: Path) -> tuple[str, Path]:
        spec = f"{package}@{versions}"
        told = run_client(
            f"{spec} can't be had from the npm registry",
            self._environment,
            (
                *(self._npm or "npm", "pack", spec, "--json", "--silent"),
                *("--pack-destination", str(folder), *IMPATIENT),
            ),
        )
        packed = json.loads(told)
        newest = max(packed, key=lambda each: _order(each["version"]))
        for each in packed:
            if each is not newest:
                (folder / each["filename"]).unlink(missing_ok=True)
        return str(newest["version"]), folder / str(newest["filename"])

    def _download(self, package: str, versions: str, folder: Path) -> tuple[str, Path]:
        place = self._environment.get("npm_config_registry", "").rstrip("/")
        if not place:
            raise Unavailable(
                f"{package} can't be installed: npm is not here, and no registry is named.",
                hint="Install npm, or name the registry in npm_config_registry.",
            )
        failure = f"{package} can't be had from {place}"
        document = json.loads(self._get(failure, f"{place}/{package}", "-H", _ABBREVIATED))
        wanted = parse_range(versions)
        known: dict[str, Any] = document["versions"]
        fitting = [
            text for text in known if wanted and (v := parse_version(text)) and wanted.allows(v)
        ]
        if not fitting:
            raise Unavailable(f"The npm registry has no {package} in the range {versions}.")
        version = max(fitting, key=_order)
        archive = folder / "package.tgz"
        self._get(failure, known[version]["dist"]["tarball"], "-o", str(archive))
        _check(archive, known[version]["dist"]["integrity"])
        return version, archive

    def _get(self, failure: str, url: str, *args: str) -> str:
        return run_client(
            failure, self._environment, (self._curl or "curl", "-fsSL", *args, "--", url)
        )


def _order(text: str) -> tuple[bool, Any]:
    version = parse_version(text)
    return version is not None, version


def _check(archive: Path, integrity: str) -> None:
    """Compare an archive with the registry's own digest of it."""
    algorithm, _, expected = integrity.partition("-")
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, algorithm).digest()
    if base64.b64encode(digest).decode() != expected:
        raise Unavailable(f"{archive.name} is not what the npm registry says it is.")
