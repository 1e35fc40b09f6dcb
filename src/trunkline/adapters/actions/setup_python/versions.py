"""Which Python versions are asked for (actions/setup-python `src/utils.ts`)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable

from trunkline.adapters.toolkit.files import read_text
from trunkline.adapters.toolkit.inputs import Inputs
from trunkline.adapters.toolkit.python_versions import semantic
from trunkline.adapters.toolkit.semver import Range, parse_range
from trunkline.ports.actions import ActionFailed, ActionJob

_MAJOR_MINOR = re.compile(r"(\d+)\.(\d+)")
_DEVELOPMENT = re.compile(r"(\d+)\.(\d+)-dev")
_FREE_THREADED = re.compile(r"(\d+\.\d+(?:\.\d+)?)t(-dev)?")


class Wish:
    """One version that is asked for: as written, and the range it means."""

    def __init__(self, text: str, *, allow_prereleases: bool, free_threaded: bool) -> None:
        """Read a version as written. Raises ActionFailed."""
        self.text = text
        found = _FREE_THREADED.fullmatch(text)
        self.free_threaded = free_threaded or found is not None
        plain = f"{found[1]}{found[2] or ''}" if found else text
        self.range = _range(plain, allow_prereleases=allow_prereleases)


def _range(text: str, *, allow_prereleases: bool) -> Range:
    for word in ("pypy", "graalpy"):
        if text.lower().startswith(word):
            raise ActionFailed(
                f"'{text}': only CPython can be set up here. `--no-native` runs the action itself, "
                "which downloads it."
            )
    spec = _DEVELOPMENT.sub(r"~\1.\2.0-0", text)
    if allow_prereleases and (found := _MAJOR_MINOR.fullmatch(spec)):
        spec = f"~{found[1]}.{found[2]}.0-0"
    parsed = parse_range(semantic(spec))
    if parsed is None:
        raise ActionFailed(f"'{text}' is no version of Python and no range of versions.")
    return parsed


def wanted(inputs: Inputs, job: ActionJob, folder: str) -> list[str]:
    """Return the versions as written, from the inputs or from files below `folder`.

    Raises ActionFailed.
    """
    given = inputs.lines("python-version")
    file = inputs.text("python-version-file")
    if given:
        if file:
            job.annotate(
                "warning",
                "Both python-version and python-version-file inputs are specified, only "
                "python-version will be used.",
            )
        return given
    if file:
        text = read_text(job, _path(folder, file))
        if text is None:
            raise ActionFailed(f"The specified python version file at: {file} doesn't exist.")
        return _from_file(file, text, job)
    job.log(
        "[warning]Neither 'python-version' nor 'python-version-file' inputs were supplied. "
        "Attempting to find '.python-version' file."
    )
    text = read_text(job, _path(folder, ".python-version"))
    if text is None:
        job.log("[warning].python-version doesn't exist.")
        return []
    return _from_file(".python-version", text, job)


def _path(folder: str, name: str) -> str:
    return name if name.startswith("/") else f"{folder}/{name}"


def _from_file(name: str, text: str, job: ActionJob) -> list[str]:
    reader: Callable[[str], list[str]] = _plain
    if name.endswith(".toml"):
        reader = _project
    elif ".tool-versions" in name:
        reader = _tool_versions
    elif "Pipfile" in name:
        reader = _pipfile
    try:
        found = reader(text)
    except tomllib.TOMLDecodeError as error:
        raise ActionFailed(f"{name} can't be read: {error}") from error
    if found:
        job.log(f"Resolved {name} as {', '.join(found)}")
    else:
        job.annotate("warning", f"No Python version found in {name}")
    return found


def _plain(text: str) -> list[str]:
    lines = (line.strip() for line in text.split("\n"))
    return [line.split("/")[0] for line in lines if line and not line.startswith("#")]


def _project(text: str) -> list[str]:
    table = tomllib.loads(text)
    keys: tuple[str, ...] = ("project", "requires-python")
    if "project" not in table:
        keys = ("tool", "poetry", "dependencies", "python")
    value: object = table
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    if not isinstance(value, str):
        return []
    spaced = " ".join(value.split(","))
    # npm's reading drops what it does not know (`!=3.9.1`), as the action's does.
    known = [word for word in _joined(spaced) if parse_range(word) is not None]
    return [" ".join(known)] if known else []


def _joined(text: str) -> list[str]:
    return re.sub(r"(>=|<=|>|<|~=|==|=|~|\^)\s+", r"\1", text).split()


def _tool_versions(text: str) -> list[str]:
    for line in text.split("\n"):
        found = re.fullmatch(r"\s*python\s*v?\s*(\S+)\s*", line)
        if found:
            return [found[1]]
    return []


def _pipfile(text: str) -> list[str]:
    requires = tomllib.loads(text).get("requires", {})
    version = requires.get("python_full_version", requires.get("python_version"))
    return [str(version)] if version else []
