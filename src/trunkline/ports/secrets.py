"""Port: values that must never be shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Secrets(Protocol):
    """Secrets and variables by environment; names are case-insensitive, given in upper case."""

    def names(self, environment: str = "") -> tuple[str, ...]:
        """Return the names that are defined for an environment ('' the base ones)."""
        ...

    def values(self, environment: str = "") -> Mapping[str, str]:
        """Return name -> value, the environment's over the base ones."""
        ...

    def variables(self, environment: str = "") -> Mapping[str, str]:
        """Return configuration variables, the environment's over the base ones."""
        ...
