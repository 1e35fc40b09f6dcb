"""Which version of node is asked for (actions/setup-node `src/util.ts`)."""

from __future__ import annotations

import json
import posixpath
import re
import time
import tomllib
from typing import Any

from trunkline.adapters.toolkit.files import read_text
from trunkline.adapters.toolkit.inputs import Inputs
from trunkline.ports.actions import ActionFailed, ActionJob

# https://github.com/nodejs/release: even majors get a code name with their first LTS release,
# in October of the year they came out in.
_LTS = {
    "argon": 4,
    "boron": 6,
    "carbon": 8,
    "dubnium": 10,
    "erbium": 12,
    "fermium": 14,
    "gallium": 16,
    "hydrogen": 18,
    "iron": 20,
    "jod": 22,
    "krypton": 24,
}
_LINE = re.compile(r"^(?:node(?:js)?\s+)?v?(\S+)$", re.MULTILINE)


def wanted(inputs: Inputs, job: ActionJob) -> str:
    """Return the version as written, from the inputs or a file; '' for whatever is on PATH.

    Raises ActionFailed.
    """
    version, file = inputs.text("node-version"), inputs.text("node-version-file")
    if version and file:
        job.annotate(
            "warning",
            "Both node-version and node-version-file inputs are specified, only node-version will "
            "be used",
        )
    if version or not file:
        return version
    path = posixpath.join(job.layout.workspace, file)
    version = _from_file(path, job)
    if not version:
        job.annotate("warning", f"Could not determine node version from {path}. Falling back")
    job.log(f"Resolved {file} as {version}")
    return version


def _from_file(path: str, job: ActionJob) -> str:
    text = read_text(job, path)
    if text is None:
        raise ActionFailed(f"The specified node version file at: {path} does not exist")
    try:
        manifest = json.loads(text)
    except ValueError:
        return _from_text(text)
    if not isinstance(manifest, dict):
        return _from_text(text)
    found = _from_manifest(manifest)
    extends = _at(manifest, "volta", "extends")
    if not found and isinstance(extends, str):
        return _from_file(posixpath.normpath(posixpath.join(posixpath.dirname(path), extends)), job)
    return found


def _from_manifest(manifest: dict[str, Any]) -> str:
    """Return what a `package.json` says: Volta's, npm's `devEngines`, `engines`."""
    runtimes = _at(manifest, "devEngines", "runtime")
    runtimes = runtimes if isinstance(runtimes, list) else [runtimes]
    named = [
        runtime.get("version")
        for runtime in runtimes
        if isinstance(runtime, dict) and str(runtime.get("name")).lower() == "node"
    ]
    places = (_at(manifest, "volta", "node"), *named, _at(manifest, "engines", "node"))
    return next((str(place) for place in places if place), "")


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _from_text(text: str) -> str:
    try:
        node = _at(tomllib.loads(text), "tools", "node")
    except tomllib.TOMLDecodeError:
        node = None
    if node:
        return str(_at(node, "version") or (node if isinstance(node, str) else ""))
    found = _LINE.search(text)
    return found[1] if found else text.strip()


def as_range(text: str, now: float) -> str:
    """Return the npm range that a version means; `lts/*` and its like depend on the time `now`."""
    word = text.strip().lower()
    if word in {"latest", "current", "node", "*"}:
        return "*"
    if not word.startswith("lts/"):
        return re.sub(r"^v(?=\d)", "", text.strip())
    name = word.removeprefix("lts/")
    if name in _LTS:
        return str(_LTS[name])
    newest = _newest_lts(now)
    if name == "*":
        return str(newest)
    if re.fullmatch(r"-\d+", name):
        return str(newest + 2 * int(name))
    raise ActionFailed(f"Unable to find LTS release '{name}' for Node version '{text}'.")


def _newest_lts(now: float) -> int:
    """Return the newest major with long time support: 20 since October 2023, 22 since 2024..."""
    date = time.gmtime(now)
    year = date.tm_year - 2000 - (0 if (date.tm_mon, date.tm_mday) >= (10, 28) else 1)
    return year - year % 2
