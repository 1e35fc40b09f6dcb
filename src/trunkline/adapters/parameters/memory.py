"""Parameters and secrets in memory, for tests."""

from __future__ import annotations

from collections.abc import Mapping

from trunkline.base.errors import Unavailable


class MemoryParameters:
    """Knows what it was given: parameters by name, secrets by (name, stage or version)."""

    def __init__(
        self,
        parameters: Mapping[str, str] | None = None,
        secrets: Mapping[tuple[str, str], str] | None = None,
    ) -> None:
        self._parameters = dict(parameters or {})
        self._secrets = dict(secrets or {})

    def parameter(self, name: str, region: str) -> str:
        """Return a parameter. Raises Unavailable."""
        del region
        if name not in self._parameters:
            raise Unavailable(
                f"Decrypted Variables Error Message: parameter does not exist: {name}"
            )
        return self._parameters[name]

    def secret(self, name: str, region: str, *, stage: str = "", version: str = "") -> str:
        """Return a secret's text. Raises Unavailable."""
        del region
        found = self._secrets.get((name, version or stage or "AWSCURRENT"))
        if found is None:
            raise Unavailable(
                "Secrets Manager Error Message: ResourceNotFoundException: "
                "Secrets Manager can't find the specified secret."
            )
        return found
