"""Which Buildx a job has, and what its builder can do (`docker buildx inspect`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from trunkline.ports.actions import ActionFailed, ActionJob

_VERSION = re.compile(r"\bv?(\d+)\.(\d+)(?:\.(\d+))?")
_PLATFORMS = "platforms"
_KEYS = {
    "endpoint": "endpoint",
    "status": "status",
    "buildkit": "buildkit",
    "buildkit version": "buildkit",
    "flags": "buildkitd-flags",
    "buildkit daemon flags": "buildkitd-flags",
    _PLATFORMS: _PLATFORMS,
}
Version = tuple[int, int, int]


class Buildx(NamedTuple):
    """A Buildx: how it is started, what it says of itself, its version."""

    argv: tuple[str, ...]
    text: str
    version: Version


class Builder(NamedTuple):
    """A builder: its nodes as the action's log shows them, its features by name."""

    name: str
    driver: str
    nodes: tuple[Mapping[str, str], ...]
    features: Mapping[str, bool]

    @property
    def is_of_engine(self) -> bool:
        """Whether it is the BuildKit inside the Docker Engine."""
        return self.driver == "docker"

    @property
    def keeps_indexes(self) -> bool:
        """Whether the engine can keep several platforms, and attestations, under one name."""
        return self.is_of_engine and self.features.get("multi-platform build", False)

    @property
    def exports_caches(self) -> bool:
        """Whether it can send its cache elsewhere."""
        return self.features.get("cache export", not self.is_of_engine)

    @property
    def version(self) -> Version:
        """Return BuildKit's version, zeros when it does not tell."""
        return read_version(self.nodes[0].get("buildkit", "")) if self.nodes else (0, 0, 0)

    def shown(self) -> Mapping[str, object]:
        """Return it as the action's log shows it."""
        return {"nodes": [dict(node) for node in self.nodes], "name": self.name} | {
            "driver": self.driver
        }


def read_version(text: str) -> Version:
    """Return the first version in a text, zeros when there is none."""
    found = _VERSION.search(text)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else (0, 0, 0)


def find_buildx(job: ActionJob, path: str) -> Buildx | None:
    """Return the Buildx of the job: Docker's plug-in, or a program of its own; None for neither."""
    for argv in (("docker", "buildx"), ("buildx",)):
        if job.sandbox.find(argv[0], path) is None:
            continue
        code, text = job.capture([*argv, "version"])
        if code == 0:
            return Buildx(argv, text.strip(), read_version(text))
    return None


def inspect(buildx: Buildx, name: str, job: ActionJob) -> Builder:
    """Return a builder ('': the current one). Raises ActionFailed in Buildx's words."""
    named = [name] if name else []
    code, text = job.capture([*buildx.argv, "inspect", *named], env={"DEBUG": "1"})
    if code:
        raise ActionFailed(text.strip() or f"buildx inspect failed with exit code {code}")
    return parse_builder(text)


def parse_builder(text: str) -> Builder:
    """Read what `buildx inspect` prints: the builder, then its nodes and their features."""
    reader = _Reader()
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            reader.take(key.lower(), value.strip())
    return reader.builder()


class _Reader:
    """Takes the lines one by one."""

    def __init__(self) -> None:
        self._name = self._driver = ""
        self._nodes: list[dict[str, str]] = []
        self._features: dict[str, bool] = {}
        self._in_features = False

    def take(self, key: str, value: str) -> None:
        """Take a line's key and value."""
        if key.startswith(" "):
            if self._in_features:
                self._features[key.strip()] = value == "true"
            return
        self._in_features = key == "features"
        take: Callable[[str], None] | None = {"name": self._named, "driver": self._driven}.get(key)
        if take is not None:
            take(value)
        elif key in _KEYS and self._nodes and value:
            self._nodes[-1][_KEYS[key]] = _platforms(value) if key == _PLATFORMS else value

    def builder(self) -> Builder:
        """Return what was read."""
        return Builder(self._name, self._driver, tuple(self._nodes), self._features)

    def _named(self, value: str) -> None:
        if self._name:
            self._nodes.append({"name": value})
        else:
            self._name = value

    def _driven(self, value: str) -> None:
        self._driver = value


def _platforms(value: str) -> str:
    """Return the platforms, only the preferred ones (`*`) where some are."""
    every = [platform.strip() for platform in value.split(",")]
    preferred = [platform for platform in every if "*" in platform]
    return ",".join(platform.replace("*", "") for platform in preferred or every)
