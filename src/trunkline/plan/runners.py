"""Where a job runs: its runner labels, and what they stand for on this machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

HOST = "host"
_DOCKER = "docker:"
_AGENT_LABELS = frozenset({"linux", "self-hosted"})


class RunnerRequest(msgspec.Struct, frozen=True):
    """An evaluated `runs-on`."""

    labels: tuple[str, ...] = ()
    group: str = ""

    def text(self) -> str:
        """Return the request as people say it: `self-hosted, linux` or `group big, linux`."""
        return ", ".join(([f"group {self.group}"] if self.group else []) + list(self.labels))


def runner_request(value: Any) -> RunnerRequest | None:
    """Read an evaluated `runs-on`: a label, a list of them, or `{group, labels}`.

    Returns None for anything else, and when nothing is asked for (GitHub: an error of the job).
    """
    group = ""
    if isinstance(value, Mapping):
        named = value.get("group")
        group = named if isinstance(named, str) else ""
        value = value.get("labels")
    if isinstance(value, str):
        value = [value]
    items = value if isinstance(value, list | tuple) else []
    labels = tuple(label for label in items if isinstance(label, str) and label)
    if len(labels) != len(items) or not (labels or group):
        return None
    return RunnerRequest(labels, group)


def place(request: RunnerRequest, platforms: Mapping[str, str], architecture: str) -> str | None:
    """Return `host`, `docker:IMAGE`, or None when no place here has all the labels.

    `platforms` maps labels (lower case; a group's name counts as one) to a place, '' for nowhere,
    and comes before the built-in rules: `ubuntu-*`, `linux`, `self-hosted` and `architecture`
    (this machine's label: `x64`, `arm64`, ...) are the host. A docker place wins over the host.
    """
    wanted = request.labels or (request.group,)
    places = [_place_of(label.lower(), platforms, architecture) for label in wanted]
    if not all(places):
        return None
    return next((found for found in places if found != HOST), HOST)


def _place_of(label: str, platforms: Mapping[str, str], architecture: str) -> str:
    """Return one label's place, '' for nowhere."""
    if label in platforms:
        return platforms[label]
    here = label in _AGENT_LABELS or label == architecture.lower() or label.startswith("ubuntu-")
    return HOST if here else ""


def read_platforms(options: Iterable[str]) -> Mapping[str, str]:
    """Read `LABEL=WHERE` options into a table of lower-case labels.

    `WHERE` is `host` (also `-self-hosted`), `docker:IMAGE`, or nothing: nowhere. Raises ValueError
    with a sentence for the user.
    """
    table = {}
    for option in options:
        label, separator, where = option.partition("=")
        if not separator or not label:
            raise ValueError(f"'{option}' is not LABEL=WHERE")
        table[label.strip().lower()] = _read_place(where.strip())
    return table


def _read_place(where: str) -> str:
    if where in {HOST, "-self-hosted"}:
        return HOST
    if not where or (where.startswith(_DOCKER) and where != _DOCKER):
        return where
    raise ValueError(
        f"'{where}' is no place: it is host, docker:IMAGE (docker:{where}?), or empty for nowhere"
    )
