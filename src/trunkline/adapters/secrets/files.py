"""Secrets from files beside the project: `.secrets`, `.vars`, and `<file>.<environment>`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import msgspec


class Given(msgspec.Struct, frozen=True):
    """A file to read, and values that go over all files (the command line's)."""

    path: str
    values: Mapping[str, str] = {}


class FileSecrets:
    """Secrets and variables: the base file, the environment's file, then what was given by hand.

    `load` reads a file and returns {} when there is none; each file is read once. An environment
    whose name can't be part of a file's name has no file.
    """

    def __init__(
        self, secrets: Given, variables: Given, load: Callable[[str], Mapping[str, str]]
    ) -> None:
        self._secrets = secrets
        self._variables = variables
        self._load = lru_cache(maxsize=None)(load)

    def names(self, environment: str = "") -> tuple[str, ...]:
        """Return the names of the secrets, sorted."""
        return tuple(sorted(self.values(environment)))

    def values(self, environment: str = "") -> Mapping[str, str]:
        """Return the secrets, the environment's over the base ones. Raises what `load` raises."""
        return self._layered(self._secrets, environment)

    def variables(self, environment: str = "") -> Mapping[str, str]:
        """Return the variables, the environment's over the base ones. Raises what `load` raises."""
        return self._layered(self._variables, environment)

    def _layered(self, given: Given, environment: str) -> dict[str, str]:
        layers = [self._load(given.path)]
        if environment and not {"/", "\0"} & set(environment):
            # GitHub compares the names of environments without case.
            names = dict.fromkeys((environment.lower(), environment))
            layers += [self._load(f"{given.path}.{name}") for name in names]
        layers.append(given.values)
        return {name.upper(): value for layer in layers for name, value in layer.items()}
