"""Secrets from mappings: the fake, and what a command line gives."""

from __future__ import annotations

from collections.abc import Mapping


class MemorySecrets:
    """Secrets and variables by environment ('' the base ones); an environment may be missing."""

    def __init__(
        self,
        secrets: Mapping[str, Mapping[str, str]],
        variables: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self._secrets = secrets
        self._variables = variables or {}

    def names(self, environment: str = "") -> tuple[str, ...]:
        """Return the names of the secrets, sorted."""
        return tuple(sorted(self.values(environment)))

    def values(self, environment: str = "") -> Mapping[str, str]:
        """Return the secrets, the environment's over the base ones."""
        return _layered(self._secrets, environment)

    def variables(self, environment: str = "") -> Mapping[str, str]:
        """Return the variables, the environment's over the base ones."""
        return _layered(self._variables, environment)


def _layered(layers: Mapping[str, Mapping[str, str]], environment: str) -> dict[str, str]:
    # GitHub compares the names of environments without case.
    wanted = [""] if not environment else ["", environment.lower()]
    return {
        name.upper(): value
        for layer in wanted
        for given, values in layers.items()
        if given.lower() == layer
        for name, value in values.items()
    }
